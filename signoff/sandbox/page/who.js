// The switch for who I am: approvers, members, guests, people of another organisation.
import { el } from "./dom.js";
import { icon } from "./icons.js";
import { openMenu } from "./menu.js";
import { avatar, playable, role } from "./names.js";
import { go, place } from "./place.js";
import { store } from "./store.js";

/** Draws the button that says who I am. */
export function showWho(button) {
  const { me } = store;
  button.replaceChildren(avatar(me.id), el("span", { class: "wide" }, el("strong", {}, me.real_name), el("span", { class: "role" }, role(me))),
    icon("open"));
  button.setAttribute("aria-label", `You are ${me.real_name}. Be somebody else`);
  button.onclick = () => openMenu(button, "Who I am", [
    { group: "I am" },
    ...playable().map((user) => ({
      icon: avatar(user.id), label: user.real_name, hint: role(user), checked: user.id === me.id,
      act: () => go({ user: user.name, where: place().where }),
    })),
  ]);
}
