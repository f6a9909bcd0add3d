#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""report.py PROGRAM WORK [--small]: the CSV and JSON of a batch's reports

They say what the ledger says, to readers that are not ours; also when every
text in it is hostile, and, but for --small, when there are thousands; and the
options.
"""
import csv
import json
import os
import re
import resource
import sqlite3
import sys

sys.dont_write_bytecode = True
import ledgers

sys.path.insert(0, f"{ledgers.TOP}/tests/contract")
import documents

MEMORY_MIB = 100                   # for a ledger of several times that
COUNT = 5000
FORMULA = "=+-@\t\r"
failed = False


def check(name, ok, *why):
    global failed
    failed |= not ok
    print(("ok - " if ok else "not ok - ") + name, *([] if ok else why), flush=True)


def rows_of(db):
    return [dict(row) for row in db.execute("SELECT * FROM report ORDER BY line")]


def read_csv(path):
    with open(path, encoding="utf-8", newline="") as f:
        return list(csv.DictReader(f, strict=True))


def same_csv(name, path, ledger):
    """RFC 4180, and what the ledger says"""
    rows = read_csv(path)
    with open(path, "rb") as f:
        plain = re.sub(rb'"(""|[^"])*"', b"", f.read())
    check(f"{name}: each record of the CSV ends in CRLF, and no line does not",
          plain.count(b"\r\n") == len(ledger) + 1 == plain.count(b"\n") and
          plain.endswith(b"\r\n"))

    def unquoted(text):
        return text[1:] if text[:1] == "'" and text[1:2] in FORMULA else text

    for column in "identity", "state", "code", "message", "host", "backend":
        check(f"{name}: column {column}",
              [unquoted(row[column]) for row in rows] ==
              [row[column] or "" for row in ledger])
    for column in "line", "attempts", "exit_status", "memory_kib":
        check(f"{name}: column {column}", [row[column] for row in rows] ==
              ["" if row[column] is None else str(row[column]) for row in ledger])
    check(f"{name}: no cell is a formula to a spreadsheet",
          not [cell for row in rows for cell in row.values() if cell[:1] in tuple(FORMULA)])


def same_json(name, path, ledger):
    with open(path, encoding="ascii") as f:
        document = json.load(f)
    items = document["items"]
    check(f"{name}: the JSON has the items",
          [(i["line"], i["identity"], i["state"]) for i in items] ==
          [(r["line"], r["identity"], r["state"]) for r in ledger])
    check(f"{name}: their outcomes",
          [(i["outcome"]["code"], i["outcome"]["message"], i["outcome"]["exit_status"])
           for i in items] == [(r["code"], r["message"], r["exit_status"]) for r in ledger])

    def document_of(row):
        try:
            return json.loads(row["result"]) if row["result"] else None
        except ValueError:
            return None

    check(f"{name}: their documents",
          [i["result"] for i in items] == [document_of(r) for r in ledger])
    check(f"{name}: the counts", {k: v for k, v in document["counts"].items() if v} ==
          {s: sum(r["state"] == s for r in ledger) for s in {r["state"] for r in ledger}})
    return document


def valid(name, document):
    schema, validators = "batch-report.json", documents.load()
    wrong = documents.violations(validators, schema, document)
    check(f"{name}: valid by the schema", not wrong, wrong[:3])
    for key in document["items"][0]:
        broken = {**document, "items": [{k: v for k, v in document["items"][0].items()
                                         if k != key}]}
        check(f"{name}: without {key} it is not",
              documents.violations(validators, schema, broken) != [])


def refused(program, why, *words):
    done = ledgers.run(program, "batch", *words, status=[2])
    check(f"refused: {why}", why in done.stderr, done.stderr)


def options(program, work, manifest):
    refused(program, "is a .html, .csv or .json file", manifest, "--report-only",
            "--report", f"{work}/r.txt")
    refused(program, "its folder", manifest, "--report-only", "--report",
            f"{work}/none/r.csv")
    refused(program, "--report-only goes with --report FILE or --json", manifest, "--report-only")
    refused(program, "nobody.csv.ledger", f"{work}/nobody.csv", "--report-only",
            "--report", f"{work}/r.csv")
    with open(f"{work}/other.jsonl", "w", encoding="utf-8") as f:
        f.write('{"image": "none.qcow2"}\n')
    refused(program, "its folder", f"{work}/other.jsonl", "--virtio-iso", "none",
            "--report", f"{work}/none/r.csv")
    check("a report that cannot be written starts nothing",
          not os.path.exists(f"{work}/other.jsonl.ledger"))


def while_it_is_written(program, work, manifest):
    db = sqlite3.connect(f"{manifest}.ledger", isolation_level=None)
    db.execute("BEGIN IMMEDIATE")
    db.execute("UPDATE items SET state = 'running' WHERE line = 1")
    ledgers.report(program, manifest, f"{work}/during.csv")
    db.execute("ROLLBACK")
    db.close()
    check("a ledger that is being written to is reported as it was before",
          read_csv(f"{work}/during.csv")[0]["state"] == "done")


def large(program, work, manifest):
    db = ledgers.many(manifest, f"{work}/large.jsonl", COUNT)
    size = os.path.getsize(f"{work}/large.jsonl.ledger") >> 20
    files = [f"{work}/large.{kind}" for kind in ("csv", "json", "html")]
    ledgers.report(program, f"{work}/large.jsonl", *files)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10
    check(f"{COUNT} items, a ledger of {size} MiB: at most {peak} MiB of memory",
          size > 2 * MEMORY_MIB > 2 * peak)
    same_csv(f"{COUNT} items", files[0], rows_of(db))
    with open(files[1], encoding="ascii") as f:
        lines = [line for line in f if line.startswith('{"line":')]
    check("an item is a line of the JSON", len(lines) == COUNT and
          all(json.loads(line.rstrip(",\n"))["line"] for line in lines[::100]))
    db.close()
    os.unlink(files[1])
    os.unlink(f"{work}/large.jsonl.ledger")


def main():
    program, work = sys.argv[1], sys.argv[2]
    files = [f"{work}/end.{kind}" for kind in ("csv", "json", "html")]
    manifest = ledgers.real(program, work,
                            *(w for name in files for w in ("--report", name)))
    with sqlite3.connect(f"{manifest}.ledger") as db:
        db.row_factory = sqlite3.Row
        rows = rows_of(db)
    db.close()
    same_csv("at the end of the batch", files[0], rows)
    valid("at the end of the batch", same_json("at the end of the batch", files[1], rows))
    check("what to do about what has no finding of its own", all(
        row["advice"] for row in read_csv(files[0]) if row["state"] == "failed"))
    db = ledgers.hostile(manifest, f"{work}/hostile.jsonl")
    rows = rows_of(db)
    files = [f"{work}/hostile.{kind}" for kind in ("csv", "json", "html")]
    ledgers.report(program, f"{work}/hostile.jsonl", *files)
    same_csv("hostile", files[0], rows)
    valid("hostile", same_json("hostile", files[1], rows))
    db.close()
    options(program, work, manifest)
    while_it_is_written(program, work, manifest)
    if "--small" not in sys.argv:
        large(program, work, manifest)
    sys.exit(failed)


main()
