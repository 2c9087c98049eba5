// Who and where, by id: names, roles, mentions.
import { el } from "./dom.js";
import { store } from "./store.js";

export const person = (id) => store.users.get(id)?.real_name ?? id;

/** What one has to know of a person to play them. */
export function role(user) {
  if (user.team_id !== store.team.id) return "another organisation";
  if (user.is_ultra_restricted) return "guest of one channel";
  if (user.is_restricted) return "guest";
  return user.profile.title || (user.is_owner ? "owner" : "member");
}

/** Everyone that one can be. */
export const playable = () => [...store.users.values()].filter((user) => !user.deleted && !user.is_bot);

/** The channels that the person I am sees; archived ones last. */
export function myChannels() {
  const seen = [...store.channels.values()].filter((channel) => !channel.is_im && store.reads[channel.id]);
  return seen.sort((a, b) => a.is_archived - b.is_archived);
}

/** The app's direct message with me, where there is one yet. */
export const myDirectMessage = () => [...store.channels.values()].find((c) => c.is_im && c.user === store.me?.id);

export function mention(id) {
  const user = store.users.get(id);
  return chip(`@${user?.profile.display_name || user?.real_name || id}`, id === store.me?.id, user?.real_name);
}
export function groupMention(id) {
  const group = store.usergroups.get(id);
  return chip(`@${group?.handle ?? id}`, group?.users.includes(store.me?.id), group?.name);
}
export const channelMention = (id) => chip(`#${store.channels.get(id)?.name ?? id}`);
export const broadcast = (range) => chip(`@${range}`, true);

function chip(text, mine = false, title = null) {
  return el("span", { class: mine ? "mention me" : "mention", title }, text);
}

/** A square with initials, in a colour that stays the person's. */
export function avatar(id) {
  const user = store.users.get(id);
  if (!user || user.is_bot) return el("img", { class: "avatar", src: "/page/icon.svg", alt: "" });
  const initials = user.real_name.split(/\s+/).map((word) => [...word][0]).join("").slice(0, 2);
  const colour = [...user.id].reduce((sum, char) => (sum * 31 + char.charCodeAt(0)) % 6, 0);
  return el("span", { class: `avatar colour${colour}`, "aria-hidden": "true" }, initials);
}
