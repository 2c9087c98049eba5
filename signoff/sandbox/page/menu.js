// Menus: a list of things to do that opens at a button; arrow keys, Home, End and first letters move in it.
import { el } from "./dom.js";

/** Opens a menu at `anchor`. An item has `label`, and maybe `hint`, `checked`, `group`, and `act` to call. */
export function openMenu(anchor, name, items) {
  const entries = items.map((item) => {
    if (item.group) return el("div", { class: "group", role: "presentation" }, item.group);
    const radio = item.checked !== undefined;
    return el("button", {
      type: "button", role: radio ? "menuitemradio" : "menuitem", tabindex: "-1",
      "aria-checked": radio ? String(item.checked) : null,
      onclick: () => {
        menu.hidePopover();
        item.act();
      },
    }, item.icon ?? null, el("span", { class: "label" }, item.label), item.hint ? el("span", { class: "hint" }, item.hint) : null);
  });
  const menu = el("div", { class: "menu", role: "menu", "aria-label": name, popover: "auto" }, entries);
  const buttons = entries.filter((entry) => entry.tagName === "BUTTON");
  menu.addEventListener("keydown", (event) => move(event, menu, buttons));
  menu.addEventListener("toggle", ({ newState }) => {
    anchor.setAttribute("aria-expanded", newState === "open");
    if (newState !== "closed") return;
    if (menu.contains(document.activeElement) || document.activeElement === document.body) anchor.focus();
    menu.remove();
  });
  (anchor.closest("dialog") ?? document.body).append(menu);
  menu.showPopover();
  stand(menu, anchor);
  (buttons.find((button) => button.getAttribute("aria-checked") === "true") ?? buttons[0])?.focus();
}

/** Puts something that floats below `anchor`, or above it where there is no room. */
export function stand(floating, anchor, wide = false) {
  const spot = anchor.getBoundingClientRect();
  if (wide) floating.style.width = `${Math.max(spot.width, 180)}px`;
  const { width, height } = floating.getBoundingClientRect();
  const below = spot.bottom + 4 + height <= innerHeight || spot.top < height;
  floating.style.left = `${Math.max(8, Math.min(spot.left, innerWidth - width - 8))}px`;
  floating.style.top = `${Math.max(8, below ? Math.min(spot.bottom + 4, innerHeight - height - 8) : spot.top - height - 4)}px`;
}

function move(event, menu, buttons) {
  const now = buttons.indexOf(document.activeElement);
  const to = { ArrowDown: now + 1, ArrowUp: now - 1, Home: 0, End: buttons.length - 1 }[event.key];
  if (to !== undefined) buttons.at(to % buttons.length).focus();
  else if (event.key === "Tab") menu.hidePopover();
  else if (event.key.length === 1 && /\S/.test(event.key)) {
    const after = [...buttons.slice(now + 1), ...buttons.slice(0, now + 1)];
    after.find((button) => button.textContent.toLowerCase().startsWith(event.key.toLowerCase()))?.focus();
  } else return;
  if (event.key !== "Tab" && event.key !== " ") event.preventDefault();
}
