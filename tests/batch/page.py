#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""page.py PROGRAM WORK [--small]: the page of a batch in a headless Chromium

With 1, 200 and (but for --small) 5000 images: what it shows is what the ledger says; the filter,
by fragment, by keyboard and by link; without scripts; narrow, dark and on paper;
contrast and names for readers of the screen; and texts that are hostile.
Screenshots and PDFs stay in WORK/artefacts, to be looked at.
"""
import json
import os
import shutil
import sys
import time

sys.dont_write_bytecode = True
import browser
import ledgers

LARGEST = 5000
SIZES = (1, 200) if "--small" in sys.argv else (1, 200, LARGEST)
MAX_MB, MAX_SECONDS = 12, 30       # of 5000; far from what is usual
LEAST_CONTRAST = 4.5               # WCAG 2.2, 1.4.3
NARROW = 320                       # WCAG 2.2, 1.4.10
failed = False

# What of the list is shown: numbers of lines.
SHOWN = """[...document.querySelectorAll('.group li[id]')]
    .filter(li => li.checkVisibility()).map(li => +li.id.slice(5)).sort((a, b) => a - b)"""
# After what was asked for is drawn.
DRAWN = "new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))"
# Texts that can be seen: the least contrast to what is behind them.
CONTRAST = """(() => {
    const canvas = document.createElement("canvas").getContext("2d",
        { willReadFrequently: true });
    const rgba = (color) => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = color;
        canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
        .map((v) => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
    const behind = (e) => {
        for (; e; e = e.parentElement) {
            const color = rgba(getComputedStyle(e).backgroundColor);
            if (color[3] === 255)
                return color;
        }
        return [255, 255, 255];
    };
    let least = { ratio: 99 }, count = 0;
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const e = texts.currentNode.parentElement;
        if (!texts.currentNode.data.trim() || !e.checkVisibility() ||
            e.closest("script"))
            continue;
        const style = getComputedStyle(e);
        const [a, b] = [light(rgba(e.closest("svg") ? style.fill : style.color)),
                        light(behind(e))].sort((x, y) => y - x);
        const ratio = (a + .05) / (b + .05);
        count++;
        if (ratio < least.ratio)
            least = { ratio, text: texts.currentNode.data.slice(0, 40) };
    }
    return { ...least, count };
})()"""


def check(name, ok, *why):
    global failed
    failed |= not ok
    print(("ok - " if ok else "not ok - ") + name, *([] if ok else why), flush=True)


def lines(db, where, *values):
    return [row[0] for row in
            db.execute(f"SELECT line FROM report WHERE {where} ORDER BY line", values)]


def goes_to(page, fragment):
    page.js(f"(location.hash = {json.dumps(fragment)}, {DRAWN})")
    page.js("new Promise(r => setTimeout(r))")
    return page.js(SHOWN)


def complaints(page):
    """Errors, and anything that the page would have loaded"""
    bad = "Log.entryAdded", "Runtime.exceptionThrown"
    return [event for event in page.events if event.get("method") in bad or
            (event.get("method") == "Network.requestWillBeSent" and
             not event["params"]["request"]["url"].startswith(("file://", "about:")))]


def with_code(code):
    """SQL: it is why, or a finding, a link or a warning has it"""
    return (f"code = '{code}' OR result LIKE '%\"code\":\"{code}\"%'")


# ---- the parts
def counts(page, db, size):
    check(f"{size}: every image is there", page.js(SHOWN) == lines(db, "1"))
    said = page.js("""Object.fromEntries([...document.querySelectorAll('.states a')]
        .map(a => [a.className, +a.querySelector('b').textContent]))""")
    check(f"{size}: the counts of the states", said == dict(map(tuple, db.execute(
        "SELECT state, count(*) FROM report GROUP BY state"))), said)
    said = page.js("""Object.fromEntries([...document.querySelectorAll('.codes li')]
        .map(li => [li.querySelector('code').textContent,
                    parseInt(li.querySelector('strong')?.textContent ?? 0)]))""")
    check(f"{size}: how many each code stopped", {c: n for c, n in said.items() if n} ==
          dict(map(tuple, db.execute("SELECT code, count(*) FROM report "
                                     "WHERE code IS NOT NULL GROUP BY code"))), said)
    bars = page.js("""[...document.querySelectorAll('.numbers tbody tr')]
        .reduce((sum, tr) => sum + [...tr.cells].slice(1)
            .reduce((s, td) => s + +td.textContent, 0), 0)""")
    check(f"{size}: the plot has every image that ended",
          bars == (len(lines(db, "seconds IS NOT NULL")) if size > 1 else 0), bars)


def filters(page, db, size):
    for fragment, where in (
            ("#state=failed", "state = 'failed'"),
            ("#state=done", "state = 'done'"),
            ("#code=hibernated", with_code("hibernated")),
            ("#code=start-override&state=failed",
             f"({with_code('start-override')}) AND state = 'failed'"),
            ("#text=RACK03", "identity LIKE '%rack03%'"),
            ("#text=%3Cimg&state=done", "identity LIKE '%<img%' AND state = 'done'"),
            ("#state=waiting", "state = 'waiting'"),
            ("#nonsense=1", "1"), ("#%E0%A4%A", "1"), ("#", "1")):
        shown = goes_to(page, fragment)
        check(f"{size}: {fragment} shows {len(shown)}", shown == lines(db, where))
    said = page.js("document.getElementById('shown').textContent")
    check(f"{size}: and says how many", said == f"{size} of {size} shown", said)
    goes_to(page, "#order=longest&state=done")
    order = page.js("""[...document.querySelectorAll('.group li[id]')]
        .filter(li => li.checkVisibility()).map(li => +li.dataset.seconds)""")
    check(f"{size}: the longest first", order == sorted(order, reverse=True))
    goes_to(page, "#")
    check(f"{size}: and back in the manifest's order", page.js("""[...document
        .querySelectorAll('.group')].every(g => { const n = [...g.querySelectorAll('li[id]')]
            .map(li => +li.id.slice(5)); return n.every((x, i) => !i || x > n[i - 1]); })"""))


def image_link(page, db):
    line = lines(db, "code = 'no-windows'")[0]
    goes_to(page, f"#line-{line}")
    seen = page.js(f"""(() => {{ const li = document.getElementById('line-{line}');
        const at = li.getBoundingClientRect();
        return li.querySelector('details').open && at.top >= 0 && at.top < innerHeight &&
            li.innerText.includes('give the image of the disk that Windows is on')
            || li.innerText; }})()""")
    check("a link to an image opens it, with what to do", seen is True, seen)


def address(page, db, url):
    """An address with a filter that somebody was sent"""
    page.reopen(url + "#code=hibernated")
    page.js(f"new Promise(r => setTimeout(r, 50)).then(() => {DRAWN})")
    top = page.js("document.getElementById('images').getBoundingClientRect().top")  # of 900
    check("an address with a filter shows the list, filtered",
          page.js(SHOWN) == lines(db, with_code("hibernated")) and 0 <= top < 450, top)


def keyboard(page, db, url):
    """Tab through all, in the order of the page; then filter by typing"""
    page.reopen(url)
    steps = []
    for _ in range(60):
        page.key("Tab", 9)
        steps.append(page.js("""(() => { const e = document.activeElement;
            const style = getComputedStyle(e);
            const all = [...document.querySelectorAll('*')];
            return { at: all.indexOf(e), id: e.id, tag: e.localName,
                     seen: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 }
        })()"""))
    check("Tab goes down the page", [s["at"] for s in steps] ==
          sorted({s["at"] for s in steps}), steps)
    check("what has the focus is outlined", all(s["seen"] for s in steps), steps)
    at = {s["id"]: s["at"] for s in steps}
    check("links, filter and images are reached", {"text", "state", "code", "order", "open"}
          <= set(at) and {"a", "summary"} <= {s["tag"] for s in steps})
    page.js("document.getElementById('text').focus()")
    page.write("RACK03")
    deadline = time.monotonic() + 10
    wanted = lines(db, "identity LIKE '%rack03%'")
    while page.js(SHOWN) != wanted and time.monotonic() < deadline:
        time.sleep(0.05)
    check("typing filters", page.js(SHOWN) == wanted)
    check("and makes a link of it", page.js("location.hash") == "#text=RACK03")
    page.js("document.querySelector('.group li:not([hidden]) summary').focus()")
    page.key("Enter", 13, "\r")
    check("Enter opens an image", page.js("document.activeElement.parentElement.open"))
    page.js("document.querySelector('button[type=reset]').focus()")
    page.key("Enter", 13, "\r")
    page.js(f"new Promise(r => setTimeout(r, 50)).then(() => {DRAWN})")
    check("\"Show all\" shows all", page.js(SHOWN) == lines(db, "1"))
    page.js("document.querySelector('.states a.failed').focus()")
    page.key("Enter", 13, "\r")
    page.js(f"new Promise(r => setTimeout(r, 50)).then(() => {DRAWN})")
    check("the count of a state is a link to its images",
          page.js(SHOWN) == lines(db, "state = 'failed'") and
          page.js("document.activeElement.id") == "images")
    goes_to(page, "#")


def names(page):
    """What a reader of the screen is told"""
    nodes = page.call("Accessibility.getFullAXTree")["nodes"]
    controls = [n for n in nodes if not n["ignored"] and n["role"]["value"] in (
        "searchbox", "combobox", "button", "link", "DisclosureTriangle", "image")]
    check(f"each of {len(controls)} controls has a name",
          controls and all(n["name"].get("value") for n in controls))
    roles = [n["role"]["value"] for n in nodes if not n["ignored"]]
    check("landmarks, headings, lists and the status are known",
          {"banner", "main", "contentinfo", "search", "status", "heading", "list",
           "listitem"} <= set(roles), sorted(set(roles)))
    levels = page.js("""[...document.querySelectorAll('h1,h2,h3,h4')]
        .filter(h => h.checkVisibility()).map(h => +h.localName[1])""")
    check("headings leave no level out", levels[0] == 1 and
          all(b <= a + 1 for a, b in zip(levels, levels[1:])), levels)


def looks(page, db, size, artefacts):
    page.js("document.querySelectorAll('.group details').forEach((d, i) => d.open = i < 12)")
    for scheme in "light", "dark":
        page.media(scheme=scheme)
        page.window(1280, 900)
        page.js("scrollTo(0, 0)")
        page.screenshot(f"{artefacts}/{size}-{scheme}.png")
        page.js("document.getElementById('images').scrollIntoView()")
        page.screenshot(f"{artefacts}/{size}-{scheme}-images.png")
        if size == LARGEST:                 # the same as of fewer
            continue
        least = page.js(CONTRAST)
        check(f"{size}: contrast of {least['count']} texts, {scheme}: at least "
              f"{least['ratio']:.1f}", least["ratio"] >= LEAST_CONTRAST and
              least["count"] > 30, least)
    page.media()
    page.window(NARROW, 800, mobile=True)
    page.js(DRAWN)
    wide = page.js("""[document.documentElement.scrollWidth, [...document
        .querySelectorAll('body *')].slice(0, 3000).filter(e => e.checkVisibility() &&
            e.getBoundingClientRect().right > innerWidth + 0.5)
        .map(e => e.outerHTML.slice(0, 80)).slice(0, 3)]""")
    check(f"{size}: nothing is wider than {NARROW} pixels",
          wide[0] == NARROW and not wide[1], wide)
    page.js("scrollTo(0, 0)")
    page.screenshot(f"{artefacts}/{size}-narrow.png")
    page.js("document.getElementById('images').scrollIntoView()")
    page.screenshot(f"{artefacts}/{size}-narrow-images.png")
    page.window(1280, 900)
    page.js("document.querySelectorAll('.group details').forEach(d => d.open = false)")


def paper(page, db, size, artefacts):
    page.media("print")
    state = page.js("""(() => {
        const seen = (e) => e.checkVisibility({ contentVisibilityAuto: false });
        const of = (state) => [...document.querySelectorAll(`.group li[data-state=${state}]`)];
        return { form: seen(document.getElementById('filter')),
                 failed: of('failed').every(li => seen(li.querySelector('dl')) &&
                     li.querySelector('dl').getBoundingClientRect().height > 0),
                 done: of('done').some(li => seen(li.querySelector('dl'))),
                 paper: getComputedStyle(document.body).backgroundColor }; })()""")
    check(f"{size}: on paper what failed is told in full, the rest in a line, without "
          "the form", state == {"form": False, "failed": True, "done": False,
                                "paper": "rgb(255, 255, 255)"}, state)
    if size != LARGEST:
        least = page.js(CONTRAST)
        check(f"{size}: contrast on paper: at least {least['ratio']:.1f}",
              least["ratio"] >= LEAST_CONTRAST, least)
    page.media()
    if size == LARGEST:
        goes_to(page, "#code=hibernated")      # what is printed is what is shown
    page.pdf(f"{artefacts}/{size}.pdf")
    goes_to(page, "#")
    with open(f"{artefacts}/{size}.pdf", "rb") as f:
        check(f"{size}: it prints", f.read(5) == b"%PDF-")


def without_scripts(page, db, size, url, artefacts):
    page.scripts(False)
    page.reopen(url)
    check(f"{size}: without scripts there is no filter, but every image",
          page.js(SHOWN) == lines(db, "1") and
          not page.js("document.getElementById('filter').checkVisibility()"))
    page.js("document.querySelectorAll('details').forEach(d => d.open = true)")
    page.media("print")                        # also what is not in sight
    said = page.js("document.body.innerText")
    page.media()
    lost = [text for text, in db.execute(
        "SELECT identity FROM items UNION SELECT message FROM report WHERE message IS NOT NULL")
        if os.path.basename(text) not in said]
    check(f"{size}: and what became of it can be read", not lost, lost)
    page.js("document.querySelectorAll('details').forEach(d => d.open = false)")
    page.js("document.getElementById('images').scrollIntoView()")
    page.screenshot(f"{artefacts}/{size}-no-script.png")
    page.scripts(True)


def hostile(page, program, manifest, work, artefacts):
    db = ledgers.hostile(manifest, f"{work}/hostile.jsonl")
    ledgers.report(program, f"{work}/hostile.jsonl", f"{work}/hostile.html")
    page.reopen(f"file://{work}/hostile.html")
    page.js("document.querySelectorAll('details').forEach(d => d.open = true)")
    page.js(f"new Promise(r => setTimeout(r, 200)).then(() => {DRAWN})")
    check("hostile: nothing was run, loaded or refused", not complaints(page) and
          page.js("typeof hit") == "undefined", complaints(page))
    found = page.js("""[document.scripts.length, document.querySelectorAll(
        'img,iframe,object,embed,link,base,b[onmouseover],[onerror],style~style').length,
        document.querySelectorAll('.group > ol > li').length,
        [...document.querySelectorAll('main *')].filter(e => [...e.attributes]
            .some(a => a.name.startsWith('on') || /^\\s*javascript:/.test(a.value))).length]""")
    check("hostile: no element is of its making",
          found == [1, 0, len(lines(db, "1")), 0], found)
    text = page.js("document.body.textContent")
    check("hostile: it stands there as it is written",
          "</script><script>hit=1</script>" in text and "&amp;&lt;${hit=1}" in text)
    check("hostile: but for what steers lines", not any(
        c in text for c in "\u2028\u2029\u202e\u202c\u200b\u0007\u001b\r"))
    wide = page.js("document.documentElement.scrollWidth <= innerWidth")
    check("hostile: it is not wider than the window", wide)
    page.screenshot(f"{artefacts}/hostile.png")
    goes_to(page, "#state=failed")
    check("hostile: the filter works", page.js(SHOWN) == lines(db, "state = 'failed'"))
    goes_to(page, "#code=" + "%3C%2Fscript%3E&text=%5B%28")
    check("hostile: a fragment is only a text", page.js(SHOWN) == [] and not complaints(page))
    db.close()


def one_size(page, program, manifest, size, work, artefacts):
    db = ledgers.many(manifest, f"{work}/{size}.jsonl", size)
    path = f"{work}/{size}.html"
    start = time.monotonic()
    ledgers.report(program, f"{work}/{size}.jsonl", path)
    made = time.monotonic() - start
    page.window(1280, 900)
    start = time.monotonic()
    page.reopen(f"file://{path}")
    page.js(DRAWN)
    took = time.monotonic() - start
    start = time.monotonic()
    goes_to(page, "#text=rack03")
    filtered = time.monotonic() - start
    goes_to(page, "#")
    nodes = page.js("document.getElementsByTagName('*').length")
    megabytes = os.path.getsize(path) / 1e6
    print(f"{size} images: {megabytes:.2f} MB, written in {made:.1f} s; {nodes} elements, "
          f"drawn after {took * 1000:.0f} ms, filtered after {filtered * 1000:.0f} ms")
    check(f"{size}: not too large, and not too slow",
          megabytes < MAX_MB and max(took, filtered) < MAX_SECONDS)
    counts(page, db, size)
    filters(page, db, size)
    if size == 200:
        image_link(page, db)
        address(page, db, f"file://{path}")
        keyboard(page, db, f"file://{path}")
        names(page)
        without_scripts(page, db, size, f"file://{path}", artefacts)
        page.reopen(f"file://{path}")
    looks(page, db, size, artefacts)
    paper(page, db, size, artefacts)
    check(f"{size}: no errors, and nothing was loaded", not complaints(page),
          complaints(page))
    db.close()
    os.unlink(f"{work}/{size}.jsonl.ledger")


def main():
    program, work = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    chromium = browser.find()
    if chromium is None:
        print("skipped: no Chromium")
        sys.exit(77)
    manifest = ledgers.real(program, work)
    artefacts = f"{work}/artefacts"
    shutil.rmtree(artefacts, ignore_errors=True)
    os.makedirs(artefacts)
    with browser.Browser(chromium) as page:
        for size in SIZES:
            one_size(page, program, manifest, size, work, artefacts)
        hostile(page, program, manifest, work, artefacts)
    sys.exit(failed)


main()
