// The messages of a channel or a thread as a list that scrolls: it stays at its end, and fetches older ones at its start.
import { el } from "./dom.js";
import { icon } from "./icons.js";
import { dayLine, moment } from "./dates.js";
import { article, redraw } from "./message.js";
import { markRead, store } from "./store.js";

const NEAR = 60;

export class Messages {
  /** Shows a box; `name` is for those who hear the page. */
  constructor(box, name) {
    Object.assign(this, { box, drawn: new Map(), stuck: true, wanted: "" });
    this.list = el("div", { class: "list", role: "log", "aria-label": name });
    this.latest = el("button", { type: "button", class: "latest", hidden: true, onclick: () => this.toEnd() }, icon("down"), " New message");
    this.element = el("div", { class: "scroll", tabindex: "-1" }, this.list, this.latest);
    this.element.addEventListener("scroll", () => this.scrolled(), { passive: true });
    this.list.addEventListener("keydown", (event) => this.step(event));
    new ResizeObserver(() => this.stuck && this.toEnd()).observe(this.list);
    box.changed = (ts) => this.show(ts);
    if (box.loaded) this.show(null);
  }

  /** One message that has changed, or all of them. */
  show(ts) {
    const message = this.box.messages.get(ts);
    const known = this.drawn.get(ts);
    if (known && message) {
      redraw(known, message, this.box.channel, Boolean(this.box.thread));
      if (ts === this.box.thread) this.list.querySelector(".left span")?.replaceChildren(this.count());
    }
    else if (ts && message && ts === this.box.times.at(-1) && this.drawn.size) this.append(message);
    else this.all();
    if (!ts) requestAnimationFrame(() => this.scrolled());
    if (this.stuck) this.toEnd();
    else if (ts && !known && message && message.user !== this.box.user) this.latest.hidden = false;
    this.read();
  }

  all() {
    const { box } = this;
    const kept = this.drawn;
    this.drawn = new Map();
    const parts = [];
    let before = null;
    for (const ts of box.times) {
      const message = box.messages.get(ts);
      parts.push(...this.lines(before, message), this.node(message, before, kept.get(ts)));
      before = message;
    }
    if (!parts.length) parts.push(el("p", { class: "nothing" }, "Nothing has been written here yet."));
    if (box.more) parts.unshift(el("p", { class: "nothing" }, "Loading older messages…"));
    this.list.replaceChildren(...parts);
    this.rove();
    if (this.wanted) this.find(this.wanted);
  }

  append(message) {
    const before = this.box.messages.get(this.box.times.at(-2)) ?? null;
    this.list.append(...this.lines(before, message), this.node(message, before));
    this.rove();
  }

  node(message, before, kept = null) {
    const made = kept ?? article(message, this.box.channel, Boolean(this.box.thread));
    const person = !store.users.get(message.user)?.is_bot && !message.ephemeral_to;
    made.classList.toggle("compact", Boolean(before) && person && before.user === message.user && message.ts - before.ts < 300);
    this.drawn.set(message.ts, made);
    return made;
  }

  /** What stands between two messages: a new day, and where the new ones begin. */
  lines(before, message) {
    const { box } = this;
    const day = dayLine(moment(message.ts));
    const lines = [];
    if (!box.thread && (!before || dayLine(moment(before.ts)) !== day)) lines.push(el("div", { class: "day" }, el("span", {}, day)));
    const fresh = (one) => one.ts > box.lastRead && one.user !== box.user;
    const first = box.lastRead && fresh(message) && (!before || before.ts <= box.lastRead);
    if (!box.thread && first) lines.push(el("div", { class: "new" }, el("span", {}, "New")));
    if (box.thread && before?.ts === box.thread) {
      lines.push(el("div", { class: "day left" }, el("span", {}, this.count())));
    }
    return lines;
  }

  /** Of a thread's parent, which may be told after its first reply. */
  count() {
    const count = this.box.messages.get(this.box.thread)?.reply_count ?? 0;
    return `${count} ${count === 1 ? "reply" : "replies"}`;
  }

  async scrolled() {
    const { element } = this;
    this.stuck = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR;
    if (this.stuck) this.latest.hidden = true;
    this.read();
    if (element.scrollTop < 600 && this.box.more && !this.box.busy) await this.older();
  }

  async older() {
    const { element } = this;
    if (!(await this.box.older().catch(() => 0))) return;
    const rest = element.scrollHeight - element.scrollTop;
    this.all();
    element.scrollTop = element.scrollHeight - rest;
  }

  /** Scrolls to one message and marks it for a moment, fetching what is older where it has to. */
  async find(ts) {
    this.wanted = ts;
    if (!this.box.loaded) return;
    for (let pages = 0; pages < 40 && !this.drawn.has(ts) && this.box.more; pages += 1) await this.older();
    this.wanted = "";
    const found = this.drawn.get(ts);
    if (!found) return;
    this.stuck = false;
    found.scrollIntoView({ block: "center" });
    found.classList.add("found");
    found.focus({ preventScroll: true });
    setTimeout(() => found.classList.remove("found"), 3000);
  }

  toEnd() {
    this.element.scrollTop = this.element.scrollHeight;
  }

  read() {
    const last = this.box.times.at(-1);
    if (last && !this.box.thread && this.stuck && document.visibilityState === "visible") markRead(this.box.channel, last);
  }

  /** One message is reached with Tab, the others from it with the arrow keys. */
  rove(to = null) {
    const all = [...this.drawn.values()];
    const one = to ?? (all.some((each) => each.tabIndex === 0) ? null : all.at(-1));
    if (one) for (const each of all) each.tabIndex = each === one ? 0 : -1;
  }

  step(event) {
    const to = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const now = document.activeElement;
    if (!to || !now.classList.contains("message")) return;
    const all = this.box.times.map((ts) => this.drawn.get(ts));
    const next = all[all.indexOf(now) + to];
    event.preventDefault();
    if (!next) return;
    this.rove(next);
    next.focus();
  }
}
