/* SPDX-License-Identifier: GPL-2.0-or-later */
/* page.js - the filter of a batch's page.  What is shown is what the fragment
 * says, "#state=failed&text=srv", so that a link is all that is needed to show
 * somebody the same; the form writes the fragment and nothing else. */
(() => {
    "use strict";
    const form = document.getElementById("filter");
    const shown = document.getElementById("shown");
    const opener = document.getElementById("open");
    const groups = [...document.querySelectorAll(".group")].map((section) => ({
        section,
        list: section.querySelector("ol"),
        count: section.querySelector(".count"),
        items: [...section.querySelectorAll("ol > li")].map((li) => ({
            li,
            state: li.dataset.state,
            codes: li.dataset.codes.split(" "),
            seconds: Number(li.dataset.seconds),
            words: null,
        })),
    }));
    const total = groups.reduce((sum, group) => sum + group.items.length, 0);
    let order = "";

    function words(item) {
        item.words ??= item.li.textContent.toLowerCase();
        return item.words;
    }

    function matches(item, wanted) {
        return (!wanted.state || item.state === wanted.state) &&
            (!wanted.code || item.codes.includes(wanted.code)) &&
            (!wanted.text || words(item).includes(wanted.text.toLowerCase()));
    }

    function sort(wanted) {
        if (wanted === order)
            return;
        order = wanted;
        for (const group of groups) {
            const items = [...group.items];
            if (order === "longest")
                items.sort((a, b) => b.seconds - a.seconds);
            group.list.append(...items.map((item) => item.li));
        }
    }

    function show(wanted) {
        let sum = 0;
        sort(wanted.order ?? "");
        for (const group of groups) {
            let count = 0;
            for (const item of group.items) {
                const hit = matches(item, wanted);
                item.li.hidden = !hit;
                count += hit;
            }
            group.section.hidden = count === 0;
            group.count.textContent = count;
            sum += count;
        }
        shown.textContent = `${sum} of ${total} shown`;
    }

    function goTo(id) {
        const li = document.getElementById(id);
        if (!li)
            return;
        li.querySelector("details").open = true;
        li.scrollIntoView();
    }

    /* From the fragment to the form and the list. */
    function apply() {
        const fragment = location.hash.slice(1);
        const isImage = /^line-\d+$/.test(fragment);
        const wanted = Object.fromEntries(
            new URLSearchParams(isImage ? "" : fragment));
        for (const field of form.querySelectorAll("[name]"))
            if (field !== document.activeElement || field.localName !== "input")
                field.value = wanted[field.name] ?? "";
        show(wanted);
        if (isImage)
            goTo(fragment);
    }

    /* From the form to the fragment. */
    function write() {
        const wanted = new URLSearchParams();
        for (const [name, value] of new FormData(form))
            if (value !== "")
                wanted.set(name, value);
        history.replaceState(null, "", "#" + wanted);
        apply();
    }

    let timer = 0;
    form.addEventListener("input", () => {
        clearTimeout(timer);
        timer = setTimeout(write, 150);
    });
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => setTimeout(write));
    opener.addEventListener("click", () => {
        for (const { li } of groups.flatMap((group) => group.items))
            if (!li.hidden)
                li.firstElementChild.open = true;
    });
    addEventListener("hashchange", apply);
    function goToList() {
        const heading = document.getElementById("images");
        heading.scrollIntoView();
        heading.focus({ preventScroll: true });
    }

    /* A link to a filter leads to the list, and so does an address that was
     * passed on, when the browser has gone to its own idea of it. */
    document.addEventListener("click", (event) => {
        if (event.target.closest("a[href^='#']"))
            setTimeout(goToList);
    });
    if (location.hash.includes("="))
        addEventListener("load", () => setTimeout(goToList));
    form.hidden = false;
    apply();
})();
