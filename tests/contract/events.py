#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""events.py WRAPPER PROGRAM FIXTURES

--events and --machine-readable: what is told, where, in which order, and that
"done" comes once, whatever ends the run.
"""
import fcntl
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

import documents
import guest

F_SETPIPE_SZ = 1031  # fcntl.F_SETPIPE_SZ, from Python 3.10 on
INJECT = ["inject", "vm.qcow2", "--virtio-iso", "virtio-win.iso"]


class Tests:
    def __init__(self, wrapper, program):
        self.wrapper, self.program = wrapper, program
        self.validators = documents.load()
        self.count = self.failed = 0

    def check(self, name, ok, seen=""):
        self.count += 1
        if not ok:
            self.failed += 1
            print(f"FAIL: {name}: {seen}")

    def run(self, *arguments, program=None, **options):
        return subprocess.run([program or self.wrapper, *arguments], capture_output=True,
                              text=True, stdin=subprocess.DEVNULL, check=False, **options)

    def valid(self, name, text):
        """Lines of ours; all are valid, and "done" is the last and the only one."""
        events = [json.loads(line) for line in text.splitlines()]
        wrong = [why for event in events
                 for why in documents.violations(self.validators, "events.json", event)]
        ends = [n for n, event in enumerate(events) if event["type"] == "done"]
        self.check(name, not wrong and ends == [len(events) - 1], (wrong[:3], ends, text[-300:]))
        return events


def of_type(events, name):
    return [event for event in events if event["type"] == name]


def unique(values):
    """As they come, those that follow themselves once."""
    return [value for n, value in enumerate(values) if n == 0 or values[n - 1] != value]


# --events -----------------------------------------------------------------

def whole_run(tests):
    """An injection, to a file."""
    done = tests.run(*INJECT, "--events", "events", "--json")
    tests.check("inject", done.returncode == 0, done.stderr)
    with open("events", encoding="utf-8") as f:
        events = tests.valid("events of a file", f.read())
    document = json.loads(done.stdout)
    phases = unique([event["phase"] for event in of_type(events, "phase")])
    tests.check("the pipeline's words", phases ==
                ["open", "facts", "drivers", "check", "plan", "verify", "apply", "verify", "commit"],
                phases)
    files = [event["where"] for event in of_type(events, "written") if event["what"] == "file"]
    tests.check("each file", files == [file["path"] for file in document["files"]], files)
    keys = {event["where"] for event in of_type(events, "written") if event["what"] == "key"}
    planned = {f"{edit['hive']}\\{edit['key']}" for edit in document["registry"]}
    tests.check("each key", keys == planned, keys ^ planned)
    codes = [finding["code"] for finding in document["findings"]]
    told = [event["code"] for event in of_type(events, "finding")]
    tests.check("findings and broken links", codes and told[:len(codes)] == codes, told)
    ends = [event for event in of_type(events, "progress") if event["done"] == event["total"]]
    tests.check("progress of the commit", "commit" in [event["phase"] for event in ends], ends)
    times = [event["time"] for event in events]
    tests.check("in the order of time", times == sorted(times))
    tests.check("the end", (events[-1]["status"], events[-1]["code"]) == ("done", None), events[-1])


def to_a_descriptor(tests):
    """Of a check, on a descriptor that is not a standard one; and a failure."""
    read_end, write_end = os.pipe()
    done = tests.run("verify", "vm.qcow2", "--events", f"fd:{write_end}", pass_fds=[write_end])
    os.close(write_end)
    with open(read_end, encoding="utf-8") as f:
        events = tests.valid("events of a descriptor", f.read())
    broken = [event["code"] for event in of_type(events, "finding") if event["severity"] == "broken"]
    tests.check("the broken link", done.returncode == 3 and
                (events[-1]["status"], events[-1]["code"]) == ("broken", broken[0]), events[-1])
    done = tests.run("inject", "text.img", "--virtio-iso", "virtio-win.iso", "--events", "events")
    with open("events", encoding="utf-8") as f:
        events = tests.valid("events of a failure", f.read())
    tests.check("the error", events[-2]["type"] == "error" and events[-2]["code"] ==
                events[-1]["code"] and events[-1]["exit_status"] == 5 and
                events[-2]["text"] in done.stderr, events)


def refused(tests):
    for text, *arguments in [
            ("not open for writing", "--events", "fd:77"),
            ("not open for writing", "--events", "fd:0"),
            ("not a descriptor", "--events", "fd:x"),
            ("No such file or directory", "--events", "none/events"),
            ("is what the run is about", "--events", "./vm.qcow2"),
            ("is what the run is about", "--machine-readable=file:vm.qcow2"),
            ("standard output has the document", "--events", "fd:1", "--json"),
            ("standard output has the report", "--events", "fd:1"),
            ("standard output has the document", "--machine-readable=stream:stdout", "--json"),
            ("standard output has the document", "--machine-readable", "--json"),
            ("it is stdout or stderr", "--machine-readable=stream:none"),
            ("it is file:FILE", "--machine-readable=yes"),
            ("not open for writing", "--machine-readable=fd:77")]:
        done = tests.run("check", "vm.qcow2", *arguments)
        tests.check(arguments, done.returncode == 2 and text in done.stderr and
                    '"type"' not in done.stdout, (done.returncode, done.stdout, done.stderr))
    tests.check("the image is still one", os.path.getsize("vm.qcow2") > 0)
    done = tests.run("check", "vm.qcow2", "--events", "fd:1", "--quiet")
    tests.valid("with --quiet standard output is free", done.stdout)


def reader_gone(tests):
    """It is told once, and nothing ends because of it."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = tests.run("check", "vm.qcow2", "--events", f"fd:{write_end}", "--json",
                     pass_fds=[write_end])
    os.close(write_end)
    codes = [warning["code"] for warning in json.loads(done.stdout)["warnings"]]
    tests.check("a reader that is gone", done.returncode == 0 and codes.count("events-lost") == 1 and
                done.stderr.count("no more events") == 1, (done.returncode, done.stderr))
    done = tests.run("check", "vm.qcow2", "--events", "/dev/full")
    tests.check("a full disk", done.returncode == 0 and "no more events" in done.stderr, done.stderr)
    done = tests.run("xml", "vm.xml", "out.xml", "--events", "fd:50",
                     preexec_fn=lambda: gone_pipe(50), close_fds=False)
    tests.check("of a command without a worker", done.returncode == 0, done.stderr)


def gone_pipe(number):
    read_end, write_end = os.pipe()
    os.dup2(write_end, number)
    os.set_inheritable(number, True)
    os.close(read_end)


# The end of a run that is killed ------------------------------------------

def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
        return [int(child) for child in f.read().split()]


def killed(tests, name, kill, number):
    """In the middle of the events: the pipe is smaller than what they are, and
    nobody reads on until the signal has been sent."""
    read_end, write_end = os.pipe()
    fcntl.fcntl(write_end, F_SETPIPE_SZ, 4096)
    with subprocess.Popen([tests.program, *INJECT, "--json", "--events", f"fd:{write_end}"],
                          pass_fds=[write_end], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          stdin=subprocess.DEVNULL, text=True) as process:
        os.close(write_end)
        with open(read_end, encoding="utf-8") as f:
            line = f.readline()
            while line and '"apply"' not in line:
                line = f.readline()
            kill(process.pid)
            time.sleep(0.2)
            rest = line + f.read()
        said, complained = process.communicate()
    torn = [text for text in rest.splitlines() if not text.endswith("}")]
    events = tests.valid(f"{name}: events", "".join(f"{text}\n" for text in rest.splitlines()
                                                    if text not in torn))
    tests.check(f"{name}: status", process.returncode == -number, process.returncode)
    tests.check(f"{name}: one line at most was cut off", len(torn) <= 1, torn)
    tests.check(f"{name}: the end", (events[-1]["status"], events[-1]["exit_status"]) ==
                ("interrupted", 128 + number), events[-1])
    document = json.loads(said)
    wrong = documents.violations(tests.validators, documents.schema_of(document), document)
    tests.check(f"{name}: the document", not wrong and document["status"] == "interrupted" and
                document["exit_status"] == 128 + number, (wrong, said))
    tests.check(f"{name}: the image", "is as it was" in complained, complained)


# --machine-readable ----------------------------------------------------------

PROGRESS = re.compile("^[0-9]+/[0-9]+$")


def machine(tests, name, lines):
    """Objects as virt-v2v prints them; how many of which type."""
    count = {}
    for line in lines:
        if PROGRESS.match(line):
            kind = "progress"
        else:
            event = json.loads(line)
            kind = event["type"]
            tests.check(f"{name}: {line}", set(event) == {"message", "timestamp", "type"} and
                        kind in ("message", "info", "warning", "error") and
                        re.match(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}\+00:00$",
                                 event["timestamp"]))
        count[kind] = count.get(kind, 0) + 1
    return count


def machine_readable(tests):
    done = tests.run("--machine-readable")
    lines = done.stdout.splitlines()
    tests.check("capabilities", done.returncode == 0 and lines[0] == "v2v-virtio" and
                "command:drivers-explain" in lines, done.stdout)
    tests.run(*INJECT, "--machine-readable=file:machine", "--events", "events")
    with open("machine", encoding="utf-8") as f:
        count = machine(tests, "file", f.read().splitlines())
    with open("events", encoding="utf-8") as f:
        events = tests.valid("both at once", f.read())
    tests.check("the same in both formats",
                count["message"] == len(of_type(events, "phase")) and
                count["progress"] == len(of_type(events, "progress")) and
                count["info"] == len(of_type(events, "finding") + of_type(events, "written")) and
                count["warning"] == len(of_type(events, "warning")), count)
    done = tests.run("undo", "vm.qcow2", "--machine-readable")
    ours = [line for line in done.stdout.splitlines() if line.startswith("{") or PROGRESS.match(line)]
    count = machine(tests, "stdout", ours)
    tests.check("standard output has both, as virt-v2v's", count["message"] > 1 and
                count["progress"] > 0 and "vm.qcow2 is as it was before" in done.stdout, done.stdout)
    done = tests.run("undo", "vm.qcow2", "--machine-readable=stream:stderr")
    lines = [line for line in done.stderr.splitlines() if line.startswith("{")]
    count = machine(tests, "stderr", lines)
    tests.check("an error", count.get("error") == 1, done.stderr)
    read_end, write_end = os.pipe()
    tests.run("check", "vm.qcow2", f"--machine-readable=fd:{write_end}", pass_fds=[write_end])
    os.close(write_end)
    with open(read_end, encoding="utf-8") as f:
        tests.check("a descriptor", machine(tests, "fd", f.read().splitlines())["message"] > 1)


def main():
    wrapper, program, fixtures = map(os.path.abspath, sys.argv[1:4])
    tests = Tests(wrapper, program)
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        guest.make(fixtures, folder)
        guest.need_direct(program)
        with open("text.img", "w", encoding="utf-8") as f:
            f.write("no image\n")
        refused(tests)
        to_a_descriptor(tests)
        reader_gone(tests)
        killed(tests, "SIGTERM", lambda pid: os.kill(pid, signal.SIGTERM), signal.SIGTERM)
        killed(tests, "the worker killed", lambda pid: os.kill(children(pid)[0], signal.SIGKILL),
               signal.SIGKILL)
        whole_run(tests)
        tests.run("undo", "vm.qcow2")
        machine_readable(tests)
    print(f"{tests.count} checks, {tests.failed} failed")
    return 1 if tests.failed else 0


if __name__ == "__main__":
    sys.exit(main())
