// Tables: a table whole, a data table a page of rows at a time, as Slack shows them.
import { el } from "./dom.js";
import { rich } from "./rich.js";

const ROWS = 5;

export function table(block) {
  const align = (column) => block.column_settings?.[column]?.align ?? "left";
  return el("div", { class: "rows" }, el("table", {}, el("tbody", {}, block.rows.map((row) =>
    el("tr", {}, row.map((one, column) => el("td", { class: align(column) }, cell(one))))))));
}

export function dataTable(block) {
  const size = block.page_size ?? ROWS;
  const [head, ...rows] = block.rows;
  const pages = Math.ceil(rows.length / size);
  const body = el("tbody");
  const where = el("span", { role: "status" });
  const turn = (page) => {
    body.replaceChildren(...rows.slice(page * size, (page + 1) * size).map((row) =>
      el("tr", {}, row.map((one) => el("td", {}, cell(one))))));
    where.textContent = `Page ${page + 1} of ${pages}`;
    back.disabled = page === 0;
    next.disabled = page === pages - 1;
    back.onclick = () => turn(page - 1);
    next.onclick = () => turn(page + 1);
  };
  const back = el("button", { type: "button", class: "link" }, "Previous");
  const next = el("button", { type: "button", class: "link" }, "Next");
  turn(0);
  return [
    el("div", { class: "rows" }, el("table", {}, el("caption", {}, block.caption),
      el("thead", {}, el("tr", {}, head.map((one) => el("th", { scope: "col" }, cell(one))))), body)),
    pages > 1 ? el("div", { class: "turn" }, back, where, next) : null,
  ];
}

const cell = (one) => (one.type === "rich_text" ? rich(one) : one.text);
