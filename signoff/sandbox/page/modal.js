// Modals: up to three on top of each other, each a dialog of its own, so that the browser keeps the focus inside.
import { el, keepFocus, newId, toast } from "./dom.js";
import { icon } from "./icons.js";
import { draw } from "./blocks.js";
import { avatar } from "./names.js";
import { busy, refusal } from "./press.js";
import { store } from "./store.js";
import { forget, OnView } from "./surface.js";
import { text } from "./text.js";

const REQUIRED = "Please complete this required field.";
const TROUBLE = "We had some trouble connecting. Try again?";
const open = new Map();
let before = null;

/** Shows the stack as it is now: opens what is new, redraws what has changed, closes what has gone. */
export function showStack(stack) {
  const shown = new Set(stack.map((view) => view.id));
  for (const [id, modal] of [...open].reverse()) if (!shown.has(id)) modal.gone();
  for (const view of stack) {
    if (open.has(view.id)) open.get(view.id).show(view);
    else {
      if (!open.size) before = whereFocusWas();
      open.set(view.id, new Modal(view, open.size));
    }
  }
  if (!open.size) before = before?.();
}

/** Gives the focus back when the last modal closes, even where the message was drawn anew meanwhile. */
function whereFocusWas() {
  const from = document.activeElement;
  const ts = from?.closest?.("[data-ts]")?.dataset.ts;
  return () => {
    if (from?.isConnected && from !== document.body) from.focus();
    else if (ts) document.querySelector(`[data-ts="${CSS.escape(ts)}"]`)?.focus();
    return null;
  };
}

class Modal {
  constructor(view, depth) {
    const id = newId("modal");
    this.complaints = {};
    this.title = el("h2", { id });
    this.body = el("div", { class: "modal-body", tabindex: "-1" });
    this.trouble = el("p", { class: "trouble", role: "alert" });
    this.foot = el("footer");
    this.form = el("form", { novalidate: true, onsubmit: (event) => {
      event.preventDefault();
      this.submit();
    } }, this.trouble, this.body, this.foot);
    this.dialog = el("dialog", { class: `modal depth${depth}`, "aria-labelledby": id },
      el("header", {}, avatar(store.bot.user_id), this.title, el("span", { class: "grow" }),
        el("button", { type: "button", class: "ghost", "aria-label": "Dismiss", onclick: () => this.close(true) }, icon("close"))),
      this.form);
    this.dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      this.close(false);
    });
    document.body.append(this.dialog);
    this.show(view);
    this.dialog.showModal();
    const first = this.body.querySelector("[autofocus]") ?? this.body.querySelector("input, textarea, select");
    (first ?? this.body).focus();
  }

  show(view) {
    const seen = JSON.stringify([view.hash, view.errors]);
    if (this.seen === seen) return;
    const same = this.view?.hash === view.hash;
    Object.assign(this, { view, seen });
    if (!same) this.complaints = {};
    this.trouble.textContent = "";
    this.draw();
    if (view.errors) this.toFault();
  }

  draw() {
    const { view } = this;
    const at = new OnView(view, { ...view.errors, ...this.complaints });
    at.touched = (block) => this.mended(block.block_id);
    this.title.replaceChildren(...text(view.title));
    const scroll = this.body.scrollTop;
    keepFocus(this.body, () => this.body.replaceChildren(...draw(view.blocks, at)));
    this.body.scrollTop = scroll;
    const close = view.close ? text(view.close) : view.submit ? "Cancel" : "Close";
    keepFocus(this.foot, () => this.foot.replaceChildren(
      el("button", { type: "button", class: "button", "data-key": "close", onclick: () => this.close(false) }, el("span", {}, close)),
      view.submit ? el("button", { type: "submit", class: "button primary", "data-key": "submit", disabled: view.submit_disabled }, el("span", {}, text(view.submit))) : ""));
  }

  async submit() {
    const { view } = this;
    const button = this.foot.querySelector("[type=submit]");
    if (!button || button.disabled || button.getAttribute("aria-busy") === "true") return;
    this.trouble.textContent = "";
    const answer = await busy(button, () => new OnView(view).act("submit", { client_checks: true }));
    if (answer?.error === "client_refuses") {
      const missing = (answer.missing ?? []).map((id) => [id, REQUIRED]);
      this.complaints = { ...Object.fromEntries(missing), ...answer.errors };
      this.draw();
      this.toFault();
    } else if (!answer?.acked || !answer.ok) {
      this.trouble.textContent = answer && !answer.acked && !answer.ok ? refusal(answer) : TROUBLE;
    }
  }

  /** What was wrong with a field is taken back as soon as the person works on it. */
  mended(block_id) {
    const block = this.body.querySelector(`[data-block="${CSS.escape(block_id)}"]`);
    delete this.complaints[block_id];
    if (this.view.errors) delete this.view.errors[block_id];
    block?.querySelector(".error")?.replaceChildren();
    block?.querySelector("[aria-invalid]")?.removeAttribute("aria-invalid");
  }

  toFault() {
    this.body.querySelector("[aria-invalid]")?.focus();
  }

  /** Closes this view, or the whole stack as the cross does. */
  async close(all) {
    const answer = await new OnView(this.view).act("close", { all, state: undefined }).catch(() => null);
    if (!answer) toast(TROUBLE, "bad");
  }

  gone() {
    open.delete(this.view.id);
    forget(this.view.id);
    this.dialog.close();
    this.dialog.remove();
  }
}
