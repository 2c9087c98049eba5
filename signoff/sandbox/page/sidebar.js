// The list at the left: channels, and the app with what it has sent to me.
import { el, keepFocus } from "./dom.js";
import { icon } from "./icons.js";
import { avatar, myChannels, myDirectMessage, person } from "./names.js";
import { go, place } from "./place.js";
import { store } from "./store.js";

/** Draws it anew. */
export function showSidebar(nav) {
  const direct = myDirectMessage();
  const news = direct ? store.reads[direct.id] : null;
  const local = store.me.team_id === store.team.id;
  const { where } = place();
  const app = entry({
    where: news?.unread ? "@messages" : "@home", name: person(store.bot.user_id), read: news,
    sign: avatar(store.bot.user_id), current: where.startsWith("@"),
  });
  keepFocus(nav, () => nav.replaceChildren(
    el("h2", {}, "Channels"),
    el("ul", {}, myChannels().map((channel) => entry({
      where: channel.name, name: channel.name, read: store.reads[channel.id], archived: channel.is_archived,
      sign: el("span", { class: "hash", "aria-hidden": "true" }, channel.is_private ? icon("lock") : "#"), current: where === channel.name,
    }))),
    ...(local ? [el("h2", {}, "Apps"), el("ul", {}, app)] : [])));
}

function entry({ where, name, read, sign, current, archived = false }) {
  const unread = !current && read?.unread > 0;
  const badge = unread && read.mentions ? el("span", { class: "count", "aria-hidden": "true" }, String(read.mentions)) : null;
  const classes = ["entry", unread ? "unread" : "", archived ? "archived" : ""].join(" ").trim();
  return el("li", {}, el("a", {
    class: classes, href: "#", "aria-label": unread ? `${name}, ${read.unread} unread` : name, "aria-current": current ? "page" : null, "data-key": where,
    onclick: (event) => {
      event.preventDefault();
      go({ where });
    },
  }, sign, el("span", { class: "name" }, name), badge));
}
