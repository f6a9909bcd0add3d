#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""random-edits.py HIVE-TOOL WORK [--seed N] [--rounds N] [--only NAME]: an edit does what it says and nothing else.

Random edits are carried out by hive-tool on each of our own hives and, with
V2V_SHARED, on real ones (the dirty ones after a replay of their logs), and by a
few lines of Python on what was read before.  Then three readers that share no
code with hivex must see just that: every other key, value, type, datum, class
name, security descriptor and time as it was; the edits; the rest of the base
block as it was.

    hive_cells.py   the cells themselves: also order and hashes of lists,
                    numbers of users of security cells
    libregf         names, classes, times, values, data
    reglookup       names, times, owners and access lists, values

What must be refused is: the error says why, and there is no output.
"""
import argparse
import collections
import copy
import importlib.util
import multiprocessing
import os
import random
import shutil
import struct
import subprocess
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
FIXTURES = os.path.join(HERE, "..", "..", "fixtures")
sys.path[:0] = [HERE, FIXTURES]
import hive_cells
import regf

LONGEST = 16344              # REG_VALUE_MAX
MULTI_SZ = 7
EDITS = 60                   # in one round
FAULTS_SHOWN = 10


# ---- readers: a hive's file -> {path: Key}, paths of upper-case names
def upper(path):
    return tuple(hive_cells.upper(part) for part in path)


def read_libregf(path):
    import pyregf
    hive, found = pyregf.file(), {}
    hive.open(path)

    def walk(source, where):
        key = hive_cells.Key()
        key.name, key.class_name = source.name, source.class_name
        key.time = source.get_last_written_time_as_integer()
        key.values = {}
        for value in source.values:
            name = value.name or ""
            key.values[hive_cells.upper(name)] = (name, value.type, value.data)
        found[where] = key
        for child in source.sub_keys:
            walk(child, where + upper((child.name,)))

    walk(hive.root_key, ())
    hive.close()
    return found


def libregf_shows(kind, data):
    """Its version 20201007 reads one to three bytes that stand in the value's
    cell from the wrong place, and cuts or fills strings, in Windows' own hives
    too."""
    if len(data) < 4 or kind not in (1, 2):
        return len(data) >= 4
    text = data.decode("utf-16-le", "replace")
    return len(data) % 2 == 0 and text.find("\0") == len(text) - 1


def read_reglookup(path):
    """lines, each with how often it comes"""
    done = subprocess.run(["reglookup", "-s", path], check=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return collections.Counter(done.stdout.decode("latin-1").splitlines()[1:])


# ---- the model
Edit = collections.namedtuple("Edit", "op key name type data")


def ascii_lower(text):
    return "".join(c.lower() if c < "\x80" else c for c in text)


def split_list(data):
    out, at = [], 0
    text = data[:len(data) & ~1].decode("utf-16-le")
    for part in text.split("\0"):
        if not part:
            break
        out.append(part)
    return out


def join_list(items):
    return "".join(i + "\0" for i in items).encode("utf-16-le") + b"\0\0"


def appended(old, new):
    items = split_list(old)
    for item in split_list(new):
        if ascii_lower(item) not in map(ascii_lower, items):
            items.append(item)
    return join_list(items)


def make_keys(keys, path):
    for depth in range(1, len(path) + 1):
        where = upper(path[:depth])
        if where in keys:
            continue
        above = keys[where[:-1]]
        key = hive_cells.Key()
        # a new key is as old as its parent, and as safe
        key.name, key.time, key.security = path[depth - 1], above.time, \
            above.security
        key.kind, key.class_name, key.values = hive_cells.ASCII_KEY, None, {}
        key.lists = set()
        keys[where] = key


def carry_out(keys, edit):
    where = upper(edit.key)
    if edit.op == "delete":
        for path in [p for p in keys if p[:len(where)] == where]:
            del keys[path]
        return
    make_keys(keys, edit.key)
    if edit.op == "key":
        return
    # never changed in place: the reader's own stays as it was
    key = keys[where] = copy.copy(keys[where])
    key.values = dict(key.values)
    name = hive_cells.upper(edit.name)
    old = key.values.get(name)
    data = edit.data
    if edit.op == "default" and old:
        return
    if edit.op == "append":
        data = appended(old[2] if old else b"", data)
    key.values[name] = (old[0] if old else edit.name, edit.type, data)


# ---- edits
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
ODD = "_-.&#{}()[]^`~!@$%+=;', /:*?\"<>|"
WIDE = "\u00e4\u00fc\u00c9\u0416\u20ac\u65e5"


def plain(text):
    return all(" " <= c < "\x7f" for c in text)


class Maker:
    """Edits that may be carried out; it keeps the model of what comes out."""

    def __init__(self, rng, keys):
        self.rng, self.keys, self.paths = rng, dict(keys), list(keys)
        self.edits = []
        # how many keys lie below each, itself included
        self.below = collections.Counter(
            p[:n] for p in keys for n in range(len(p) + 1))

    def word(self, longest, more=ODD):
        length = min(int(self.rng.expovariate(0.1)) + 1, longest)
        return "".join(self.rng.choice(LETTERS + more) for _ in range(length))

    def mixed_case(self, text):
        if self.rng.random() < 0.7:
            return text
        return "".join(c.swapcase() if plain(c) and self.rng.random() < 0.5
                       else c for c in text)

    def spelling(self, where):
        """upper-case names -> as the hive has them, or nearly"""
        return tuple(self.mixed_case(self.keys[where[:n + 1]].name)
                     for n in range(len(where)))

    def fits(self, where):
        """may values of this key be set? (see REG_VALUE_MAX)"""
        return all(len(v[2]) <= LONGEST for v in self.keys[where].values.values())

    def pick(self, wanted=lambda where: True):
        for _ in range(200):
            where = self.rng.choice(self.paths)
            if where in self.keys and all(map(plain, where)) and wanted(where):
                return where
        return None

    def data(self):
        rng = self.rng
        kind = rng.random()
        length = rng.choice((0, 1, 2, 3, 4, 5, 7, 8, 9)) if kind < 0.4 else \
            rng.randrange(2000) if kind < 0.95 else \
            LONGEST - rng.randrange(3)
        return rng.randbytes(length)

    def type(self):
        return self.rng.choice((0, 1, 2, 3, 4, 7, 11, 0xFFFF0012, 0x200000,
                                self.rng.getrandbits(32)))

    def items(self):
        more = WIDE if self.rng.random() < 0.2 else ""
        return [self.word(30, more) for _ in range(self.rng.randrange(1, 5))]

    def value_name(self, where):
        """of one that there is, or a new one"""
        names = [v[0] for v in self.keys[where].values.values() if plain(v[0])] \
            if where in self.keys else []
        if names and self.rng.random() < 0.4:
            return self.mixed_case(self.rng.choice(names))
        if self.rng.random() < 0.1:
            return ""
        return self.word(40)

    def new_path(self, where):
        below = tuple(self.word(30).strip(" ") or "x"
                      for _ in range(self.rng.choice((1, 1, 1, 2, 5))))
        path = self.spelling(where) + below
        return None if len(path) > 30 else path

    # each makes one edit, or None
    def key(self):
        where = self.pick()
        path = self.new_path(where) if where is not None else None
        return path and Edit("key", path, "", 0, b"")

    def value(self, op):
        where = self.pick(lambda w: w and self.fits(w))
        if where is None:
            return None
        path = self.new_path(where) if self.rng.random() < 0.25 else \
            self.spelling(where)
        return path and Edit(op, path, self.value_name(upper(path)),
                             self.type(), self.data())

    def set(self):
        return self.value("set")

    def default(self):
        return self.value("default")

    def append(self):
        lists = [(w, v[0]) for w in self.pick_many(400) if self.fits(w)
                 for v in self.keys[w].values.values()
                 if v[1] == MULTI_SZ and plain(v[0]) and self.is_list(v[2])]
        if lists and self.rng.random() < 0.7:
            where, name = self.rng.choice(lists)
            path, old = self.spelling(where), \
                self.keys[where].values[hive_cells.upper(name)][2]
        else:
            edit = self.value("append")
            if edit is None or hive_cells.upper(edit.name) in getattr(
                    self.keys.get(upper(edit.key)), "values", {}):
                return None
            path, name, old = edit.key, edit.name, b""
        data = join_list(self.items())
        if len(appended(old, data)) > LONGEST:
            return None
        return Edit("append", path, name, MULTI_SZ, data)

    def is_list(self, data):
        try:
            return not any(map(ord, data[:len(data) & ~1].decode(
                "utf-16-le").partition("\0\0")[2]))
        except UnicodeDecodeError:
            return False

    def pick_many(self, count):
        return [w for w in (self.pick(bool) for _ in range(count)) if w]

    def delete(self):
        where = self.pick(self.may_go)
        return where and Edit("delete", self.spelling(where), "", 0, b"")

    def may_go(self, where):
        """hivex knows no way to delete what an "li" list names"""
        return where and self.below[where] < 100 and \
            b"li" not in self.keys[where[:-1]].lists

    def run(self, count):
        kinds = [self.set] * 8 + [self.default] * 3 + [self.append] * 4 + \
            [self.key] * 3 + [self.delete] * 2
        while len(self.edits) < count:
            edit = self.rng.choice(kinds)()
            if edit is not None:
                self.add(edit)

    def add(self, edit):
        self.edits.append(edit)
        carry_out(self.keys, edit)
        where = upper(edit.key)
        if edit.op == "delete":
            self.below[where] = 0
        # new keys are places, too
        self.paths += [where[:n] for n in range(1, len(where) + 1)] * (
            len(self.paths) // 1000 + 1)

    def empty_a_key(self):
        """delete all sub-keys of a key, one by one, then make one anew"""
        for above in self.pick_many(50):
            if self.below[above] > 100:
                continue
            below = [p for p in self.keys if p[:-1] == above and p]
            if 0 < len(below) < 20 and all(map(plain, sum(below, ()))) and \
                    all(map(self.may_go, below)):
                for where in below:
                    self.add(Edit("delete", self.spelling(where), "", 0, b""))
                self.add(Edit("key", self.spelling(above) + ("anew",), "", 0,
                              b""))
                return

    def fill_a_key(self):
        """one key gets many values and many sub-keys"""
        path = None
        while path is None:
            path = self.new_path(self.pick() or ())
        for n in range(40):
            self.add(Edit("set", path, f"value {n}", self.type(), self.data()))
            self.add(Edit("key", path + (f"{self.word(10)}{n}",), "", 0, b""))


def write_edits(edits, path):
    with open(path, "w", encoding="utf-8") as f:
        for e in edits:
            f.write("\t".join((e.op, "\\".join(e.key), e.name, str(e.type),
                               e.data.hex())) + "\n")


# ---- comparing
def compare(reader, wanted, have, of_key, of_value):
    """@of_key, @of_value: what this reader tells of one, to be equal"""
    for where in wanted.keys() | have.keys():
        a, b = wanted.get(where), have.get(where)
        name = reader + ": " + "\\".join(where)
        if a is None or b is None:
            yield f"{name}: {'added' if a is None else 'lost'}"
            continue
        if of_key(a) != of_key(b):
            yield f"{name}: {of_key(b)}, and should be {of_key(a)}"
        if list(a.values) != list(b.values):
            yield f"{name}: {list(b.values)}, and should be {list(a.values)}"
            continue
        for value in a.values:
            x = of_value(a.values[value])
            y = of_value(b.values[value], a.values[value])
            if x != y:
                yield f"{name}: value {y!r:.80}, and should be {x!r:.80}"


def compare_cells(wanted, have):
    return compare("cells", wanted, have,
                   lambda k: (k.name, k.time, k.kind, k.class_name, k.security),
                   lambda v, _=None: v)


def compare_libregf(wanted, have):
    def of_key(key):
        name = key.class_name
        if isinstance(name, bytes):
            name = name.decode("utf-16-le").rstrip("\0")
        return key.name, key.time, name or None

    def of_value(value, model=None):
        name, kind, data = value
        _, model_kind, model_data = model or value
        return (name, kind,
                data if libregf_shows(model_kind, model_data) else None)

    return compare("libregf", wanted, have, of_key, of_value)


def quote(text):
    """as reglookup writes names"""
    return "".join(c if " " <= c < "\x7f" and c not in "%/,\"" else
                   f"%{ord(c):02X}" for c in text)


def compare_lines(before, after, edits):
    """What differs lies in what the edits name."""
    places, values = set(), set()
    for edit in edits:
        path = ""
        for part in edit.key:
            path += "/" + quote(part).upper()
            places.add(path)
        values.add(path + "/" + quote(edit.name).upper())
    gone = tuple("/" + "/".join(quote(p).upper() for p in e.key)
                 for e in edits if e.op == "delete")
    for line in (before - after) + (after - before):
        path, kind = line.split(",")[:2]
        path = path.upper()
        if path in (places if kind == "KEY" else values) or \
                any(path == g or path.startswith(g + "/") for g in gone):
            continue
        yield f"reglookup: {line:.200}: only {'before' if line in before else 'after'}"


def check_presence(after, keys, edits):
    """reglookup sees what there should be, by name, and how often"""
    seen = collections.Counter()
    for line, count in after.items():
        path, kind = line.split(",")[:2]
        seen[path.upper(), kind == "KEY"] += count
    for edit in edits:
        where = upper(edit.key)
        path = "/" + "/".join(quote(p).upper() for p in where)
        if seen[path, True] != (where in keys):
            yield f"reglookup: {path}: {seen[path, True]} keys"
        if edit.op in ("key", "delete") or where not in keys:
            continue
        path += "/" + quote(edit.name).upper()
        wanted = hive_cells.upper(edit.name) in keys[where].values
        if seen[path, False] != wanted:
            yield f"reglookup: {path}: {seen[path, False]} values"
    total = sum(1 + len(k.values) for k in keys.values())
    if sum(after.values()) != total:
        yield f"reglookup: {sum(after.values())} entries, not {total}"


def check_base(before, after, newest_log):
    """Only sequence numbers, length and checksum differ; a free field is one
    that hivex does not know."""
    changed = {4, 5, 6, 7, 8, 9, 10, 11, *range(40, 44), *range(508, 512)}
    for at in range(hive_cells.PAGE):
        if at not in changed and before.file[at] != after.file[at]:
            yield f"base block: byte {at:#x} differs"
    if after.seq1 != after.seq2 or after.seq1 <= max(before.seq1, before.seq2,
                                                     newest_log):
        yield (f"base block: sequence {after.seq1}/{after.seq2} after "
               f"{before.seq1}/{before.seq2}, logs {newest_log}")
    if after.checksum != after.right_checksum:
        yield "base block: wrong checksum"
    if len(after.file) < hive_cells.PAGE + after.length:
        yield "the file is too short"


# ---- what must be refused
def refusals(rng, cells):
    """(edits, what the error says)"""
    maker = Maker(rng, cells.keys)
    where = maker.pick(lambda w: w and maker.fits(w))
    path = maker.spelling(where) if where else ("new",)
    long = rng.randbytes(LONGEST + 1 + rng.randrange(50000))
    yield Edit("set", path, "long", 3, long), "longer than 16344"
    yield Edit("default", path + ("new",), "long", 3, long), "longer than 16344"
    yield (Edit("append", path, "a new list", MULTI_SZ,
                join_list(["x" * 9000])), "longer than 16344")
    yield Edit("key", path + ("caf\u00e9",), "", 0, b""), "not ASCII"
    lists = maker.pick(lambda w: w and b"li" in cells.keys[w[:-1]].lists)
    if lists:
        yield (Edit("delete", maker.spelling(lists), "", 0, b""),
               "cannot delete the key")
    held = [w for w in cells.keys if w and not maker.fits(w)
            and all(map(plain, w))]
    for where in rng.sample(held, min(2, len(held))):
        yield (Edit("set", maker.spelling(where), "x", 3, b"x"),
               "cannot be edited")


def check_refusals(tool, path, rng, cells, work):
    count = 0
    for edit, reason in refusals(rng, cells):
        listing, out = work + ".refused", work + ".none"
        write_edits([edit], listing)
        done = subprocess.run([tool, "edit", path, listing, out],
                              stderr=subprocess.PIPE)
        text = done.stderr.decode()
        if done.returncode in (0, 2) or reason not in text or \
                edit.key[-1] not in text or os.path.exists(out):
            yield f"not refused as it should be: {edit!r:.200}: {text}"
        count += 1
    if count < 4:
        yield f"only {count} refusals were tried"


# ---- one hive
def one_round(tool, name, path, newest_log, seed, work):
    """-> (line to print, faults)"""
    rng = random.Random(f"{seed} {name}")
    cells, lines = hive_cells.Hive(path), read_reglookup(path)
    if any(compare_libregf(cells.keys, read_libregf(path))):
        return name, ["the readers do not agree on the original"]
    maker = Maker(rng, cells.keys)
    maker.run(EDITS)
    maker.empty_a_key()
    maker.fill_a_key()
    edits, listing, out = maker.edits, work + ".edits", work + ".out"
    write_edits(edits, listing)
    done = subprocess.run([tool, "edit", path, listing, out],
                          stderr=subprocess.PIPE)
    if done.returncode != 0:
        return name, [f"exit status {done.returncode}: {done.stderr.decode()}"]
    after, after_lines = hive_cells.Hive(out), read_reglookup(out)
    faults = list(compare_cells(maker.keys, after.keys))
    faults += compare_libregf(maker.keys, read_libregf(out))
    faults += compare_lines(lines, after_lines, edits)
    faults += check_presence(after_lines, maker.keys, edits)
    faults += check_base(cells, after, newest_log)
    faults += set(after.wrong) - set(cells.wrong)
    faults += check_refusals(tool, path, rng, cells, work)
    grown = len(after.file) - len(cells.file)
    return (f"{name}: {len(edits)} edits, {len(maker.keys)} keys, "
            f"{sum(len(k.values) for k in maker.keys.values())} values compared, "
            f"grew by {grown >> 10} KiB"), faults


def job(args):
    start = time.monotonic()
    try:
        line, faults = one_round(*args)
    except (ValueError, LookupError, OSError, struct.error,
            subprocess.CalledProcessError) as e:
        line, faults = args[1], [f"a reader failed: {e!r}"]
    return f"{line}, {time.monotonic() - start:.1f} s", faults


# ---- hives
def our_hives(work):
    """(name, path, 0)"""
    for version in "winxp", "win7", "win10", "2k25":
        folder = os.path.join(work, version)
        subprocess.run([os.path.join(FIXTURES, "mkguest"), "--hives",
                        "--version", version, folder], check=True)
        for hive in sorted(os.listdir(folder)):
            yield f"{version} {hive}", os.path.join(folder, hive), 0
    root = regf.Key("ROOT")
    for text in os.path.join(FIXTURES, "registry", "BCD.reg"), \
            os.path.join(HERE, "long.reg"):
        regf.load_reg(text, root, {"TESTSIGNING": "01", "LOADER": "exe",
                                   "DEVICE": "00"})
    path = os.path.join(work, "our-BCD")
    with open(path, "wb") as f:
        f.write(regf.write_hive(root, "BCD"))
    yield "BCD with long values", path, 0


def unpack(source, path):
    """False, with an empty file, when there is none"""
    with open(path, "wb") as f:
        if os.path.exists(source + ".xz"):
            subprocess.run(["xz", "-dc", source + ".xz"], stdout=f, check=True)
        elif os.path.exists(source):
            with open(source, "rb") as s:
                shutil.copyfileobj(s, f)
        else:
            return False
    return True


def newest(log):
    """the greatest sequence number in a log"""
    with open(log, "rb") as f:
        data = f.read()
    if len(data) < 512:
        return 0
    found, at = struct.unpack_from("<I", data, 4)[0], 512
    while data[at:at + 4] == b"HvLE":
        size, _, sequence = struct.unpack_from("<III", data, at + 4)
        found, at = max(found, sequence), at + size
    return found


REAL = ("win10-1709-clean/SYSTEM", "win10-1709-dirty/SYSTEM", "win7-x64/SYSTEM",
        "win7-x86/SYSTEM", "win81-dirty-nologs/SYSTEM", "minimal", "BCD",
        "logs/old-dirty/OldDirtyHive", "logs/old-dirty/RecoveredHive_Windows7",
        "logs/new-dirty/NewDirtyHive", "logs/new-dirty/RecoveredHive_Windows10",
        "logs/ntuser-tx/NTUSER.DAT", "logs/usrclass/UsrClass.dat")


def real_hives(tool, data, work):
    """(name, path, newest sequence number of its logs)"""
    for name in REAL:
        path = os.path.join(work, name.replace("/", "-"))
        if not unpack(os.path.join(data, name), path):
            raise SystemExit(f"{data}/{name} is not there")
        logs = [path + ".LOG1", path + ".LOG2"]
        found = [unpack(os.path.join(data, name + suffix), log)
                 for suffix, log in zip((".LOG1", ".LOG2"), logs)]
        if any(found):
            subprocess.run([tool, "replay", path, *logs, path + ".replayed"],
                           check=True)
            path += ".replayed"
            name += ", replayed"
        yield name, path, max(map(newest, logs))


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("tool")
    ap.add_argument("work")
    ap.add_argument("--seed", type=int, default=20250101)
    ap.add_argument("--rounds", type=int, default=1)
    ap.add_argument("--only", default="", metavar="NAME")
    args = ap.parse_args()
    if importlib.util.find_spec("pyregf") is None or \
            not shutil.which("reglookup"):
        print("skipped: python3-libregf or reglookup is not installed")
        return 77
    shutil.rmtree(args.work, ignore_errors=True)
    os.makedirs(args.work)
    hives = list(our_hives(args.work))
    data = os.path.join(os.environ.get("V2V_SHARED", "/nonexistent"), "data",
                        "hives")
    if os.path.isdir(data):
        hives += real_hives(args.tool, data, args.work)
    else:
        print("our own hives only: no real ones (V2V_SHARED)")
    print(f"--seed {args.seed} --rounds {args.rounds}")
    jobs = [(args.tool, name, path, log, args.seed + n,
             os.path.join(args.work, f"{i}-{n}"))
            for n in range(args.rounds)
            for i, (name, path, log) in enumerate(hives) if args.only in name]
    bad = 0
    with multiprocessing.Pool(2) as pool:
        for line, faults in pool.imap(job, jobs):
            print(line)
            for fault in faults[:FAULTS_SHOWN]:
                print("   ", fault)
            bad += bool(faults)
    print(f"{len(jobs)} hives, {bad} with faults, --seed {args.seed}")
    return 1 if bad or not jobs else 0


if __name__ == "__main__":
    sys.exit(main())
