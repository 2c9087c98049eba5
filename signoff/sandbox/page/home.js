// The app: its Home and its messages, as two tabs.
import { el, keepFocus } from "./dom.js";
import { post } from "./api.js";
import { draw } from "./blocks.js";
import { avatar, person } from "./names.js";
import { go } from "./place.js";
import { store } from "./store.js";
import { OnView } from "./surface.js";

/** The app's head, with the tab that is open ("home" or "messages"). */
export function appHead(tab) {
  const { app_home: offers } = store.bot.features;
  const one = (name, label) => el("a", {
    href: "#", role: "tab", "aria-selected": String(tab === name), class: "tab", "data-key": `tab ${name}`,
    onclick: (event) => {
      event.preventDefault();
      go({ where: `@${name}` });
    },
    onkeydown: (event) => {
      const step = { ArrowRight: "nextSibling", ArrowLeft: "previousSibling" }[event.key];
      if (!step) return;
      event.preventDefault();
      const all = event.currentTarget.parentElement;
      const next = event.currentTarget[step] ?? (step === "nextSibling" ? all.firstChild : all.lastChild);
      next.focus();
      next.click();
    },
  }, label);
  return el("header", { class: "head" }, avatar(store.bot.user_id), el("h1", {}, person(store.bot.user_id)), el("span", { class: "app" }, "APP"),
    el("div", { class: "tabs", role: "tablist" },
      offers.home_tab_enabled === false ? null : one("home", "Home"),
      offers.messages_tab_enabled === false ? null : one("messages", "Messages")));
}

export class Home {
  constructor() {
    this.blocks = el("div", { class: "blocks" }, el("p", { class: "nothing" }, "Loading…"));
    this.element = el("div", { class: "scroll home", role: "tabpanel", "aria-label": "Home", tabindex: "-1" }, this.blocks);
    this.show(store.home);
  }

  /** Tells the app that I look at its Home, so that it can draw it. */
  async opened() {
    const answer = await post("act", { type: "open_home", user: store.me.id, tab: "home" }).catch(() => null);
    if (!store.home) this.nothing(answer?.acked ? "This app has not put anything here yet." : "This app did not respond.");
  }

  show(view) {
    if (!view || this.hash === view.hash) return;
    this.hash = view.hash;
    keepFocus(this.blocks, () => this.blocks.replaceChildren(...draw(view.blocks, new OnView(view))));
    if (!view.blocks.length) this.nothing("This app has put nothing here.");
  }

  nothing(words) {
    this.blocks.replaceChildren(el("p", { class: "nothing" }, words));
  }
}
