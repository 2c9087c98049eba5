// Beside the page: lines that programs show here, one part for each of them.
import { el, visible } from "./dom.js";
import { icon } from "./icons.js";
import { seconds } from "./dates.js";
import { narrow } from "./place.js";
import { on, store } from "./store.js";

export class Panes {
  constructor(aside, toggle) {
    Object.assign(this, { aside, toggle, parts: new Map(), closed: narrow.matches });
    this.body = el("div", { class: "scroll" });
    const close = el("button", { type: "button", class: "ghost", "aria-label": "Close", onclick: () => this.show(false) }, icon("close"));
    aside.replaceChildren(el("header", { class: "head" }, el("h1", {}, "What the agents see"), el("span", { class: "grow" }), close), this.body);
    aside.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.show(false);
    });
    toggle.onclick = () => this.show(aside.hidden);
    on("panes", (name) => this.take(name));
  }

  show(open) {
    this.closed = !open;
    this.take();
    if (!open) this.toggle.focus();
    else if (narrow.matches) this.aside.querySelector("button").focus();
  }

  take(name = null) {
    this.toggle.hidden = store.panes.size === 0;
    this.aside.hidden = this.closed || store.panes.size === 0;
    this.toggle.setAttribute("aria-expanded", !this.aside.hidden);
    for (const each of name ? [name] : store.panes.keys()) this.part(each);
    for (const [each, part] of this.parts) if (!store.panes.has(each)) part.remove(), this.parts.delete(each);
  }

  part(name) {
    if (!this.parts.has(name)) {
      const lines = el("div", { class: "lines", role: "log", tabindex: "0", "aria-label": `Lines of ${visible(name)}` });
      const part = el("section", { class: "pane", "aria-label": visible(name) }, el("h2", {}, visible(name)), lines);
      this.parts.set(name, part);
      this.body.append(part);
    }
    const lines = this.parts.get(name).querySelector(".lines");
    lines.replaceChildren(...store.panes.get(name).map(({ at, line }) =>
      el("div", {}, el("time", { class: "quiet" }, seconds(new Date(at * 1000))), el("span", {}, visible(line)))));
    lines.scrollTop = lines.scrollHeight;
  }
}
