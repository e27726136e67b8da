
// What a reader can do beyond reading: sort and filter tables, follow a number into
// what is folded, copy. Without this script everything stands there in the
// profile's order, and nothing that would not work is shown.
"use strict";
{
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];

  // A column's values: numbers as they were saved, texts as they stand. null is
  // last in both directions.
  const valueOf = (cell, sort) => {
    if (sort === "number") {
      return cell.dataset.value === undefined ? null : Number(cell.dataset.value);
    }
    const text = cell.textContent.trim();
    return text === "" || text === "–" ? null : text;
  };
  const words = new Intl.Collator("en", { numeric: true });
  const compare = (a, b) => (typeof a === "number" ? (a === b ? 0 : a < b ? -1 : 1) : words.compare(a, b));

  // Ascending, descending, then as the profile has it. Rows that are alike stay in
  // the profile's order.
  const next = { none: "ascending", ascending: "descending", descending: "none" };

  const sortable = (table) => {
    const body = table.tBodies[0];
    const rows = [...body.rows];
    const heads = all("th[data-sort]", table);
    const sortBy = (head, direction) => {
      heads.forEach((h) => h.setAttribute("aria-sort", h === head ? direction : "none"));
      const sign = direction === "descending" ? -1 : 1;
      const keys = new Map(rows.map((row) => [row, valueOf(row.cells[head.cellIndex], head.dataset.sort)]));
      const order = (a, b) => {
        const x = keys.get(a), y = keys.get(b);
        if (x === null || y === null) {
          return (x === null) - (y === null);
        }
        return sign * compare(x, y);
      };
      body.append(...(direction === "none" ? rows : rows.toSorted(order)));
    };
    for (const head of heads) {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      head.setAttribute("aria-sort", "none");
      button.addEventListener("click", () => sortBy(head, next[head.getAttribute("aria-sort")]));
    }
  };

  const filterable = (controls) => {
    const rows = [...document.getElementById(controls.dataset.for).tBodies[0].rows];
    const text = controls.querySelector("input");
    const state = controls.querySelector("select");
    const status = controls.querySelector("[role=status]");
    const texts = new Map(rows.map((row) => [row, [...row.cells].map((c) => c.textContent).join(" ").toLowerCase()]));
    const update = () => {
      const wanted = text.value.toLowerCase().split(/\s+/);
      let shown = 0;
      for (const row of rows) {
        const fits = wanted.every((w) => texts.get(row).includes(w)) && (!state || !state.value || row.dataset.state === state.value);
        row.hidden = !fits;
        shown += fits ? 1 : 0;
      }
      status.textContent = `${shown} of ${rows.length} ${rows.length === 1 ? "row" : "rows"}`;
    };
    text.addEventListener("input", update);
    if (state) {
      state.addEventListener("change", update);
    }
    update();
  };

  // Where a link leads may be folded.
  const reveal = (hash) => {
    const target = document.getElementById(decodeURIComponent(hash.slice(1)));
    if (!target) {
      return;
    }
    for (let d = target.closest("details"); d; d = d.parentElement.closest("details")) {
      d.open = true;
    }
    target.scrollIntoView();
  };

  const copyable = (pre) => {
    const row = document.createElement("p");
    const button = document.createElement("button");
    const status = document.createElement("span");
    row.className = "controls copying";
    button.type = "button";
    button.textContent = "Copy";
    status.className = "faded";
    status.setAttribute("role", "status");
    row.append(button, status);
    pre.after(row);
    button.addEventListener("click", async () => {
      getSelection().selectAllChildren(pre); // to be copied by hand where nothing else is allowed
      try {
        await navigator.clipboard.writeText(pre.textContent);
        status.textContent = "Copied.";
      } catch {
        status.textContent = document.execCommand("copy") ? "Copied." : "Selected: copy it with Ctrl+C.";
      }
    });
  };

  all("table[id]").forEach(sortable);
  all(".filter").forEach(filterable);
  all("pre.copy").forEach(copyable);
  all(".controls").forEach((c) => (c.hidden = false));
  const cells = all("details.cell, details.trial");
  document.getElementById("unfold")?.addEventListener("click", () => cells.forEach((d) => (d.open = true)));
  document.getElementById("fold")?.addEventListener("click", () => cells.forEach((d) => (d.open = false)));
  addEventListener("hashchange", () => reveal(location.hash));
  // The same link again changes no hash.
  all('a[href^="#"]').forEach((a) => a.addEventListener("click", () => setTimeout(() => reveal(a.hash))));
  reveal(location.hash);
}
