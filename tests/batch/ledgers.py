# SPDX-License-Identifier: GPL-2.0-or-later
"""ledgers.py: ledgers for the tests of reports

real() runs the program on images of fixtures/, so that its documents are what
the program says.  What many() and hostile() make of it is SQL: the same items,
over and over, under other names; or with texts that nothing should make.
"""
import json
import os
import shutil
import sqlite3
import subprocess

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
TAG = "<img src=x onerror=hit=1>&\"'.qcow2"     # a file name may be that
GUESTS = {                                      # name: options of mkguest
    "web.qcow2": ["--gpt", "--version", "2k22"],
    "db.qcow2": ["--version", "2k19"],
    TAG: ["--gpt", "--version", "win11"],
    "laptop.qcow2": ["--hibernated", "--dirty"],
    "tablet.qcow2": ["--fast-startup"],
    "data.qcow2": ["--no-windows"],
    "both.qcow2": ["--two"],
    "old.qcow2": ["--version", "win81"],        # the medium has nothing for it
    "torn.qcow2": ["--corrupt-system"],
}
# Everything that could end a text, or look like another, in HTML, a script,
# JSON, CSV and a terminal.
HOSTILE = ("=cmd|' /C calc'!A0,\"x\"</script><script>hit=1</script>"
           "<!--<b onmouseover=hit=1>--></summary></details></li></ol>"
           "{{items}}&amp;&lt;${hit=1}`'\"\\u003c"
           "\u2028\u2029\u202egnp.exe\u202c\u200b\u0007\u001b[31m\r\n")


def run(*words, status=None, **more):
    done = subprocess.run(words, capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL, **more)
    if status is not None and done.returncode not in status:
        raise SystemExit(f"{words}: exit status {done.returncode}: {done.stderr}")
    return done


def medium(folder):
    run(f"{TOP}/fixtures/mkiso", "-d", f"{folder}/medium", status=[0])
    return f"{folder}/medium"


def real(program, folder, *options):
    """A batch that ran; its manifest"""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    for name, how in GUESTS.items():
        run(f"{TOP}/fixtures/mkguest", *how, f"{folder}/{name}", status=[0])
    with open(f"{folder}/fleet.jsonl", "w", encoding="utf-8") as f:
        for name in [*GUESTS, "web.qcow2", "absent.qcow2"]:
            f.write(json.dumps({"image": name}) + "\n")
    run(program, "batch", f"{folder}/fleet.jsonl", "--virtio-iso", medium(folder),
        "--backend", "direct", *options, status=[2])
    return f"{folder}/fleet.jsonl"


def copy(manifest, to):
    """A ledger of its own, without what a WAL has; a connection to it"""
    if os.path.exists(f"{to}.ledger"):
        os.unlink(f"{to}.ledger")
    with sqlite3.connect(f"{manifest}.ledger") as old:
        old.execute("VACUUM INTO ?", (f"{to}.ledger",))
    old.close()
    db = sqlite3.connect(f"{to}.ledger")
    db.row_factory = sqlite3.Row
    return db


def insert(db, table, row):
    db.execute(f"INSERT INTO {table} ({','.join(row)}) VALUES "
               f"({','.join('?' * len(row))})", list(row.values()))


def many(manifest, to, count):
    """@count items, of which seven of eight are done: copies of the real ones,
    that took longer the higher their number's last digits are"""
    db = copy(manifest, to)
    items = [dict(row) for row in db.execute("SELECT * FROM items")]
    attempts = {row["line"]: dict(row)
                for row in db.execute("SELECT * FROM attempts")}
    done = [item for item in items if item["state"] == "done"]
    db.execute("DELETE FROM items")
    db.execute("DELETE FROM attempts")
    for i in range(count):
        item = (items[i // 8 % len(items)] if i % 8 == 7 else done[i % len(done)])
        line = i + 1
        name = os.path.basename(item["identity"])
        insert(db, "items", {**item, "line": line,
                             "identity": f"/srv/vms/rack{i % 20:02}/{i:05}-{name}"})
        attempt = attempts[item["line"]]
        insert(db, "attempts", {**attempt, "line": line,
                                "seconds": attempt["seconds"] * 1.09 ** (i % 37)})
    db.commit()
    return db


def hostile(manifest, to):
    """Every text of each item is HOSTILE, also the document's names of members
    and codes, and some are not what they should be at all"""
    db = copy(manifest, to)

    def spoil(value, name=None):
        if isinstance(value, dict):
            return {key: spoil(member, key) for key, member in value.items()}
        if isinstance(value, list):
            return [spoil(member) for member in value]
        if isinstance(value, str) and name not in ("severity", "state"):
            return HOSTILE + value
        return value

    for row in db.execute("SELECT line, result FROM items").fetchall():
        document = row["result"] and json.dumps(spoil(json.loads(row["result"])))
        db.execute("UPDATE items SET identity = ? || line, result = ? WHERE line = ?",
                   (HOSTILE, document, row["line"]))
    last = db.execute("SELECT max(line) FROM items").fetchone()[0]
    db.execute("UPDATE items SET result = '{]' WHERE line = ?", (last,))
    db.execute("UPDATE items SET result = '[[\"findings\"]]' WHERE line = ?", (last - 1,))
    db.execute("UPDATE items SET result = ? WHERE line = ?", (last - 2, json.dumps(
        {"findings": [7, {"code": [], "severity": {}, "evidence": None}, "x"],
         "boot_chain": {"code": 1}, "warnings": None, "guest": "Windows"})))
    db.execute("UPDATE attempts SET code = CASE WHEN code IS NULL THEN NULL ELSE ? END,"
               " message = ?, host = ?, backend = ?", (HOSTILE,) * 4)
    db.execute("UPDATE batch SET manifest = ?, options = ?, program = ?",
               ("/" + HOSTILE, json.dumps([HOSTILE]), HOSTILE))
    db.commit()
    return db


def report(program, manifest, *files):
    """Reports of the ledger as it is"""
    words = [word for name in files for word in ("--report", name)]
    run(program, "batch", manifest, "--report-only", *words, status=[0])
