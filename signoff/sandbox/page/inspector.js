// The drawer at the bottom: every Web API call, envelope and acknowledgement, as it happens; one of them as JSON.
import { el, visible } from "./dom.js";
import { icon } from "./icons.js";
import { get } from "./api.js";
import { seconds } from "./dates.js";
import { on, store } from "./store.js";

const SHOWN = 300;
const KINDS = { call: "Web API", envelope: "Envelope", response_url: "response_url" };

export class Inspector {
  constructor(section, toggle) {
    Object.assign(this, { section, toggle, rows: new Map() });
    this.table = el("tbody");
    this.details = el("pre", { class: "details", tabindex: "0", "aria-label": "Details as JSON" }, "Choose a line to see it whole.");
    const close = el("button", { type: "button", class: "ghost", "aria-label": "Close", onclick: () => this.show(false) }, icon("close"));
    const heads = ["Time", "What", "Name", "Who", "Result", "ms"].map((name) => el("th", { scope: "col" }, name));
    this.lines = el("div", { class: "lines" }, el("table", {}, el("thead", {}, el("tr", {}, heads)), this.table));
    section.replaceChildren(
      el("header", { class: "head" }, el("h1", {}, "Inspector"), el("span", { class: "quiet" }, "Web API calls, envelopes and their acknowledgements"), el("span", { class: "grow" }), close),
      el("div", { class: "inspected" }, this.lines, this.details));
    section.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.show(false);
    });
    toggle.onclick = () => this.show(section.hidden);
    on("log", (line) => section.hidden || (line ? this.line(line) : this.all()));
  }

  show(open) {
    this.section.hidden = !open;
    this.toggle.setAttribute("aria-expanded", open);
    if (open) this.all();
    else this.toggle.focus();
  }

  all() {
    this.rows.clear();
    this.table.replaceChildren();
    for (const line of [...store.log.values()].slice(-SHOWN)) this.line(line);
  }

  line(line) {
    const { lines } = this;
    const atEnd = lines.scrollHeight - lines.scrollTop - lines.clientHeight < 40;
    const row = this.row(line);
    const old = this.rows.get(line.n);
    if (old) old.replaceWith(row);
    else this.table.append(row);
    this.rows.set(line.n, row);
    if (this.rows.size > SHOWN) {
      const [first] = this.rows.keys();
      this.rows.get(first).remove();
      this.rows.delete(first);
      store.log.delete(first);
    }
    if (atEnd) lines.scrollTop = lines.scrollHeight;
  }

  row(line) {
    const waiting = line.ok === null;
    const good = line.kind === "envelope" ? "acknowledged" : "ok";
    const result = waiting ? "waiting…" : line.ok ? good : line.error || "failed";
    const open = el("button", { type: "button", class: "link", onclick: () => this.detail(line.n, row) }, visible(line.name));
    const who = store.users.get(line.who)?.name ?? line.who;
    const row = el("tr", { class: waiting ? "waiting" : line.ok ? "good" : "bad" },
      el("td", {}, seconds(new Date(line.at * 1000))), el("td", {}, KINDS[line.kind] ?? line.kind), el("td", {}, open),
      el("td", {}, visible(who)), el("td", { class: "result" }, result), el("td", { class: "number" }, line.ms === null ? "" : line.ms.toFixed(1)));
    return row;
  }

  async detail(number, row) {
    for (const other of this.rows.values()) other.classList.toggle("chosen", other === row);
    try {
      const { entry } = await get("log", { n: number });
      this.details.textContent = visible(JSON.stringify(entry, null, 2));
    } catch {
      this.details.textContent = "This line is no longer kept.";
    }
    this.details.scrollTop = 0;
  }
}
