// The panel at the right: one message and its replies.
import { el } from "./dom.js";
import { icon } from "./icons.js";
import { Composer } from "./composer.js";
import { Messages } from "./messages.js";
import { go } from "./place.js";
import { store } from "./store.js";

/** Shows the thread of a box in `panel`; a box of null closes it. */
export function showThread(panel, box) {
  panel.hidden = !box;
  if (!box) return panel.replaceChildren();
  const channel = store.channels.get(box.channel);
  const messages = new Messages(box, "Messages in the thread");
  const close = el("button", { type: "button", class: "ghost", "aria-label": "Close", onclick: () => go({ thread: "" }) }, icon("close"));
  const member = channel.members.includes(store.me.id) && !channel.is_archived;
  panel.replaceChildren(
    el("header", { class: "head" }, el("h1", {}, "Thread"), el("span", { class: "quiet" }, channel.name ? `#${channel.name}` : ""),
      el("span", { class: "grow" }), close),
    messages.element,
    member ? new Composer({ channel: box.channel, thread: box.thread, label: "Reply…" }).element : "");
  if (!panel.contains(document.activeElement)) (panel.querySelector("textarea") ?? close).focus();
}
