# SPDX-License-Identifier: GPL-2.0-or-later
"""guests.py - guests as trees of files, to be injected, changed and audited

A tree is what fixtures/mkguest --tree makes and tests/tools/tree-guest.h reads:
disk0.raw, and a folder D-N for each volume.  No appliance: milliseconds.
"""
import contextlib
import os
import re
import shutil
import struct
import subprocess

import hivex

STORE = "Windows/System32/DriverStore/FileRepository"
CATROOT = "Windows/System32/CatRoot/{F750E6C3-38EE-11D1-85E5-00C04FC295EE}"
SZ, EXPAND_SZ, BINARY, DWORD, MULTI_SZ = 1, 2, 3, 4, 7


def utf16(*texts, multi=False):
    data = b"".join((t + "\0").encode("utf-16-le") for t in texts)
    return data + (b"\0\0" if multi else b"")


class Hive:
    """A hive that is being changed; keys are paths with backslashes."""

    def __init__(self, path):
        self.h = hivex.Hivex(path, write=True)

    def find(self, key):
        node = self.h.root()
        for name in key.split("\\") if key else []:
            node = node and next(
                (c for c in self.h.node_children(node)
                 if self.h.node_name(c).lower() == name.lower()), None)
        return node

    def need(self, key):
        node = self.find(key)
        if node is None:
            raise KeyError(key)
        return node

    def make(self, key):
        node = self.h.root()
        for name in key.split("\\"):
            child = next((c for c in self.h.node_children(node)
                          if self.h.node_name(c).lower() == name.lower()), None)
            node = child or self.h.node_add_child(node, name)
        return node

    def copy(self, key, to):
        """A key with all below it, as another one."""
        todo = [(self.need(key), self.make(to))]
        while todo:
            old, new = todo.pop()
            self.h.node_set_values(new, [
                dict(zip(("key", "t", "value"),
                         (self.h.value_key(v), *self.h.value_value(v))))
                for v in self.h.node_values(old)])
            todo += [(c, self.h.node_add_child(new, self.h.node_name(c)))
                     for c in self.h.node_children(old)]

    def keys(self, key):
        return [self.h.node_name(c) for c in self.h.node_children(self.need(key))]

    def values(self, key):
        node = self.need(key)
        return {self.h.value_key(v): self.h.value_value(v)
                for v in self.h.node_values(node)}

    def get(self, key, name):
        for value, (_, data) in self.values(key).items():
            if value.lower() == name.lower():
                return data
        raise KeyError(f"{key} {name}")

    def text(self, key, name):
        return self.get(key, name).decode("utf-16-le").split("\0")[0]

    def set(self, key, name, kind, data):
        self.h.node_set_value(self.make(key),
                              {"key": name, "t": kind, "value": data})

    def dword(self, key, name, number):
        self.set(key, name, DWORD, struct.pack("<I", number))

    def sz(self, key, name, text, kind=SZ):
        self.set(key, name, kind, utf16(text))

    def multi(self, key, name, *texts):
        self.set(key, name, MULTI_SZ, utf16(*texts, multi=True))

    def unset(self, key, name):
        """Take a value away, which has to be there."""
        kept = [{"key": v, "t": kind, "value": data}
                for v, (kind, data) in self.values(key).items()
                if v.lower() != name.lower()]
        if len(kept) == len(self.values(key)):
            raise KeyError(f"{key} {name}")
        self.h.node_set_values(self.need(key), kept)

    def drop(self, key):
        """Take a key away, which has to be there."""
        self.h.node_delete_child(self.need(key))


class Guest:
    """A tree."""

    def __init__(self, path):
        self.path = path
        volumes = sorted(n for n in os.listdir(path)
                         if re.fullmatch(r"\d+-\d+", n))
        self.volumes = [f"{path}/{n}" for n in volumes]
        self.system = next(v for v in self.volumes
                           if os.path.exists(f"{v}/Windows/System32/config"))
        self.boot = next((v for v in self.volumes
                          if os.path.exists(f"{v}/EFI") or
                          os.path.exists(f"{v}/Boot")), self.system)

    def file(self, name):
        return f"{self.system}/{name}"

    def hive_path(self, name):
        if name == "BCD":
            return next(p for v in self.volumes
                        for p in (f"{v}/Boot/BCD", f"{v}/EFI/Microsoft/Boot/BCD")
                        if os.path.exists(p))
        return self.file(f"Windows/System32/config/{name}")

    @contextlib.contextmanager
    def hive(self, name="SYSTEM"):
        hive = Hive(self.hive_path(name))
        yield hive
        hive.h.commit(None)

    def package(self, inf):
        """The folder's name in FileRepository of the package with this INF."""
        return next(n for n in sorted(os.listdir(self.file(STORE)))
                    if n.lower().startswith(inf.lower() + "_"))

    def remove(self, name):
        path = self.file(name)
        if os.path.isdir(path):
            shutil.rmtree(path)
        else:
            os.unlink(path)

    def alter(self, name, at=-1):
        """Another byte in a file."""
        with open(self.file(name), "r+b") as f:
            f.seek(at, 2 if at < 0 else 0)
            byte = f.read(1)
            f.seek(at, 2 if at < 0 else 0)
            f.write(bytes([byte[0] ^ 0x55]))

    def truncate(self, name, length=0):
        os.truncate(self.file(name), length)

    def copy(self, path):
        """A tree like this one, with the same disks: nobody writes to those."""
        disks = [n for n in os.listdir(self.path) if n.endswith(".raw")]
        shutil.rmtree(path, ignore_errors=True)
        shutil.copytree(self.path, path, symlinks=True,
                        ignore=shutil.ignore_patterns("*.raw"))
        for disk in disks:
            os.link(f"{self.path}/{disk}", f"{path}/{disk}")
        return Guest(path)


def links(tool, guest, *options):
    """verify's links: [(link, state, code, subject, text)]"""
    run = subprocess.run([tool, "verify", guest.path, *options],
                         capture_output=True, text=True)
    if run.returncode not in (0, 3):
        raise RuntimeError(f"{guest.path}: {run.stderr}")
    rows = [line.split("\t") for line in run.stdout.splitlines()]
    broken = any(row[1] == "broken" for row in rows)
    if broken != (run.returncode == 3):
        raise RuntimeError(f"exit status {run.returncode}: {run.stdout}")
    return rows
