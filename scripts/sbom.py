#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""sbom.py FOLDER OUT.spdx.json [--program PATH]: a bill of materials.

Lists the files of FOLDER (a source tree, or a package's files before they are
packed) with hashes and licences, and for the program in it, PATH below FOLDER,
the libraries that it is linked with, each with its Debian package and version.
The licence of a file is what its SPDX line says; the form is SPDX 2.3, JSON
(https://spdx.github.io/spdx-spec/v2.3/).  With SOURCE_DATE_EPOCH set, the same
files give the same bytes.
"""
import argparse
import hashlib
import json
import os
import re
import subprocess
import time
from pathlib import Path

NAME = "v2v-virtio"
LICENCE = "GPL-2.0-or-later"  # of files that do not say their own
TOP = Path(__file__).resolve().parent.parent
HEAD_LEN = 1024               # bytes in which a file's SPDX line is looked for
SPDX_LINE = re.compile(rb"^\W*SPDX-License-Identifier: ([\w.+-]+)\W*$", re.M)
NEEDED = re.compile(r"\(NEEDED\)\s+Shared library: \[(.+)\]")
LOADED = re.compile(r"^\s*(\S+) => (\S+) \(0x", re.M)


def output(*command):
    return subprocess.run(command, check=True, text=True,
                          stdout=subprocess.PIPE).stdout


def version():
    text = (TOP / "CMakeLists.txt").read_text()
    return re.search(r"^project\(\S+ VERSION (\S+)", text, re.M)[1]


# ---- files
def file_entry(folder, path, number):
    data = path.read_bytes()
    said = SPDX_LINE.search(data[:HEAD_LEN])
    own = said[1].decode() if said else None
    return {
        "SPDXID": f"SPDXRef-File-{number}",
        "fileName": f"./{path.relative_to(folder)}",
        "checksums": [
            {"algorithm": name,
             "checksumValue": hashlib.new(name, data).hexdigest()}
            for name in ("SHA1", "SHA256")],
        "licenseConcluded": own or LICENCE,
        "licenseInfoInFiles": [own or "NONE"],
        "copyrightText": "NOASSERTION",
    }


def file_entries(folder):
    paths = sorted(p for p in folder.rglob("*")
                   if p.is_file() and not p.is_symlink())
    return [file_entry(folder, path, number)
            for number, path in enumerate(paths, 1)]


def verification_code(files):
    """SPDX 2.3, clause 7.9: the hash of the sorted hashes."""
    hashes = sorted(f["checksums"][0]["checksumValue"] for f in files)
    return hashlib.sha1("".join(hashes).encode()).hexdigest()


# ---- libraries
def libraries(program):
    """Paths of the libraries that the program itself names."""
    loaded = dict(LOADED.findall(output("ldd", program)))
    return [loaded[name]
            for name in NEEDED.findall(output("readelf", "-d", program))
            if name in loaded]


def debian_package(library):
    """dpkg knows a file by its path before or after /lib went to /usr/lib."""
    for path in library, "/usr" + library, library.removeprefix("/usr"):
        found = subprocess.run(["dpkg-query", "-S", path], text=True,
                               stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL)
        if found.returncode == 0:
            return found.stdout.split(": ")[0]
    raise SystemExit(f"sbom: {library} is of no package that dpkg knows")


def library_entry(package):
    name, source_version, arch = output(
        "dpkg-query", "-W", "-f", "${Package} ${Version} ${Architecture}",
        package).split()
    return {
        "SPDXID": f"SPDXRef-Package-{name}",
        "name": name,
        "versionInfo": source_version,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": "NOASSERTION",
        "copyrightText": "NOASSERTION",
        "primaryPackagePurpose": "LIBRARY",
        "externalRefs": [{
            "referenceCategory": "PACKAGE-MANAGER",
            "referenceType": "purl",
            "referenceLocator": f"pkg:deb/debian/{name}@"
                                f"{source_version.replace('+', '%2B')}"
                                f"?arch={arch}"}],
    }


def library_entries(program):
    if program is None:
        return []
    packages = {debian_package(path) for path in libraries(program)}
    return [library_entry(package) for package in sorted(packages)]


# ---- the document
def main_entry(files, is_source):
    return {
        "SPDXID": f"SPDXRef-Package-{NAME}",
        "name": NAME,
        "versionInfo": version(),
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": True,
        "packageVerificationCode": {
            "packageVerificationCodeValue": verification_code(files)},
        "licenseConcluded": LICENCE,
        "licenseDeclared": LICENCE,
        "licenseInfoFromFiles": sorted(
            {licence for f in files for licence in f["licenseInfoInFiles"]}),
        "copyrightText": "NOASSERTION",
        "primaryPackagePurpose": "SOURCE" if is_source else "APPLICATION",
    }


def relationship(subject, kind, thing):
    return {"spdxElementId": subject, "relationshipType": kind,
            "relatedSpdxElement": thing["SPDXID"]}


def document(files, linked, is_source):
    main = main_entry(files, is_source)
    code = main["packageVerificationCode"]["packageVerificationCodeValue"]
    kind = "source" if is_source else "binary"
    name = f"{NAME}-{version()}-{kind}"
    now = int(os.environ.get("SOURCE_DATE_EPOCH", time.time()))
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": name,
        "documentNamespace": f"https://spdx.org/spdxdocs/{name}-{code}",
        "creationInfo": {
            "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now)),
            "creators": [f"Tool: {NAME}-sbom.py-{version()}"]},
        "packages": [main, *linked],
        "files": files,
        "relationships": [
            relationship("SPDXRef-DOCUMENT", "DESCRIBES", main),
            *(relationship(main["SPDXID"], "CONTAINS", f) for f in files),
            *(relationship(main["SPDXID"], "DYNAMIC_LINK", p)
              for p in linked)],
    }


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    ap.add_argument("folder", type=Path)
    ap.add_argument("out", type=Path)
    ap.add_argument("--program", help="below FOLDER: lists its libraries")
    args = ap.parse_args()
    program = args.folder / args.program if args.program else None
    made = document(file_entries(args.folder), library_entries(program),
                    program is None)
    args.out.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n",
                        encoding="utf-8")


main()
