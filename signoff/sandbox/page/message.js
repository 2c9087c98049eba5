// One message: who, when, what, and what one can do with it.
import { el, fill, keepFocus, toast } from "./dom.js";
import { icon } from "./icons.js";
import { clock, exactly, moment, near, dayLine } from "./dates.js";
import { draw } from "./blocks.js";
import { openMenu } from "./menu.js";
import { avatar, person } from "./names.js";
import { go } from "./place.js";
import { post } from "./api.js";
import { refusal } from "./press.js";
import { store } from "./store.js";
import { OnMessage } from "./surface.js";
import { mrkdwn } from "./text.js";

/** A new element for a message; `inThread` leaves out the way into its thread. */
export function article(message, channel, inThread) {
  const made = el("article", { class: "message", tabindex: "-1", "data-ts": message.ts });
  redraw(made, message, channel, inThread);
  return made;
}

/** Draws a message anew in its element. */
export function redraw(made, message, channel, inThread) {
  const sender = person(message.user);
  const bot = store.users.get(message.user)?.is_bot;
  const at = moment(message.ts);
  const mine = message.ephemeral_to;
  made.setAttribute("aria-label", `${sender}, ${clock(at)}${mine ? ", only visible to you" : ""}`);
  made.classList.toggle("ephemeral", Boolean(mine));
  keepFocus(made, () => fill(made,
    avatar(message.user),
    el("div", { class: "content" },
      mine ? el("p", { class: "only-you" }, icon("eye"), " Only visible to you") : "",
      el("div", { class: "from" }, el("strong", {}, sender), bot ? el("span", { class: "app" }, "APP") : null,
        el("time", { class: "quiet", title: exactly(at) }, clock(at))),
      el("div", { class: "blocks" }, body(message, channel)),
      (message.files ?? []).map(file),
      inThread || mine ? null : replies(message)),
    toolbar(message, channel, inThread)));
}

function body(message, channel) {
  const edited = message.edited ? el("span", { class: "quiet" }, " (edited)") : null;
  if (message.blocks?.length) return [draw(message.blocks, new OnMessage(channel, message)), edited];
  return el("div", { class: "text" }, mrkdwn(message.text), edited);
}

/** A file: a picture is shown, a PDF opens in another tab, of a deleted one it is only said that it was there. */
function file(one) {
  if (one.mode === "tombstone") return el("div", { class: "file quiet" }, "This file was deleted.");
  const address = `/sandbox/files/${encodeURIComponent(one.id)}`;
  const shown = /^image\/|^application\/pdf$/.test(one.mimetype ?? "");
  const title = shown ? el("a", { href: address, target: "_blank", rel: "noopener" }, one.title) : one.title;
  const name = one.name === one.title ? "" : `${one.name} · `;
  return el("div", { class: "file" },
    el("div", {}, icon("file"), " ", el("strong", {}, title),
      el("span", { class: "quiet" }, ` ${name}${size(one.size)}`)),
    shown && one.mimetype.startsWith("image/") ? el("img", { src: address, alt: one.alt_txt ?? one.title }) : null);
}
const size = (bytes) => (bytes < 1024 ? `${bytes} bytes` : `${Math.round(bytes / 1024)} KB`);

function replies(message) {
  if (!message.reply_count) return null;
  const last = moment(message.latest_reply);
  const when = `${near(last) || dayLine(last)} at ${clock(last)}`;
  const count = `${message.reply_count} ${message.reply_count === 1 ? "reply" : "replies"}`;
  return el("button", { type: "button", class: "replies", "data-key": "replies", onclick: () => go({ thread: message.ts }) },
    el("strong", {}, count), el("span", { class: "quiet" }, `Last reply ${when}`));
}

function toolbar(message, channel, inThread) {
  const button = (label, sign, act) => el("button", { type: "button", class: "tool", "aria-label": label, title: label, "data-key": label, onclick: act }, sign);
  const thread = message.thread_ts && message.thread_ts !== message.ts ? message.thread_ts : message.ts;
  const reply = inThread || message.ephemeral_to ? null : button("Reply in thread", icon("reply"), () => go({ thread }));
  const offered = shortcuts(message, channel);
  const more = offered.length ? button("More actions", icon("more"), (event) => openMenu(event.currentTarget, "More actions", offered)) : null;
  more?.setAttribute("aria-haspopup", "menu");
  return reply || more ? el("div", { class: "toolbar" }, reply, more) : null;
}

function shortcuts(message, channel) {
  if (message.ephemeral_to || store.me.team_id !== store.team.id) return [];
  const app = person(store.bot.user_id);
  return store.bot.features.shortcuts.filter((one) => one.type === "message").map((one) => ({
    label: one.name,
    hint: `${app}${one.description ? ` · ${one.description}` : ""}`,
    act: () => shortcut({ type: "message_shortcut", channel, ts: message.ts, callback_id: one.callback_id }),
  }));
}

/** Uses a shortcut, and says where it fails. */
export async function shortcut(fields) {
  const answer = await post("act", { user: store.me.id, ...fields }).catch(() => null);
  if (!answer) toast("Slack’s stand-in cannot be reached.", "bad");
  else if (!answer.ok) toast(refusal(answer), "bad");
  else if (!answer.acked) toast("The shortcut failed because the app did not respond.", "bad");
}
