// The search of the site: looks for all words of a question in the parts of the pages, in the index beside this page.
// What it finds is put on the page as text and never as markup.
"use strict";

(() => {
  const place = document.getElementById("search");
  if (!place || !window.searchIndex) {
    return;
  }
  const words = document.getElementById("search-words").dataset;
  const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").replace(/[\u2018\u2019]/g, "'").toLowerCase();
  // Marks around a word are no part of it; those within are, as in 1,234 or example.gov.
  const wordsOf = (question) => plain(question).match(/[\p{L}\p{N}]+(?:[.,'/-][\p{L}\p{N}]+)*/gu) || [];
  // What a singular and its plural begin with, in English and in Spanish: homicide for homicides, region for regiones.
  const beginning = (word) => word
    .replaceAll(".", "\\.")
    .replace(/^(.{3,})(?:y|ies)$/u, "$1(?:y|ies)")
    .replace(/^(.{4,})es$/u, "$1(?:e|(?!\\p{L}))")
    .replace(/^(.{3,})s$/u, "$1");
  // Finds whole words that begin as any of those that were asked for.
  const finderOf = (asked) =>
    new RegExp(`(?:^|[^\\p{L}\\p{N}])((?:${asked.map(beginning).join("|")})[\\p{L}\\p{N}]*)`, "gu");
  const shown = 50;
  const parts = window.searchIndex.map(([address, page, heading, text, rows]) => ({
    address, page, heading, text, rows, found: plain(`${page} ${heading} ${text} ${rows}`), title: plain(`${page} ${heading}`),
  }));

  const make = (name, properties = {}, ...children) => {
    const node = Object.assign(document.createElement(name), properties);
    node.append(...children);
    return node;
  };
  const field = make("input", { type: "search", id: "question", name: "q", autocomplete: "off" });
  const form = make(
    "form",
    { className: "search", role: "search", action: "index.html", method: "get" },
    make("label", { htmlFor: "question", textContent: words.label }),
    field,
    make("button", { type: "submit", textContent: words.button }),
  );
  const said = make("p", { className: "found", role: "status" });
  const list = make("ol", { className: "results" });
  place.replaceChildren(form, said, list);

  // Some words around the first of those that were asked for, these marked: a sentence. Of a table's rows it has the names,
  // because a number without its heading tells nothing.
  const excerpt = (part, asked) => {
    const finder = finderOf(asked);
    const isThere = (text) => plain(text).search(finder) >= 0;
    const rows = part.rows.split("\n");
    const named = rows.filter(isThere).map((row) => row.split(":")[0]);
    const text = isThere(part.text) || !named.length ? part.text : `${named.join(", ")}. ${part.text}`.trim();
    const exact = plain(text).length === text.length;
    const first = exact ? plain(text).search(finder) : 0;
    const start = first < 60 ? 0 : text.lastIndexOf(" ", first - 50) + 1;
    const end = text.length <= start + 220 ? text.length : text.lastIndexOf(" ", start + 220);
    const piece = text.slice(start, end);
    const line = make("p");
    line.append(start > 0 ? "… " : "");
    let at = 0;
    for (const match of exact ? plain(piece).matchAll(finder) : []) {
      const next = match.index + match[0].length;
      const from = next - match[1].length;
      line.append(piece.slice(at, from), make("mark", { textContent: piece.slice(from, next) }));
      at = next;
    }
    line.append(piece.slice(at), end < text.length ? " …" : "");
    return line;
  };

  const search = (question) => {
    const asked = wordsOf(question);
    const finders = asked.map((word) => finderOf([word]));
    const found = asked.length
      ? parts
          .map((part, order) => ({ part, order, inTitle: finders.filter((finder) => part.title.search(finder) >= 0).length }))
          .filter(({ part }) => finders.every((finder) => part.found.search(finder) >= 0))
          .sort((a, b) => b.inTitle - a.inTitle || a.order - b.order)
      : [];
    said.textContent = !question.trim()
      ? ""
      : !found.length
        ? words.none
        : found.length === 1
          ? words.one
          : words.many.replace("%d", String(found.length))
            + (found.length > shown ? ` ${words.first.replace("%d", String(shown))}` : "");
    list.replaceChildren(
      ...found.slice(0, shown).map(({ part }) =>
        make(
          "li",
          {},
          make("a", { href: part.address, textContent: part.heading ? `${part.heading} – ${part.page}` : part.page }),
          excerpt(part, asked),
        ),
      ),
    );
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const address = new URL(window.location.href);
    address.searchParams.set("q", field.value);
    try {
      window.history.replaceState(null, "", address);
    } catch {
      // A page that was opened as a file may not change its address.
    }
    search(field.value);
  });
  field.value = new URLSearchParams(window.location.search).get("q") || "";
  search(field.value);
})();
