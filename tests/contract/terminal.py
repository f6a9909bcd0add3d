#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""terminal.py PROGRAM TRANSACTION-TOOL

On a terminal of ours: the progress line (there, not too often, as wide as the
terminal at most, gone at the end), and colours; and neither where they are not
wanted.  What "undo" of a random change says is looked at.
"""
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios
import time

ERASE = "\x1b[K"
COLOR = re.compile(r"\x1b\[[0-9;]*m")
PER_SECOND = 10


class Screen:
    """One line of a terminal: what a carriage return, CSI K and colours do."""

    def __init__(self, columns):
        self.columns, self.lines, self.line, self.at, self.widest = columns, [], "", 0, 0

    def feed(self, text):
        for part in re.split(r"(\r|\n|\x1b\[K)", COLOR.sub("", text)):
            if part == "\r":
                self.at = 0
            elif part == "\n":
                self.lines.append(self.line)
                self.line, self.at = "", 0
            elif part == ERASE:
                self.line = self.line[:self.at]
            else:
                self.line = self.line[:self.at] + part + self.line[self.at + len(part):]
                self.at += len(part)
                self.widest = max(self.widest, self.at)


class Terminal:
    def __init__(self, columns=80):
        self.master, self.slave = pty.openpty()
        self.columns = columns
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

    def run(self, *argv, env=(), stdout=None):
        """All that appears, and the seconds that it took."""
        start = time.monotonic()
        with subprocess.Popen(argv, stdin=self.slave, stdout=stdout or self.slave,
                              stderr=self.slave, env={**os.environ, "TERM": "xterm",
                                                      "NO_COLOR": "", **dict(env)}) as process:
            os.close(self.slave)
            text = b""
            while True:
                try:
                    part = os.read(self.master, 4096)
                except OSError:  # EIO: nobody has the other end
                    break
                if not part:
                    break
                text += part
            process.wait()
        os.close(self.master)
        self.status = process.returncode
        return text.decode(), time.monotonic() - start


class Tests:
    def __init__(self, program, tool):
        self.program, self.tool, self.seed = program, tool, 0
        self.count = self.failed = 0

    def check(self, name, ok, seen=""):
        self.count += 1
        if not ok:
            self.failed += 1
            print(f"FAIL: {name}: {seen!r}")

    def change(self):
        """Another change of vm.img, which the next undo takes back."""
        self.seed += 1
        subprocess.run([self.tool, "vm.img", str(self.seed)], check=True, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL)

    def undo(self, *options, columns=80, **how):
        self.change()
        terminal = Terminal(columns)
        text, seconds = terminal.run(self.program, "undo", "vm.img", *options, **how)
        self.check(f"undo {options}", terminal.status == 0, text)
        return text, seconds


def progress(tests):
    for columns in (80, 40, 30):
        text, seconds = tests.undo(columns=columns)
        drawings = text.count(ERASE)
        screen = Screen(columns)
        screen.feed(text)
        tests.check(f"{columns} columns: it is drawn", drawings >= 2, text)
        tests.check(f"{columns} columns: and not too often",
                    drawings <= 2 * PER_SECOND * seconds + 6, (drawings, seconds))
        tests.check(f"{columns} columns: it does not break the line",
                    max(len(line) for line in re.findall(r"\r(\[[^\x1b\n]*)\x1b", text)) < columns, text)
        left = screen.lines + [screen.line]
        tests.check(f"{columns} columns: it is gone at the end",
                    not [line for line in left if re.search(r"[-\\|/%]$", line)] and
                    screen.line == "", left)
        tests.check(f"{columns} columns: steps stay",
                    [line for line in left if re.match(r"\[ +[0-9.]+\] Bringing back", line)], left)
    tests.check("it says what is done", re.search(r"\r\[ *[0-9.]+\] (Checking|Bringing)", text), text)


def no_progress(tests):
    for options, how in [(["-q"], {}), ([], {"env": [("TERM", "dumb")]}),
                         ([], {"env": [("TERM", "")]})]:
        text, _ = tests.undo(*options, **how)
        tests.check(f"no progress line: {options} {how}", ERASE not in text, text)
    tests.change()
    done = subprocess.run([tests.program, "undo", "vm.img"], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, check=False)
    tests.check("none without a terminal", "\x1b" not in done.stdout + done.stderr and
                "\r" not in done.stdout + done.stderr, done.stderr)
    with open("out", "w", encoding="utf-8") as out:
        text, _ = tests.undo("--json", stdout=out)
    tests.check("--json leaves it on standard error", ERASE in text and "{" not in text, text)


def colors(tests):
    red, plain = "\x1b[1;31m", "\x1b[0m"

    def colored(*argv, **how):
        return Terminal().run(tests.program, *argv, **how)[0]

    text = colored("check", "text.img")
    tests.check("a verdict", f"{red}blocks   {plain} image-unreadable" in text, text)
    text = colored("undo", "none.img")
    tests.check("an error", f"v2v-virtio: {red}error:{plain} " in text, text)
    text = colored("undo", "none.img", env=[("NO_COLOR", "1")])
    tests.check("NO_COLOR", not COLOR.search(text), text)
    for option in ("--colors", "--colours"):
        done = subprocess.run([tests.program, "undo", "none.img", option], capture_output=True,
                              text=True, check=False, env={**os.environ, "NO_COLOR": "1"})
        tests.check(option, f"{red}error:{plain}" in done.stderr, done.stderr)
    done = subprocess.run([tests.program, "undo", "none.img"], capture_output=True, text=True,
                          check=False)
    tests.check("none without a terminal", "\x1b" not in done.stderr, done.stderr)


def hostile(tests):
    """A file name is no command to the terminal, also not in the progress line."""
    name = "a\x1b[2Jb\r.img"
    os.rename("vm.img", name)
    subprocess.run([tests.tool, name, "99"], check=True, stdout=subprocess.DEVNULL)
    text = Terminal().run(tests.program, "undo", name)[0]
    tests.check("a name that is an escape sequence", "\x1b[2J" not in text and "b\r" not in text, text)


def main():
    program, tool = map(os.path.abspath, sys.argv[1:3])
    tests = Tests(program, tool)
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        os.chdir(folder)
        with open("text.img", "w", encoding="utf-8") as f:
            f.write("no image\n")
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "vm.img", "64M"], check=True)
        progress(tests)
        no_progress(tests)
        colors(tests)
        hostile(tests)
    print(f"{tests.count} checks, {tests.failed} failed")
    return 1 if tests.failed else 0


if __name__ == "__main__":
    sys.exit(main())
