#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""batch.py PROGRAM FOLDER: batches that Slurm runs, on the cluster of lib.sh.

Two batches.  In the first all goes well but the machines: how many at once, what
is tried again, what each ends with.  In the second tasks are killed and cancelled
and a node goes away, with one of its tasks going on all the same; then it is
resumed.  All is submitted and run as "nobody", who may do no more than any user.
One "ok - NAME" or "not ok - NAME" a check.
"""
import contextlib
import csv
import datetime
import hashlib
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time

sys.dont_write_bytecode = True
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
sys.path.insert(0, f"{TOP}/tests/crash")
import harness

NOBODY = 65534
AS_USER = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups",
           "env", "HOME=/nonexistent")
APPLIANCE_MIB = 1536            # BATCH_WEIGHT_APPLIANCE
PATIENCE = 60                   # seconds
failed = False


@contextlib.contextmanager
def check(name):
    global failed
    try:
        yield
        print(f"ok - {name}", flush=True)
    except (AssertionError, SystemExit, OSError, KeyError) as why:
        failed = True
        print(f"not ok - {name}\n    {type(why).__name__}: {why}", flush=True)


def wait_for(what, condition):
    deadline = time.monotonic() + PATIENCE
    while not (result := condition()):
        assert time.monotonic() < deadline, f"in vain: {what}"
        time.sleep(0.01)
    return result


def digest(path):
    with open(path, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


class Batch:
    """A folder with a manifest, of which line N + 2 is kinds[N]."""

    def __init__(self, program, root, name, kinds):
        self.program, self.root, self.folder = program, root, f"{root}/{name}"
        self.manifest = f"{self.folder}/it's \"{name}\".csv"
        self.results = f"{self.manifest}.results"
        self.kinds = {i + 2: kind for i, kind in enumerate(kinds)}
        os.mkdir(self.folder)
        with open(self.manifest, "w", encoding="ascii", newline="") as f:
            rows = csv.writer(f)
            rows.writerow(["image", "image"])
            rows.writerows(self.make_row(line) for line in self.kinds)
        for entry in [self.folder] + [e.path for e in os.scandir(self.folder)]:
            os.chown(entry, NOBODY, NOBODY)

    def image(self, line):
        return f"{self.folder}/vm, {line}.qcow2"

    def make_row(self, line):
        kind, data = self.kinds[line], f"{self.folder}/data{line}.qcow2"
        if kind == "twice":
            os.link(self.image(2), self.image(line))
        elif kind != "missing":
            source = "hibernated" if kind == "hibernated" else "good"
            harness.copy(f"{self.root}/{source}.qcow2", self.image(line))
        if kind == "two disks":
            harness.must("qemu-img", "create", "-q", "-f", "qcow2", data, "64M")
        return [os.path.basename(self.image(line)),
                os.path.basename(data) if kind == "two disks" else ""]

    def run(self, *options):
        return harness.run(*AS_USER, self.program, "batch", os.path.basename(self.manifest),
                           "--virtio-iso", f"{self.root}/virtio.iso", *options, cwd=self.folder)

    def submit(self, *options, want=0):
        """The document about the jobs."""
        done = self.run("--slurm", "--json", "--retry-pause", "1", *options, "--", "--time=30")
        assert done.returncode == want, (done.returncode, done.stderr)
        return json.loads(done.stdout) if want == 0 else done.stderr

    def read(self, line, kind="json"):
        """A file of the results, or None."""
        try:
            with open(f"{self.results}/{line}.{kind}", encoding="utf-8") as f:
                return json.load(f)
        except FileNotFoundError:
            return None

    def ledger(self):
        db = sqlite3.connect(f"file:{self.manifest}.ledger?mode=ro", uri=True)
        db.row_factory = sqlite3.Row
        rows = {row["line"]: dict(row) for row in db.execute(
            "SELECT line, state, attempts, attempt, code, message FROM report")}
        db.close()
        return rows

    def queued(self):
        name = f"v2v-{digest(self.manifest)[:12]}"
        return harness.must("squeue", "--noheader", f"--name={name}", "--format=%i %T").split("\n")[:-1]

    def wait(self):
        try:
            wait_for("an empty queue", lambda: not self.queued())
        except AssertionError as why:
            raise AssertionError(f"{why}: {harness.must('squeue')}{self.log()}") from None

    def is_at_work(self, line):
        """It has its lock on the image, and nothing is decided."""
        return os.path.exists(f"{self.image(line)}.v2v-overlay") and self.read(line) is None

    def log(self):
        return "".join(open(e.path, encoding="utf-8").read() for e in os.scandir(self.results)
                       if e.name.startswith("slurm-"))

    def check_injected(self, line):
        """Once: one undo gives what it was, and there is no other."""
        image = self.image(line)
        assert not os.path.exists(f"{image}.v2v-undo-2"), f"{line}: injected twice"
        harness.must(*AS_USER, self.program, "undo", image)
        harness.must("qemu-img", "compare", "-q", f"{self.root}/good.qcow2", image)
        assert not os.path.exists(f"{image}.v2v-undo-1"), line


# ---- What a task of Slurm is as processes and as a job ----

def processes_of(*marks):
    """The task whose command line has these words, and all below it."""
    for pid in sorted(int(p) for p in os.listdir("/proc") if p.isdigit()):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                words = f.read().split(b"\0")
        except OSError:
            continue
        if all(mark.encode() in words for mark in marks):
            return [pid] + harness.descendants(pid)
    return []


def signal_all(pids, number):
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def freeze(batch, line):
    """Stop a task that runs, with all its processes, also those that it makes
    while we look."""
    stopped = []
    while (found := processes_of(batch.manifest, f"--line={line}")) != stopped:
        signal_all(found, signal.SIGSTOP)
        stopped = found
    return stopped


class Frozen:
    """A task that was stopped before it has ended."""

    def __init__(self, batch, line, pids):
        self.batch, self.line, self.pids = batch, line, pids
        with open(f"/proc/{pids[0]}/environ", "rb") as f:
            env = dict(v.split(b"=", 1) for v in f.read().split(b"\0") if b"=" in v)
        self.job = (env[b"SLURM_ARRAY_JOB_ID"] + b"_" + env[b"SLURM_ARRAY_TASK_ID"]).decode()
        self.node = env[b"SLURMD_NODENAME"].decode()
        with open(f"/proc/{pids[0]}/stat", encoding="ascii") as f:
            self.step = int(f.read().rsplit(")", 1)[1].split()[1])  # slurmstepd

    def thaw(self):
        signal_all(self.pids, signal.SIGCONT)

    def lose(self):
        """As when its node has no power any more."""
        signal_all([self.step] + self.pids, signal.SIGKILL)


def catch(batch, count):
    """The first tasks that can be stopped while they are at it."""
    frozen = {}

    def look():
        for line in set(batch.kinds) - set(frozen):
            if not batch.is_at_work(line):
                continue
            pids = freeze(batch, line)
            if pids and batch.is_at_work(line):
                frozen[line] = Frozen(batch, line, pids)
            else:
                signal_all(pids, signal.SIGCONT)
        return len(frozen) == count

    wait_for(f"{count} tasks to be stopped", look)
    return list(frozen.values())


def hold(image):
    """QEMU has the image, as a running machine would."""
    socket = f"{image}.sock"
    holder = subprocess.Popen(["qemu-nbd", "--persistent", "--socket", socket, "--format",
                               "qcow2", image])
    wait_for("qemu-nbd", lambda: os.path.exists(socket))
    return holder


def release(holder):
    holder.kill()
    holder.wait()


# ---- The first batch ----

KINDS = ["good", "two disks", "good", "freed", "good", "hibernated", "good", "good", "locked",
         "missing", "good", "twice", "good", "good"]
CODES = {"hibernated": "hibernated", "missing": "image-not-found", "locked": "image-in-use",
         "twice": "listed-twice"}
CAP = 3


def most_at_once(results):
    """Of runs, by what their results say of time."""
    events = []
    for result in results:
        times = [datetime.datetime.fromisoformat(result[name].replace("Z", "+00:00"))
                 for name in ("started", "ended")]
        events += [(times[0], 1), (times[1], -1)]
    running = most = 0
    for _, step in sorted(events):
        running += step
        most = max(most, running)
    return most


def memory_of(job_and_task):
    """MiB that a job asks for."""
    shown = harness.must("scontrol", "show", "job", job_and_task)
    size, unit = re.search(r"MinMemoryNode=([0-9.]+)([MG])", shown).groups()
    return float(size) * (1024 if unit == "G" else 1)


def first_batch(program, root):
    batch = Batch(program, root, "first", KINDS)
    lines = {kind: line for line, kind in batch.kinds.items()}
    holders = {kind: hold(batch.image(lines[kind])) for kind in ("freed", "locked")}
    os.environ["LIBGUESTFS_PATH"] = "/nonexistent"    # an appliance would take long
    try:
        jobs = batch.submit("--jobs", str(CAP), "--retries", "2", "--report", "what became.csv")
        with check("what is submitted: arrays of 7 at most, and one job more"):
            assert jobs["submitted"] == len(KINDS) - 1, jobs
            assert len(jobs["jobs"]) == 3 and jobs["report_job"] not in jobs["jobs"], jobs
        with check(f"{CAP} run at once, and no more where there is room"):
            tasks = catch(batch, CAP)
            time.sleep(4)
            running = [job for job in batch.queued() if job.endswith(" RUNNING")]
            assert len(running) == CAP, batch.queued()
        for task in tasks:
            task.thaw()
        wait_for("a busy machine",
                 lambda: (batch.read(lines["freed"]) or {}).get("code") == "image-in-use")
        with check("what is queued cannot be submitted once more"):
            assert "still has jobs of this batch" in batch.submit("--resume", want=75)
        release(holders.pop("freed"))
        with check("a machine that needs an appliance comes back with the memory for it"):
            wait_for("it comes back",
                     lambda: (batch.read(lines["two disks"]) or {}).get("code") == "direct-not-served")
            assert memory_of(f"{jobs['jobs'][0]}_{lines['two disks']}") == APPLIANCE_MIB
        batch.wait()
    finally:
        for holder in holders.values():
            release(holder)
    check_first(batch, lines)


def check_first(batch, lines):
    rows, results = batch.ledger(), {line: batch.read(line) for line in batch.kinds}
    with check("each ends with what it should"):
        for line, kind in batch.kinds.items():
            got = (results[line]["code"], rows[line]["code"])
            if kind == "two disks":
                assert got[0] == got[1] and got[0] not in (None, "direct-not-served"), got
                assert rows[line]["attempts"] == 2, rows[line]
            else:
                assert got == (CODES.get(kind),) * 2, (line, kind, got, batch.log())
    with check("what is in use is tried again, as often as was said"):
        assert rows[lines["freed"]]["attempts"] in (2, 3), rows[lines["freed"]]
        locked = rows[lines["locked"]]
        assert (locked["attempts"], locked["state"]) == (3, "again"), (locked, batch.log())
    with check("the job after them writes the reports"):
        with open(f"{batch.folder}/what became.csv", encoding="utf-8") as f:
            assert len(list(csv.reader(f))) == len(KINDS) + 1
        assert f"{len(KINDS)} machines: " in batch.log(), batch.log()
    with check("all others are run once"):
        for line, kind in batch.kinds.items():
            if kind not in ("freed", "locked", "two disks"):
                assert rows[line]["attempts"] == 1, rows[line]
    with check(f"never more than {CAP} at once, as the results tell"):
        most = most_at_once(r for r in results.values() if r["code"] != "listed-twice")
        assert 1 < most <= CAP, most    # some results are of later runs
    with check("those that are good are injected, once"):
        for line, kind in batch.kinds.items():
            if kind in ("good", "freed"):
                batch.check_injected(line)
    with check("the way on is local, too"):
        done = batch.run("--resume", "--json", "--retries", "0")
        assert done.returncode == 1, (done.returncode, done.stderr)    # no appliance
        assert json.loads(done.stdout)["counts"]["again"] == 0, done.stdout
        batch.check_injected(lines["locked"])


# ---- The second ----

def lose_node(name, root):
    with open(f"{root}/{name}.pid", encoding="ascii") as f:
        os.kill(int(f.read()), signal.SIGKILL)


def start_now(task):
    """Who lost its node is queued again, to start two minutes later."""
    wait_for(f"job {task.job} is queued again", lambda: "JobState=PENDING" in
             harness.must("scontrol", "show", "job", task.job))
    harness.must(*AS_USER, "env", f"SLURM_CONF={os.environ['SLURM_CONF']}", "scontrol", "update",
                 f"JobId={task.job}", "StartTime=now")


def second_batch(program, root):
    batch = Batch(program, root, "second", ["good"] * 9)
    batch.submit("--jobs", "4", "--retries", "9")
    tasks = catch(batch, 4)
    killed, cancelled = [t for t in tasks if t.node == "n1"]
    dead, cut_off = [t for t in tasks if t.node == "n2"]

    os.kill(killed.pids[0], signal.SIGKILL)
    killed.thaw()
    harness.must(*AS_USER, "scancel", cancelled.job)    # wakes it, too
    lose_node("n2", root)
    dead.lose()
    harness.must("scontrol", "update", "NodeName=n2", "State=DOWN", "Reason=test")
    for task in (dead, cut_off):
        start_now(task)
    with check("a task that goes on without its node keeps the next from its image"):
        wait_for("the next is refused",
                 lambda: (batch.read(cut_off.line) or {}).get("code") == "image-in-use")
    with check("what is known so far can be asked for"):
        rows = json.loads(batch.run("--collect", "--json").stdout)["items"]
        state = {row["line"]: row["state"] for row in rows}
        assert state[killed.line] == "running" and state[cut_off.line] in ("again", "running"), state
    cut_off.thaw()
    batch.wait()
    signal_all([cut_off.step], signal.SIGKILL)    # it has nobody to report to
    check_interrupted(batch, killed, cancelled, dead, cut_off)
    resume(batch, root, {killed.line, cancelled.line})


def check_interrupted(batch, killed, cancelled, dead, cut_off):
    rows = batch.ledger()
    with check("a node that goes away: its machine is done elsewhere"):
        assert rows[dead.line]["state"] == "done" and rows[dead.line]["attempts"] == 2, rows[dead.line]
    with check("one that went on there is done, and not once more"):
        assert rows[cut_off.line]["state"] == "done", (rows[cut_off.line], batch.log())
    with check("a task that was cancelled says so, one that was killed says nothing"):
        assert rows[cancelled.line]["code"] == "interrupted", rows[cancelled.line]
        assert batch.read(killed.line) is None and rows[killed.line]["state"] == "running"
    with check("all others are done"):
        left = {line for line, row in rows.items() if row["state"] != "done"}
        assert left == {killed.line, cancelled.line}, left


def resume(batch, root, left):
    harness.must("slurmd", "-N", "n2")
    wait_for("n2", lambda: "idle" in harness.must("sinfo", "-h", "-n", "n2", "-o", "%T"))
    with check("--resume submits what is left, and no more"):
        assert "this batch was begun before" in batch.submit(want=2)
        assert batch.submit("--resume")["submitted"] == len(left)
    batch.wait()
    rows = batch.ledger()
    with check("then all are done, injected once"):
        assert {row["state"] for row in rows.values()} == {"done"}, (rows, batch.log())
        for line in batch.kinds:
            batch.check_injected(line)
    with check("nothing of a run is left"):
        kept = {n for n in os.listdir(batch.folder) if ".v2v-" in n}
        assert not kept and not [n for n in os.listdir(batch.results)
                                 if n.endswith((".begun", ".part"))], kept
    with check("no process is left"):
        assert not processes_of(batch.manifest)


def main():
    program, root = os.path.abspath(sys.argv[1]), sys.argv[2]
    harness.must(f"{TOP}/fixtures/mkguest", "--gpt", f"{root}/good.qcow2")
    harness.must(f"{TOP}/fixtures/mkguest", "--gpt", "--hibernated", f"{root}/hibernated.qcow2")
    harness.must(f"{TOP}/fixtures/mkiso", f"{root}/virtio.iso")
    for batch in (first_batch, second_batch):
        with check(f"{batch.__name__}: to its end"):
            batch(program, root)
    sys.exit(failed)


if __name__ == "__main__":
    main()
