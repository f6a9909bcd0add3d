# SPDX-License-Identifier: GPL-2.0-or-later
"""What kill.py and steps.py share: an image before and after one change, and
the verdict on what a run that was interrupted has left.

The truth is worked out with other means: the same change is done once to a
copy, undisturbed, and raw copies are compared.
"""
import os
import random
import shutil
import subprocess
import tempfile
import time

CHECKED = ("qcow2", "vmdk", "vdi", "vhdx", "qed")  # qemu-img check knows them
OPTIONS = {"vhdx": ["-o", "block_size=1M"]}  # of 16 MiB it would be much data
UNDO = {"vm.img.v2v-undo-1", "vm.img.v2v-undo-1.json", "vm.img.v2v-undo-1.xml"}
OLD_XML = b"<domain>old</domain>\n"


def run(*argv, **options):
    return subprocess.run(argv, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, **options)


def must(*argv, **options):
    done = run(*argv, **options)
    if done.returncode != 0:
        raise SystemExit(f"{argv}: {done.returncode}: {done.stderr}")
    return done.stdout


def parse_arguments(parser):
    """What both are started with."""
    parser.add_argument("program", type=os.path.abspath)
    parser.add_argument("tool", type=os.path.abspath)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    args = parser.parse_args()
    print(f"seed {args.seed}", flush=True)
    return args


def make_folder(name):
    return tempfile.mkdtemp(prefix=f"v2v-{name}-", dir=os.environ.get("TMPDIR", "/var/tmp"))


def copy(source, target):
    """A sparse file stays one."""
    must("cp", "--sparse=always", source, target)


def same_content(image, fmt, raw):
    """What the guest sees of @image is what is in the raw file."""
    done = run("qemu-img", "compare", "-q", "-f", fmt, "-F", "raw", image, raw)
    if done.returncode > 1:
        raise AssertionError(f"{image} cannot be read: {done.stdout}{done.stderr}")
    return done.returncode == 0


def check_image(image, fmt):
    """Its metadata: of no block is the owner in doubt.  Blocks that nobody
    owns only waste space: a kill may leave them."""
    if fmt not in CHECKED:
        return
    done = run("qemu-img", "check", "-q", "-f", fmt, image)
    leaks_only = done.returncode == 3 and fmt in ("qcow2", "qed")
    if done.returncode != 0 and not leaks_only:
        raise AssertionError(f"qemu-img check: {done.returncode}: {done.stdout}{done.stderr}")


def descendants(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as f:
            children = [int(p) for p in f.read().split()]
    except FileNotFoundError:
        return []
    return children + [d for c in children for d in descendants(c)]


def alive(mark):
    """Processes that have @mark, a folder of the test, in their command line."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                line = f.read()
        except OSError:
            continue
        if mark.encode() in line and int(pid) != os.getpid():
            found.append((pid, line.replace(b"\0", b" ").decode("utf-8", "replace")))
    return found


class Guest:
    """An image, and what one change of it by the tool makes of it; the models
    are sparse raw files."""

    def __init__(self, folder, fmt, seed, tool, size):
        self.fmt, self.seed, self.tool = fmt, str(seed), tool
        self.start = f"{folder}/start.img"
        self.models = {"old": f"{folder}/old.raw", "new": f"{folder}/new.raw"}
        os.makedirs(folder, exist_ok=True)
        self.make_start(f"{folder}/noise.raw", random.Random(seed), size)
        model, xml = f"{folder}/model.img", f"{folder}/model.xml"
        copy(self.start, model)
        with open(xml, "wb") as f:
            f.write(OLD_XML)
        must(tool, model, self.seed, "-x", xml)
        self.to_raw(model, "new")
        self.xml = {"old": OLD_XML, "new": open(xml, "rb").read()}
        assert not same_content(model, fmt, self.models["old"])
        for name in os.listdir(folder):
            if name.startswith("model."):
                os.unlink(f"{folder}/{name}")

    def make_start(self, noise, rng, size):
        """Little data and, in @size, much that has yet to be allocated."""
        with open(noise, "wb") as f:
            f.truncate(size)
            for _ in range(12):
                f.seek(rng.randrange(size - 70000))
                f.write(rng.randbytes(rng.randrange(1, 70000)))
            f.seek(510)
            f.write(b"\x55\xaa")
        must("qemu-img", "convert", "-f", "raw", "-O", self.fmt, *OPTIONS.get(self.fmt, []), noise,
             self.start)
        self.to_raw(self.start, "old")
        os.unlink(noise)

    def to_raw(self, image, which):
        must("qemu-img", "convert", "-f", self.fmt, "-O", "raw", image, self.models[which])


class Bench:
    """One image on the work bench, with everything that may be left about it:
    root/vm has the image and its XML, root/tmp is TMPDIR, root/work takes the
    overlay.  With @output it is vm/new.img that is made."""

    unboxed = False  # qemu-nbd without its sandbox

    def __init__(self, root, guest, program, output=False, work_dir=False):
        self.root, self.guest, self.program, self.output = root, guest, program, output
        self.image, self.xml = f"{root}/vm/vm.img", f"{root}/vm/vm.xml"
        self.result = f"{root}/vm/new.img" if output else self.image
        self.env = {**os.environ, "TMPDIR": f"{root}/tmp"}
        self.change = [guest.tool, self.image, guest.seed, "-x", self.xml]
        self.change += ["-o", self.result] if output else []
        self.change += ["-w", f"{root}/work"] if work_dir else []
        self.undo = [program, "undo", self.image]
        self.recover = [program, "recover", self.result]
        if self.unboxed:
            self.change.insert(1, "-s")
            self.undo += ["--sandbox", "off"]
            self.recover += ["--sandbox", "off"]

    def reset(self):
        shutil.rmtree(self.root, ignore_errors=True)
        for name in ("vm", "tmp", "work"):
            os.makedirs(f"{self.root}/{name}")
        copy(self.guest.start, self.image)
        with open(self.xml, "wb") as f:
            f.write(self.guest.xml["old"])

    def settle(self):
        """Recover; children die with their parent, but not in that instant."""
        deadline = time.monotonic() + 20
        done = run(*self.recover, env=self.env)
        while done.returncode == 75 and time.monotonic() < deadline:
            time.sleep(0.02)
            done = run(*self.recover, env=self.env)
        while alive(self.root + "/"):
            if time.monotonic() > deadline:
                raise AssertionError(f"processes left: {alive(self.root + '/')}")
            time.sleep(0.02)
        return done

    def content(self):
        """"old" or "new"; anything else is what this is about."""
        if self.output:
            if not same_content(self.image, self.guest.fmt, self.guest.models["old"]):
                raise AssertionError("the source has changed")
            if not os.path.exists(self.result):
                return "old"
            if same_content(self.result, "qcow2", self.guest.models["new"]):
                return "new"
            raise AssertionError("the new image is not what it was to be")
        for name, model in self.guest.models.items():
            if same_content(self.image, self.guest.fmt, model):
                return name
        raise AssertionError("the image is neither as it was nor changed")

    def check_files(self, state):
        expected = {"vm.img", "vm.xml"}
        if state == "new":
            expected |= {"new.img"} if self.output else UNDO
        names = set(os.listdir(f"{self.root}/vm"))
        if names != expected:
            raise AssertionError(f"{state}: left: {sorted(names - expected)}, "
                                 f"missing: {sorted(expected - names)}")
        for name in ("tmp", "work"):
            if os.listdir(f"{self.root}/{name}"):
                raise AssertionError(f"{state}: left in {name}: {os.listdir(f'{self.root}/{name}')}")

    def whole(self):
        """One state of everything; which one."""
        state = self.content()
        xml = open(self.xml, "rb").read()
        if xml != self.guest.xml[state]:
            raise AssertionError(f"image {state}, XML is not: {xml!r}")
        self.check_files(state)
        fmt = "qcow2" if self.output else self.guest.fmt
        if os.path.exists(self.result):
            check_image(self.result, fmt)
        return state

    def judge(self):
        """After an interrupted run: recover, and see that all is one state and
        that the way back is open.  Which state it was."""
        begun = any(name.startswith(os.path.basename(self.result))
                    for name in os.listdir(f"{self.root}/vm"))
        done = self.settle()
        if done.returncode != (0 if begun else 2):  # 2: there is no such file
            raise AssertionError(f"recover: {done.returncode}: {done.stderr}")
        state = self.whole()
        if state == "new" and not self.output:
            done = run(*self.undo, env=self.env)
            if done.returncode != 0 or self.whole() != "old":
                raise AssertionError(f"undo: {done.returncode}: {done.stderr}")
        return state
