#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""killed.py PROGRAM [--lines N] [--kills N] [--seed N]: a batch that is killed at
random instants, and resumed until it is done.

The manifest has good images (in place, and with an output), some of them with a
domain XML, and broken, hibernated, missing, repeated and locked ones.  Afterwards
every good one was injected once: one undo, carried out here, gives what it was.
Every other is named with its code and is what it was; ledger and result documents
agree, and the documents alone make the same ledger.
"""
import argparse
import csv
import hashlib
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

sys.dont_write_bytecode = True
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
sys.path.insert(0, f"{TOP}/tests/crash")
import harness

LOCK_SOCKET = "lock-{}.sock"
GUESTS = {                         # name: options of mkguest
    "win10": ["--gpt"],
    "2k16": ["--version", "2k16"],
    "2k22": ["--version", "2k22", "--gpt"],
    "hibernated": ["--gpt", "--hibernated"],
    "no-windows": ["--no-windows"],
    "win81": ["--version", "win81"],   # the medium has nothing for it
}
GOOD = ("win10", "2k16", "2k22")
# kind: how many of a hundred lines, the code that it ends with (None: done)
KINDS = {
    "good": (46, None), "xml": (12, None), "output": (12, None),
    "freed": (5, None),            # in use at first
    "hibernated": (6, "hibernated"), "win81": (3, "boot-driver-missing"),
    "no-windows": (3, "no-windows"),
    "broken": (5, "image-unreadable"), "missing": (4, "image-not-found"),
    "twice": (4, "listed-twice"), "locked": (3, "image-in-use"),
}
DOMAIN = """<domain type='kvm'><name>{0}</name><memory>1</memory>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <devices><disk type='file' device='disk'>
    <driver name='qemu' type='qcow2'/><source file='{1}'/>
    <target dev='sda' bus='sata'/></disk></devices></domain>
"""


def digest(path):
    with open(path, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


class Line:
    """A line of the manifest; @number: as the program counts them."""

    def __init__(self, fleet, number, kind, first):
        self.number, self.kind, self.code = number, kind, KINDS[kind][1]
        self.row = {"image": f"vm{number}.qcow2"}
        self.image = f"{fleet.folder}/vm{number}.qcow2"
        self.template = kind if kind in GUESTS else fleet.rng.choice(GOOD)
        self.result = self.image
        self.before = None
        self.make(fleet, first)

    def make(self, fleet, first):
        if self.kind == "missing":
            return
        if self.kind == "twice":
            os.link(first.image, self.image)
            return
        if self.kind == "broken":
            with open(self.image, "wb") as f:
                f.write(fleet.rng.randbytes(5000))
        else:
            harness.copy(f"{fleet.root}/{self.template}.qcow2", self.image)
        if self.kind == "output":
            self.result = f"{fleet.folder}/new{self.number}.qcow2"
            self.row["output"] = os.path.basename(self.result)
        if self.kind == "xml":
            with open(f"{fleet.folder}/vm{self.number}.xml", "w", encoding="ascii") as f:
                f.write(DOMAIN.format(f"vm{self.number}", self.image))
            self.row["domain-xml"] = f"vm{self.number}.xml"
            self.row["output-xml"] = f"vm{self.number}-new.xml"
        self.before = digest(self.image)


class Fleet:
    def __init__(self, args, root):
        self.args, self.root, self.folder = args, root, f"{root}/fleet"
        self.rng = random.Random(args.seed)
        self.manifest = f"{self.folder}/fleet.csv"
        self.holders = {}
        os.mkdir(self.folder)
        for name, options in GUESTS.items():
            harness.must(f"{TOP}/fixtures/mkguest", *options, f"{root}/{name}.qcow2")
        harness.must(f"{TOP}/fixtures/mkiso", f"{root}/virtio.iso")
        self.lines = self.make_lines()
        self.write_manifest()

    def make_lines(self):
        """Every kind at least once; the first is one that can be repeated."""
        kinds = list(KINDS)
        kinds += self.rng.choices(kinds, [n for n, _ in KINDS.values()],
                                  k=max(self.args.lines - len(kinds), 0))
        self.rng.shuffle(kinds)
        kinds.remove("good")
        lines = []
        for i, kind in enumerate(["good"] + kinds):
            lines.append(Line(self, i + 2, kind, lines[0] if lines else None))
        return lines

    def write_manifest(self):
        columns = ["image", "output", "domain-xml", "output-xml"]
        with open(self.manifest, "w", encoding="ascii", newline="") as f:
            writer = csv.DictWriter(f, columns)
            writer.writeheader()
            writer.writerows(line.row for line in self.lines)

    def hold(self, line):
        """QEMU has the image, as a running machine would."""
        socket = f"{self.root}/{LOCK_SOCKET.format(line.number)}"
        self.holders[line.number] = subprocess.Popen(
            ["qemu-nbd", "--persistent", "--socket", socket, "--format", "qcow2", line.image])
        while not os.path.exists(socket):
            assert self.holders[line.number].poll() is None
            time.sleep(0.01)

    def release(self, number):
        holder = self.holders.pop(number)
        holder.kill()
        holder.wait()

    def command(self, *options):
        return [self.args.program, "batch", self.manifest, "--virtio-iso",
                f"{self.root}/virtio.iso", "--retry-pause", "1", *options]

    def attempts(self):
        """How many have begun."""
        db = sqlite3.connect(f"{self.manifest}.ledger")
        count, = db.execute("SELECT count(*) FROM attempts").fetchone()
        db.close()
        return count

    def start(self, *options):
        return subprocess.Popen(self.command("--jobs", "3", *options), stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def check_interrupted(fleet, batch, number, before):
    """Told to end, it ends what it began, says how to go on, and ends so; if it has
    not begun anything, at once."""
    _, said = batch.communicate(timeout=120)
    if batch.returncode >= 0:      # it was done before
        return
    assert batch.returncode == -number, (batch.returncode, said)
    assert "--resume" in said or fleet.attempts() == before, said


def kill_somehow(fleet, batch, before):
    """The batch itself; or it is told to end; or one of its processes dies, and
    then the batch."""
    how = fleet.rng.random()
    if how < 0.2:
        number = fleet.rng.choice([signal.SIGINT, signal.SIGTERM])
        batch.send_signal(number)
        check_interrupted(fleet, batch, number, before)
        return
    if how < 0.4:
        for pid in fleet.rng.sample(harness.descendants(batch.pid), k=1) \
                if harness.descendants(batch.pid) else []:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(fleet.rng.uniform(0, 0.3))
    batch.kill()
    batch.communicate()


def check_second(fleet):
    """Another batch on the ledger is refused while one is at work."""
    batch = fleet.start()
    while not os.path.exists(f"{fleet.manifest}.results") or \
            not os.listdir(f"{fleet.manifest}.results"):
        assert batch.poll() is None, batch.communicate()
        time.sleep(0.01)
    second = harness.run(*fleet.command("--resume"))
    assert second.returncode == 75, (second.returncode, second.stderr)
    batch.kill()
    batch.communicate()


def run_until_done(fleet):
    for line in fleet.lines:
        if line.kind in ("locked", "freed"):
            fleet.hold(line)
    check_second(fleet)
    for i in range(fleet.args.kills):
        before = fleet.attempts()
        batch = fleet.start("--resume", "--retries", "0")
        try:
            batch.wait(timeout=fleet.rng.uniform(0.02, 3))
        except subprocess.TimeoutExpired:
            kill_somehow(fleet, batch, before)
        else:
            batch.communicate()
        if i == fleet.args.kills // 2:
            for line in fleet.lines:
                if line.kind == "freed":
                    fleet.release(line.number)
    last = harness.run(*fleet.command("--resume", "--json", "--retries", "4"))
    assert not harness.alive(fleet.folder + "/vm") or fleet.holders, "processes were left"
    return last


def forget_ends(fleet):
    """As if the batch had been killed after these runs had changed their images
    and before anybody was told: neither is changed again."""
    db = sqlite3.connect(f"{fleet.manifest}.ledger")
    before = {}
    for kind in ("good", "xml", "output"):
        line = next(line for line in fleet.lines if line.kind == kind)
        before[line.number] = (line.result, digest(line.result))
        db.execute("UPDATE items SET state = 'running', result = NULL WHERE line = ?",
                   (line.number,))
        db.execute("UPDATE attempts SET ended = NULL WHERE line = ?", (line.number,))
        os.unlink(f"{fleet.manifest}.results/{line.number}.json")
    db.commit()
    db.close()
    harness.run(*fleet.command("--resume", "--quiet", "--retries", "0"))
    rows = read_ledger(fleet)
    for number, (path, content) in before.items():
        assert rows[number]["state"] == "done", (number, rows[number]["message"])
        assert digest(path) == content, path


def read_ledger(fleet):
    db = sqlite3.connect(f"file:{fleet.manifest}.ledger?mode=ro", uri=True)
    db.row_factory = sqlite3.Row
    rows = {row["line"]: dict(row) for row in db.execute("SELECT * FROM report")}
    db.close()
    return rows


def check_result(fleet, line, row):
    """The ledger's row and the result file say the same."""
    with open(f"{fleet.manifest}.results/{line.number}.json", encoding="utf-8") as f:
        result = json.load(f)
    for name in ("attempt", "exit_status", "signal", "code", "message", "backend", "started",
                 "ended", "host"):
        assert row[name] == result[name], (line.number, name, row[name], result[name])
    assert (json.loads(row["result"]) if row["result"] else None) == result["result"], line.number
    want = ("failed", line.code) if line.code else ("done", None)
    assert (row["state"], row["code"]) == want, (line.number, line.kind, dict(row, result=None))
    assert (result["exit_status"] == 0) == (line.code is None), line.number


def must_be_injected(fleet, path):
    plan = json.loads(harness.must(fleet.args.program, "inject", "--dry-run", "--json", path,
                                   "--virtio-iso", f"{fleet.root}/virtio.iso"))
    assert plan["status"] == "planned" and not plan["files"] and not plan["registry"], path


def check_good(fleet, line):
    """Injected, and once: one undo is the way back, and there is no other."""
    must_be_injected(fleet, line.result)
    template = f"{fleet.root}/{line.template}.qcow2"
    if line.kind == "output":
        assert digest(line.image) == line.before, line.number
        return
    assert not os.path.exists(f"{line.image}.v2v-undo-2"), line.number
    if line.kind == "xml":
        with open(f"{fleet.folder}/vm{line.number}-new.xml", encoding="utf-8") as f:
            assert "bus='virtio'" in f.read(), line.number
    harness.must(fleet.args.program, "undo", line.image)
    harness.must("qemu-img", "compare", "-q", template, line.image)
    assert not os.path.exists(f"{line.image}.v2v-undo-1"), line.number


def check_line(fleet, line, row):
    check_result(fleet, line, row)
    if line.code is None:
        check_good(fleet, line)
    elif line.before is not None:
        assert digest(line.image) == line.before, line.number


def check_leftovers(fleet):
    """No file of a run that died; but what undo needs."""
    left = [n for n in os.listdir(fleet.folder) if ".v2v-" in n and ".v2v-undo-1" not in n]
    assert not left, left


def check_collected(fleet, rows):
    """The result files alone make the same ledger."""
    os.rename(f"{fleet.manifest}.ledger", f"{fleet.root}/ledger")
    harness.run(*fleet.command("--collect"))
    again = read_ledger(fleet)
    assert again.keys() == rows.keys()
    for number, row in rows.items():
        other = again[number]
        if row["code"] == "image-in-use":  # who has only the file would try it again
            assert other["state"] == "again", number
            other["state"] = row["state"]
        for name, value in row.items():
            assert other[name] == value, (number, name)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", type=os.path.abspath)
    parser.add_argument("--lines", type=int, default=30)
    parser.add_argument("--kills", type=int, default=8)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    args = parser.parse_args()
    print(f"seed {args.seed}", flush=True)
    root = harness.make_folder("batch")
    fleet = None
    try:
        fleet = Fleet(args, root)
        last = run_until_done(fleet)
        assert last.returncode == 2, (last.returncode, last.stderr)  # what is missing
        rows = read_ledger(fleet)
        document = json.loads(last.stdout)
        assert {item["line"]: item["state"] for item in document["items"]} == \
            {number: row["state"] for number, row in rows.items()}
        forget_ends(fleet)
        rows = read_ledger(fleet)
        check_leftovers(fleet)
        check_collected(fleet, rows)
        for number in list(fleet.holders):
            fleet.release(number)
        for line in fleet.lines:
            check_line(fleet, line, rows[line.number])
        tries = sum(row["attempts"] for row in rows.values())
        print(f"{len(rows)} machines, {tries} attempts, "
              f"{document['counts']['done']} done, {document['counts']['failed']} failed")
    finally:
        for number in list(fleet.holders if fleet else []):
            fleet.release(number)
        if sys.exc_info()[0] is None:
            shutil.rmtree(root)
        else:
            print(f"what is left: {root}", flush=True)


if __name__ == "__main__":
    main()
