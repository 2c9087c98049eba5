// Makes and mends DOM. What comes from outside is only ever text: nothing here parses markup.
import { icon } from "./icons.js";

/** An element. `on…` are listeners, null and false leave an attribute out, true sets it empty. */
export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked") made[name] = value;
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.flat(9).filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
}

/** Replaces all that is in an element; null stands for nothing. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat(9).filter((child) => child !== null && child !== undefined && child !== ""));
}

let count = 0;
/** An id that no other element has. */
export const newId = (what) => `${what}-${++count}`;

/** Does `change` to a part of the page and keeps the focus, and what is selected, in it. */
export function keepFocus(part, change) {
  const before = document.activeElement;
  const inside = before && part.contains(before) && before !== part;
  const key = inside ? before.dataset.key : null;
  const range = inside && typeof before.selectionStart === "number" ? [before.selectionStart, before.selectionEnd] : null;
  change();
  if (!inside || document.contains(before)) return;
  const again = key ? [...part.querySelectorAll("[data-key]")].find((e) => e.dataset.key === key) : null;
  const target = again || part.closest("[tabindex]") || part.querySelector("[tabindex]");
  target?.focus({ preventScroll: true });
  if (again && range) again.setSelectionRange?.(...range);
}

/** Says something for a few seconds at the page's lower edge. */
export function toast(text, kind = "") {
  const box = document.getElementById("toasts");
  const one = el("div", { class: `toast ${kind}` }, kind === "bad" ? [icon("warn"), " "] : null, text);
  box.append(one);
  // A modal makes all else inert and covers it: the top layer is where a toast can still be read.
  box.popover = "manual";
  box.hidePopover?.();
  box.showPopover?.();
  setTimeout(() => {
    one.remove();
    if (!box.childElementCount) box.hidePopover?.();
  }, 8000);
}

const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202f\u205f-\u206f\ufeff\ufff9-\ufffb]/g;
/** Text for people who look into things: what cannot be seen is written as an escape. */
export const visible = (text) =>
  text.replace(HIDDEN, (char) => `\\u${char.codePointAt(0).toString(16).padStart(4, "0")}`);
