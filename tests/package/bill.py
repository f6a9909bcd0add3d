#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""bill.py BILL.spdx.json FOLDER [LIBRARY...]: is it SPDX 2.3, and true of FOLDER?

Rules by their clause of the specification; hashes are those of sha256sum and
sha1sum.  Each LIBRARY has to be among the linked packages.
"""
import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

bill, folder, libraries = sys.argv[1], Path(sys.argv[2]), set(sys.argv[3:])
doc = json.loads(Path(bill).read_text())
main, *linked = doc["packages"]
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
PURL = r"pkg:deb/debian/[a-z0-9.+-]+@[^@ +]+\?arch=\w+"


def check(clause, is_so, what):
    if not is_so:
        sys.exit(f"{bill}: SPDX 2.3, {clause}: {what}")


def sums(tool, paths):
    out = subprocess.run([tool, "-z", *paths], check=True, cwd=folder,
                         stdout=subprocess.PIPE, text=True).stdout
    lines = (line.split("  ", 1) for line in out.split("\0") if line)
    return {name: value for value, name in lines}


check("6.1", doc["spdxVersion"] == "SPDX-2.3", "version")
check("6.2", doc["dataLicense"] == "CC0-1.0", "licence of the data")
check("6.5", re.fullmatch(r"https://[^\s#]+", doc["documentNamespace"]),
      "namespace")
check("6.8", re.match("(Tool|Person|Organization): ",
                      doc["creationInfo"]["creators"][0]), "creator")
check("6.9", re.fullmatch(TIME, doc["creationInfo"]["created"]), "time")

entries = [doc, *doc["packages"], *doc["files"]]
ids = [entry["SPDXID"] for entry in entries]
check("7.2, 8.2", len(ids) == len(set(ids)), "an identifier twice")
for name in ids:
    check("7.2, 8.2", re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", name), name)
for package in doc["packages"]:
    for field in "name", "versionInfo", "downloadLocation":
        check("7", package[field], f"{package['SPDXID']} has no {field}")
for package in linked:
    purl = package["externalRefs"][0]["referenceLocator"]
    check("7.21", re.fullmatch(PURL, purl), purl)
for link in doc["relationships"]:
    for end in "spdxElementId", "relatedSpdxElement":
        check("11.1", link[end] in ids, f"{link[end]} is nowhere")
kinds = [link["relationshipType"] for link in doc["relationships"]]
check("11.1", kinds.count("DESCRIBES") == 1, "what it describes")
check("11.1", kinds.count("CONTAINS") == len(doc["files"]), "files contained")
check("11.1", kinds.count("DYNAMIC_LINK") == len(linked), "packages linked")

# the folder may hold the bill itself, which cannot hold its own hash
there = {f"./{p.relative_to(folder)}" for p in folder.rglob("*")
         if p.is_file() and not p.is_symlink() and p.name != Path(bill).name}
said = {f["fileName"]: f for f in doc["files"]}
check("8.1", set(said) == there, f"files: {sorted(set(said) ^ there)}")
hashes = {"SHA1": sums("sha1sum", said), "SHA256": sums("sha256sum", said)}
for name, entry in said.items():
    for given in entry["checksums"]:
        check("8.4", given["checksumValue"] == hashes[given["algorithm"]][name],
              f"{given['algorithm']} of {name}")
joined = "".join(sorted(hashes["SHA1"].values())).encode()
check("7.9", main["packageVerificationCode"]["packageVerificationCodeValue"] ==
      hashlib.sha1(joined).hexdigest(), "package verification code")
names = {package["name"] for package in linked}
check("7.1", libraries <= names, f"not linked: {sorted(libraries - names)}")
