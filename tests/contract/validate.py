#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""validate.py FOLDER

What wrapper.sh.in has kept of the runs of other tests is valid: each document
against the schema of its command, with the exit status that the program had;
each line of events against theirs, with one "done", at the end, of that status.
"""
import collections
import glob
import json
import signal
import sys

import documents


def parse(text):
    try:
        return json.loads(text), []
    except ValueError as why:
        return None, [f"not one JSON document: {why}: {text[:200]!r}"]


def judge_document(validators, text, status):
    document, wrong = parse(text)
    if document is None:
        return None, wrong
    name = documents.schema_of(document)
    wrong = documents.violations(validators, name, document)
    if document.get("exit_status") != status:
        wrong.append(f"{name}: exit_status {document.get('exit_status')} of {status}")
    return name, wrong


def judge_events(validators, text, status):
    events, wrong = [], []
    for line in text.splitlines():
        event, why = parse(line)
        events.append(event or {})
        wrong += why or documents.violations(validators, "events.json", event)
    ends = [event for event in events if event.get("type") == "done"]
    if len(ends) != 1 or events[-1] is not ends[0] or ends[0]["exit_status"] != status:
        wrong.append(f"events.json: no end, or not one of exit status {status}: {ends}")
    return wrong


def judge_run(validators, path, seen):
    """@path: what the wrapper wrote of a run; the documents lie beside it."""
    with open(path, encoding="utf-8", errors="surrogateescape") as f:
        status, with_json, command_line = f.read().split("\n", 2)
    base, status, wrong = path[:-len(".run")], int(status), []
    if status == 128 + signal.SIGKILL:
        return []  # it had no chance to end its words
    if with_json == "yes":
        with open(base, encoding="utf-8") as f:
            name, wrong = judge_document(validators, f.read(), status)
        seen[name] += 1
    for events in glob.glob(glob.escape(base) + ".events"):
        with open(events, encoding="utf-8") as f:
            wrong += judge_events(validators, f.read(), status)
        seen["events.json"] += 1
    return [f"v2v-virtio {command_line.strip()}: {why}" for why in wrong]


def main():
    validators, seen, wrong = documents.load(), collections.Counter(), []
    runs = sorted(glob.glob(glob.escape(sys.argv[1]) + "/*.run"))
    for path in runs:
        wrong += judge_run(validators, path, seen)
    for name, count in sorted(seen.items(), key=str):
        print(f"{count:5} {name}")
    print(*wrong, sep="\n")
    print(f"{len(runs)} runs, {len(wrong)} violations")
    if not runs:
        print("skipped: no test that was run has made a document")
        return 77
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
