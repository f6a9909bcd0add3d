#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""diagrams.py [--check]: draws doc/*.svg with graphviz' dot

pipeline.svg is pipeline.dot; boot-chain.svg is made from the table of links in
src/verify/codes.c.  --check draws nothing and needs no graphviz: it sees that
each picture says what its source says.  (Where dot puts things differs from
version to version, the words do not.)
"""
import collections
import html
import os
import re
import subprocess
import sys

DOC = os.path.dirname(os.path.realpath(__file__))
CODES = os.path.join(DOC, "../src/verify/codes.c")
PER_LINE = 3                       # codes side by side
GRAPH = """digraph "The boot chain that v2v-virtio verify follows, and what can \
be wrong with each link" {
    graph [rankdir=TB, bgcolor=white, ranksep=0.25, pad=0.15]
    node [shape=plain, fontname="Helvetica", fontsize=11]
    edge [color="#333333"]
"""
PART = """    p%d [label=<<table border="0" cellborder="1" cellspacing="0" \
cellpadding="3" color="#34568b">
        <tr><td colspan="2" align="left" bgcolor="#eef3fa"><b>%s</b></td></tr>
%s    </table>>]
"""
ROW = """        <tr><td align="left" valign="top" width="165">%s</td>\
<td align="left" balign="left" width="470">%s</td></tr>
"""


def read_chain():
    """[(part, {link: [(code, state)]})], as the table has them"""
    with open(CODES, encoding="utf-8") as f:
        table = re.search(r"codes\[\] = \{(.*?)\n\};", f.read(), re.S)[1]
    parts = []
    for comment, code, link, state in re.findall(
            r'/\* [^:*]*: (.*?) \*/|'
            r'\{ "([\w-]+)",\s*"([\w-]+)",\s*VERIFY_(\w+),', table, re.S):
        if comment:
            parts.append((comment, collections.OrderedDict()))
        else:
            parts[-1][1].setdefault(link, []).append((code, state.lower()))
    return parts


def in_row(codes):
    words = [code if state == "broken" else f"{code} (warns)"
             for code, state in codes]
    return ",<br/>".join(", ".join(words[i:i + PER_LINE])
                        for i in range(0, len(words), PER_LINE))


def draw_chain():
    parts = read_chain()
    text = GRAPH
    for i, (name, links) in enumerate(parts):
        rows = "".join(ROW % (link, in_row(codes)) for link, codes in links.items())
        text += PART % (i, name[0].upper() + name[1:], rows)
    for i in range(1, len(parts)):
        text += f"    p{i - 1} -> p{i}\n"
    return text + "}\n"


def read_pipeline():
    with open(os.path.join(DOC, "pipeline.dot"), encoding="utf-8") as f:
        return f.read()


def draw(source, picture):
    svg = subprocess.run(["dot", "-Tsvg"], check=True, text=True, input=source,
                         stdout=subprocess.PIPE).stdout
    title = html.escape(re.search('digraph "(.*?)"', source)[1])
    with open(picture, "w", encoding="utf-8") as f:
        f.write(svg.replace("<svg ", "<!-- SPDX-License-Identifier: "
                            "GPL-2.0-or-later -->\n"
                            f'<svg role="img" aria-label="{title}" ', 1))


def words_of_source(text):
    found = []
    for quoted, markup in re.findall(
            r'label=(?:"([^"]*)"|<((?:[^<>]|<[^<>]*>)*)>)', text):
        found += quoted.replace("\\n", " ").split()
        found += html.unescape(re.sub("<[^>]*>", " ", markup)).split()
    return collections.Counter(found)


def words_of_picture(text):
    lines = re.findall("<text[^>]*>([^<]*)</text>", text)
    return collections.Counter(" ".join(map(html.unescape, lines)).split())


def main():
    wrong = False
    for name, source in ("pipeline", read_pipeline()), ("boot-chain", draw_chain()):
        picture = os.path.join(DOC, name + ".svg")
        if sys.argv[1:] != ["--check"]:
            draw(source, picture)
        with open(picture, encoding="utf-8") as f:
            drawn = words_of_picture(f.read())
        written = words_of_source(source)
        if drawn != written or not written:
            wrong = True
            print(f"doc/{name}.svg is not of its source; run doc/diagrams.py.  "
                  f"Only in the picture: {sorted(drawn - written)}; only in the "
                  f"source: {sorted(written - drawn)}")
        print(f"{name}: {sum(written.values())} words")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
