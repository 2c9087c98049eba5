// The middle of the page: a channel, or the app's messages, with its head, its messages and a place to write.
import { el } from "./dom.js";
import { icon } from "./icons.js";
import { Composer } from "./composer.js";
import { Messages } from "./messages.js";
import { person } from "./names.js";
import { store } from "./store.js";

/** What fills the middle for a channel's box; `head` stands above it. */
export function channelView(box, head) {
  const channel = store.channels.get(box.channel);
  const name = channel.is_im ? person(store.bot.user_id) : `#${channel.name}`;
  const messages = new Messages(box, `Messages in ${name}`);
  return { messages, parts: [head, messages.element, foot(channel, name)] };
}

/** The head of a channel. */
export function channelHead(channel) {
  const people = `${channel.members.length} ${channel.members.length === 1 ? "member" : "members"}`;
  return el("header", { class: "head" },
    el("h1", {}, el("span", { class: "hash", "aria-hidden": "true" }, channel.is_private ? icon("lock") : "#"), channel.name),
    channel.is_ext_shared ? el("span", { class: "badge" }, "shared") : null,
    el("span", { class: "grow" }),
    el("span", { class: "quiet" }, people));
}

function foot(channel, name) {
  const home = store.bot.features.app_home;
  if (channel.is_archived) return note("This channel is archived: it can be read, and no longer written in.");
  if (channel.is_im && home.messages_tab_read_only_enabled) return note("Sending messages to this app has been turned off.");
  if (!channel.members.includes(store.me.id)) return note(`You see ${name}, but are no member: only members write here.`);
  return new Composer({ channel: channel.id, label: `Message ${name}` }).element;
}

const note = (words) => el("p", { class: "closed" }, words);
