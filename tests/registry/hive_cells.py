# SPDX-License-Identifier: GPL-2.0-or-later
"""A registry hive's cells, read without a library.

It sees what libraries hide: security cells and how many keys they count, the
lists of sub-keys, their order and hashes, the base block.

Source of the format: M. Suhanov, "Windows registry file format specification";
of the order of keys (by upper-case name): the lists in real hives.
"""
import functools
import struct

NONE = 0xFFFFFFFF
PAGE = 0x1000
INLINE = 0x80000000
SEGMENT = 16344
ASCII_KEY, ASCII_VALUE = 0x20, 0x01


@functools.lru_cache(1 << 16)
def upper(text):
    """One to one, as Windows does it: no letter becomes two."""
    if text.isascii():
        return text.upper()
    return "".join(c.upper() if len(c.upper()) == 1 else c for c in text)


@functools.lru_cache(1 << 16)
def name_hash(name):
    total = 0
    for unit, in struct.iter_unpack("<H", upper(name).encode("utf-16-le",
                                                             "surrogatepass")):
        total = (total * 37 + unit) & NONE
    return total


class Key:
    """path -> one of these; paths are tuples of upper-case names."""
    __slots__ = ("name", "time", "kind", "class_name", "security", "values",
                 "lists")  # the kinds of lists that name the sub-keys


class Hive:
    def __init__(self, path):
        with open(path, "rb") as f:
            self.file = f.read()
        (self.magic, self.seq1, self.seq2, self.written, self.major, self.minor,
         self.type, self.form, self.root, self.length) = struct.unpack_from(
            "<4sIIQIIIIII", self.file)
        self.flags, self.checksum = (struct.unpack_from("<I", self.file, at)[0]
                                     for at in (0x90, 0x1FC))
        total = 0
        for word, in struct.iter_unpack("<I", self.file[:0x1FC]):
            total ^= word
        self.right_checksum = {0: 1, NONE: NONE - 1}.get(total, total)
        self.bins = memoryview(self.file)[PAGE:PAGE + self.length]
        self.wrong = []      # texts: what is not as it should be
        self.keys = {}       # path -> Key
        self.users = {}      # a security cell's offset -> keys that name it
        self.walk_bins()
        self.walk(self.root, (), None)
        self.check_security()

    def complain(self, what):
        self.wrong.append(what)

    # ---- bins and cells
    def walk_bins(self):
        self.cells = {}      # offset -> length of the content; only in use
        at = 0
        while at < self.length:
            magic, offset, length = struct.unpack_from("<4sII", self.bins, at)
            if magic != b"hbin" or offset != at or not length or length % PAGE:
                raise ValueError(f"no bin at {at:#x}")
            cell, end = at + 32, at + length
            while cell < end:
                size, = struct.unpack_from("<i", self.bins, cell)
                if not size or size % 8 or cell + abs(size) > end:
                    raise ValueError(f"no cell at {cell:#x}")
                if size < 0:
                    self.cells[cell] = -size - 4
                cell += abs(size)
            at = end
        if at != self.length:
            raise ValueError("the bins are longer than the base block says")

    def cell(self, offset, tag=None):
        length = self.cells[offset]
        data = self.bins[offset + 4:offset + 4 + length]
        if tag and bytes(data[:2]) != tag:
            raise ValueError(f"{offset:#x}: not {tag}")
        return data

    # ---- keys
    def name(self, raw, ascii_name):
        raw = bytes(raw)
        return raw.decode("latin-1") if ascii_name else \
            raw.decode("utf-16-le", "surrogatepass")

    def walk(self, offset, path, parent):
        data = self.cell(offset, b"nk")
        (flags, time, _, up, count, _, keys, _, value_count, values, security,
         class_at, longest_key, longest_class, longest_value, longest_data, _,
         name_len, class_len) = struct.unpack_from("<HQIIIIIIIIIIIIIIIHH", data,
                                                   2)
        key = Key()
        key.name = self.name(data[76:76 + name_len], flags & ASCII_KEY)
        key.time, key.kind = time, flags
        # the root's name is nobody's business
        where = path + (upper(key.name),) if parent is not None else path
        if parent is not None and up != parent:
            self.complain(f"{where}: another parent")
        key.class_name = bytes(self.cell(class_at)[:class_len]) \
            if class_at != NONE else None
        self.users[security] = self.users.get(security, 0) + 1
        sk = self.cell(security, b"sk") if security != NONE else b""
        key.security = bytes(sk[20:20 + struct.unpack_from("<I", sk, 16)[0]]) \
            if security != NONE else None
        key.values = self.read_values(value_count, values, where, longest_value,
                                      longest_data)
        if where in self.keys:
            self.complain(f"{where}: two keys of this name")
        self.keys[where] = key
        key.lists = set()
        children = self.read_list(keys, where) if count else []
        if len(children) != count:
            self.complain(f"{where}: {len(children)} keys, not {count}")
        self.check_list(offset, children, where, longest_key)

    def read_list(self, offset, where, below=None):
        """[(key, hash)]; the hash is None where there is none"""
        data = self.cell(offset)
        tag, count = struct.unpack_from("<2sH", data)
        self.keys[where].lists.add(tag)
        if tag == b"ri" and below is None:
            parts = [self.read_list(o, where, tag) for o in
                     struct.unpack_from(f"<{count}I", data, 4)]
            return [entry for part in parts for entry in part]
        if count == 0:
            self.complain(f"{where}: an empty list of keys")
        if tag == b"li":
            return [(o, None) for o in struct.unpack_from(f"<{count}I", data, 4)]
        if tag not in (b"lf", b"lh"):
            raise ValueError(f"{where}: no list of keys")
        flat = struct.unpack_from(f"<{2 * count}I", data, 4)
        return [(o, (tag, h)) for o, h in zip(flat[::2], flat[1::2])]

    def check_list(self, parent, children, where, longest):
        before = None
        for offset, hashed in children:
            data = self.cell(offset, b"nk")
            length, = struct.unpack_from("<H", data, 72)
            flags, = struct.unpack_from("<H", data, 2)
            name = self.name(data[76:76 + length], flags & ASCII_KEY)
            order = upper(name).encode("utf-16-be", "surrogatepass")
            if before is not None and order <= before:
                self.complain(f"{where}: {name} is out of order")
            before = order
            if hashed and hashed[0] == b"lh" and hashed[1] != name_hash(name):
                self.complain(f"{where}: {name} has a wrong hash")
            if longest & 0xFFFF < 2 * len(name):
                self.complain(f"{where}: {name} is longer than any")
            self.walk(offset, where, parent)

    # ---- values
    def read_values(self, count, offset, where, longest_name, longest_data):
        """upper-case name -> (name, type, data), in their order"""
        found = {}
        if not count:
            return found
        for at in struct.unpack_from(f"<{count}I", self.cell(offset)):
            data = self.cell(at, b"vk")
            name_len, length, data_at, kind, flags = struct.unpack_from(
                "<HIIIH", data, 2)
            name = self.name(data[20:20 + name_len], flags & ASCII_VALUE)
            if upper(name) in found:
                self.complain(f"{where}: two values {name}")
            content = self.read_data(length, data_at)
            if longest_name < 2 * len(name) or longest_data < len(content):
                self.complain(f"{where}: value {name} is longer than any")
            found[upper(name)] = (name, kind, content)
        return found

    def read_data(self, length, offset):
        if length & INLINE:
            return struct.pack("<I", offset)[:length & 0xFF]
        cell = self.cell(offset)
        # version 1.3 knows no segments, and 1.5 wants them
        if length <= SEGMENT or self.minor < 4:
            if length > len(cell):
                raise ValueError(f"{offset:#x}: data is too short")
            return bytes(cell[:length])
        tag, count, list_at = struct.unpack_from("<2sHI", cell)
        if tag != b"db":
            self.complain(f"{offset:#x}: {length} bytes in one cell")
            return bytes(cell[:length])
        parts = struct.unpack_from(f"<{count}I", self.cell(list_at))
        data = b"".join(bytes(self.cell(p)[:SEGMENT]) for p in parts)
        return data[:length]

    # ---- security cells: a ring, each with its number of users
    def check_security(self):
        ring, at = [], next(iter(self.users))
        while at not in ring and len(ring) <= len(self.cells):
            ring.append(at)
            after, before, users = struct.unpack_from("<III",
                                                      self.cell(at, b"sk"), 4)
            if users != self.users.get(at, 0):
                self.complain(f"security {at:#x} counts {users} keys, not "
                              f"{self.users.get(at, 0)}")
            if struct.unpack_from("<I", self.cell(after, b"sk"), 8)[0] != at:
                self.complain(f"security {at:#x}: the next one does not agree")
            at = after
        for at in self.users.keys() - set(ring):
            self.complain(f"security {at:#x} is not in the ring")
