# SPDX-License-Identifier: GPL-2.0-or-later
"""What a command costs, with everything it starts: the measuring core of the
benchmarks of this folder.

measure() runs a command below a process of its own that adopts orphans
(PR_SET_CHILD_SUBREAPER), so that a daemon which the command leaves behind
(nbdkit, qemu) is waited for and counted, too.  CPU and bytes are the kernel's
sums of what was waited for (getrusage(2), /proc/PID/io: both take in those of a
child when it is reaped) and miss nothing however short it lives; memory and the
appliances are looked at many times a second.  On a busy machine that may miss the
peak; the largest process' own, which the kernel keeps, is the least it can be.
"""
import collections
import ctypes
import json
import os
import re
import resource
import select
import signal
import statistics
import tempfile
import time

PR_SET_CHILD_SUBREAPER = 36        # linux/prctl.h
INTERVAL = 0.01                    # s between two looks at the tree ...
LOOK_SHARE = 20                    # ... or so many times the CPU that one takes
STRAGGLERS = 15                    # s that daemons have to end after the command
MB = 1e6
# libguestfs gives each appliance a port of this name (its lib/launch-direct.c);
# its questions to QEMU (-help, QMP) have none
APPLIANCE = b"org.libguestfs.channel.0"

# wall: s until the command ended; cpu: s, user and system; memory: MB, the peak
# of the whole tree with its memfds, shared pages counted once; read, written: MB
# through read(2) and write(2) and the like, page cache and pipes included;
# disk: MB that are to reach the disk; launches: appliances
Cost = collections.namedtuple(
    "Cost", "wall cpu memory read written disk launches")
UNITS = dict(wall="s", cpu="s", memory="MB", read="MB", written="MB", disk="MB",
             launches="")


class Failure(Exception):
    """A command did not end as it should; what it said."""


def io_bytes():
    with open("/proc/self/io", encoding="ascii") as f:
        io = dict(line.split(": ") for line in f.read().splitlines())
    return [int(io[name]) for name in ("rchar", "wchar", "write_bytes")]


def largest(usage):
    """Bytes of the largest child; 0 when that is this program itself, whose
    memory a child shares until its exec."""
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return usage.ru_maxrss * 1024 if usage.ru_maxrss > own else 0


def reap(command, env, log):
    """In the process between: -> (exit status, wall, cpu, memory, bytes)"""
    before = io_bytes()
    start = time.monotonic()
    pid = os.posix_spawnp(command[0], command, env, file_actions=[
        (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
        (os.POSIX_SPAWN_DUP2, log, 1), (os.POSIX_SPAWN_DUP2, log, 2)])
    status = wall = None
    while True:
        try:
            ended, code = os.waitpid(-1, 0)
        except ChildProcessError:
            break
        if ended == pid:
            status, wall = os.waitstatus_to_exitcode(code), time.monotonic() - start
            signal.alarm(STRAGGLERS)
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (status, wall, usage.ru_utime + usage.ru_stime, largest(usage),
            [b - a for a, b in zip(before, io_bytes())])


def between(command, env, log, result):
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        report = reap(command, env, log)
    except OSError as e:
        report = str(e)
    os.write(result, json.dumps(report).encode())
    os._exit(0)


def children(pid):
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return
    for task in tasks:
        try:
            with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as f:
                yield from f.read().split()
        except OSError:                # it has just ended
            pass


def descendants(pid):
    found = list(children(pid))
    for child in found:                # grows while it is walked
        found += children(child)
    return found


def mapped(pid):
    """(its share of the memory that is mapped, how much of it is of memfds and the
    like) in bytes; what it maps where shares are secret."""
    for name, field in (("smaps_rollup", rb"Pss"), ("status", rb"VmRSS")):
        try:
            with open(f"/proc/{pid}/{name}", "rb") as f:
                found = dict(re.findall(rb"^(\w+):\s+(\d+) kB", f.read(),
                                        re.MULTILINE))
        except OSError:
            continue
        return (int(found.get(field, 0)) * 1024,
                int(found.get(b"Pss_Shmem", 0)) * 1024)
    return 0, 0


def memfds(pid):
    """{inode: bytes} of its files that lie in memory"""
    found = {}
    try:
        for fd in os.scandir(f"/proc/{pid}/fd"):
            if os.readlink(fd.path).startswith("/memfd:"):
                st = os.stat(fd.path)
                found[st.st_ino] = st.st_blocks * 512
    except OSError:                    # it has just ended
        pass
    return found


def memory_of(tree):
    """Files in memory may be mapped or not, and count once."""
    files = {}
    for pid in tree:
        files.update(memfds(pid))
    totals = [sum(column) for column in zip((0, 0), *map(mapped, tree))]
    return totals[0] - totals[1] + max(totals[1], sum(files.values()))


def is_appliance(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            command = f.read()
    except OSError:
        return False
    return APPLIANCE in command and b"qemu-system" in command.split(b"\0")[0]


def watch(pid, done):
    """-> (peak of the memory in bytes, appliances), until @done can be read"""
    peak, appliances, known = 0, set(), {}
    pause = INTERVAL
    while not select.select([done], [], [], pause)[0]:
        start = time.thread_time()
        tree = descendants(pid)
        peak = max(peak, memory_of(tree))
        for child in tree:             # an exec changes it: twice is enough
            if known.get(child, 0) < 2:
                known[child] = known.get(child, 0) + 1
                if is_appliance(child):
                    appliances.add(child)
        pause = max(INTERVAL, LOOK_SHARE * (time.thread_time() - start))
    return peak, len(appliances)


def measure(command, env=None, statuses=(0,)):
    """The Cost of one run; Failure when its exit status is none of @statuses."""
    done, result = os.pipe()
    with tempfile.TemporaryFile() as log:
        pid = os.fork()
        if pid == 0:
            os.close(done)
            between(command, os.environ if env is None else env, log.fileno(), result)
        os.close(result)
        peak, launches = watch(pid, done)
        with os.fdopen(done, "rb") as f:
            report = json.loads(f.read() or '"something it started does not end"')
        os.waitpid(pid, 0)
        if isinstance(report, str) or report[0] not in statuses:
            log.seek(0)
            raise Failure(f"{' '.join(command)}: {report}\n"
                          + log.read().decode(errors="replace"))
    _, wall, cpu, memory, (read, written, disk) = report
    return Cost(wall, cpu, max(peak, memory) / MB, read / MB, written / MB, disk / MB, launches)


def digits(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def spread(values):
    """"MEDIAN (LEAST-MOST)", or one number where all are the same"""
    median, least, most = map(digits, (statistics.median(values), min(values),
                                       max(values)))
    return median if least == most else f"{median} ({least}-{most})"


def median(costs):
    return Cost(*map(statistics.median, zip(*costs)))


def table(title, rows):
    """rows: {name: [Cost, ...]} -> a table in Markdown"""
    head = [title] + [f"{name}, {unit}" if unit else name
                      for name, unit in UNITS.items()]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for name, costs in rows.items():
        cells = [name, *map(spread, zip(*costs))]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def write_data(path, rows):
    """For gnuplot: name, and of wall, CPU and memory the median, least, most"""
    with open(path, "w", encoding="utf-8") as f:
        for name, costs in rows.items():
            values = [v for column in list(zip(*costs))[:3] for v in
                      (statistics.median(column), min(column), max(column))]
            print(f'"{name}"', *values, file=f)


def load():
    return ", ".join(f"{x:.1f}" for x in os.getloadavg())


def machine():
    """One line: where and under which load the figures were taken"""
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        m = re.search(r"^model name\s*: (.*)$", f.read(), re.MULTILINE)
    forced = "force_tcg" in os.environ.get("LIBGUESTFS_BACKEND_SETTINGS", "")
    kvm = "no KVM" if forced or not os.access("/dev/kvm", os.W_OK) else "KVM"
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return (f"{os.cpu_count()} processors ({m[1] if m else os.uname().machine}), "
            f"{pages / 1e9:.0f} GB, {kvm}, Linux {os.uname().release}, "
            f"load {load()}")
