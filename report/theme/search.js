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
  // Marks around a word are no part of it; those within are, as in 1,234 or cabq.gov.
  const wordsOf = (question) => plain(question).match(/[\p{L}\p{N}]+(?:[.,'/-][\p{L}\p{N}]+)*/gu) || [];
  const shown = 50;
  const parts = window.searchIndex.map(([address, page, heading, text]) => ({
    address, page, heading, text, found: plain(`${page} ${heading} ${text}`), title: plain(`${page} ${heading}`),
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

  // Some words around the first place at which one of the question's stands, these marked.
  const excerpt = (text, asked) => {
    const low = plain(text);
    const exact = low.length === text.length;
    const first = exact ? Math.max(0, Math.min(...asked.map((word) => low.indexOf(word)).filter((at) => at >= 0), text.length)) : 0;
    const start = first === text.length || first < 60 ? 0 : text.lastIndexOf(" ", first - 50) + 1;
    const end = Math.min(text.length, start + 220);
    const piece = text.slice(start, end);
    const line = make("p");
    line.append(start > 0 ? "… " : "");
    let at = 0;
    while (exact && at < piece.length) {
      const next = asked
        .map((word) => [plain(piece).indexOf(word, at), word.length])
        .filter(([index]) => index >= 0)
        .sort((a, b) => a[0] - b[0])[0];
      if (!next) {
        break;
      }
      line.append(piece.slice(at, next[0]), make("mark", { textContent: piece.slice(next[0], next[0] + next[1]) }));
      at = next[0] + next[1];
    }
    line.append(piece.slice(at), end < text.length ? " …" : "");
    return line;
  };

  const search = (question) => {
    const asked = wordsOf(question);
    const found = asked.length
      ? parts
          .map((part, order) => ({ part, order, inTitle: asked.filter((word) => part.title.includes(word)).length }))
          .filter(({ part }) => asked.every((word) => part.found.includes(word)))
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
          excerpt(part.text, asked),
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
