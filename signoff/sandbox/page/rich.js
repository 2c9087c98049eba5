// rich_text: paragraphs, lists, quotes and preformatted text, and all that stands in them.
import { el } from "./dom.js";
import { formatted } from "./dates.js";
import { broadcast, channelMention, groupMention, mention } from "./names.js";
import { emoji } from "./emoji.js";
import { link } from "./text.js";

/** A rich_text block's parts. Ordered lists go on counting over what is indented below them. */
export function rich(block) {
  return block.elements.map((part) => (PARTS[part.type] ?? unknown)(part));
}

const PARTS = {
  rich_text_section: (part) => el("div", { class: "rich" }, spans(part)),
  rich_text_quote: (part) => el("blockquote", { class: "rich" }, spans(part)),
  rich_text_preformatted: (part) => el("pre", { class: "rich" }, spans(part)),
  rich_text_list: (part) => {
    const indent = Math.min(part.indent ?? 0, 8);
    const items = part.elements.map((item) => el("li", {}, spans(item)));
    const attributes = { class: `rich indent${indent} marker${indent % 3}` };
    if (part.border) attributes.class += " bordered";
    if (part.style !== "ordered") return el("ul", attributes, items);
    return el("ol", { ...attributes, start: (part.offset ?? 0) + 1 }, items);
  },
};

const INLINE = {
  text: ({ text }) => text,
  link: ({ url, text }) => link(url, text ?? ""),
  emoji: ({ name, unicode }) => emoji(name, unicode),
  user: ({ user_id: id }) => mention(id),
  usergroup: ({ usergroup_id: id }) => groupMention(id),
  channel: ({ channel_id: id }) => channelMention(id),
  team: ({ team_id: id }) => el("span", { class: "mention" }, `@${id}`),
  broadcast: ({ range }) => broadcast(range),
  date: ({ timestamp, format, url, fallback }) => {
    const time = el("time", { title: fallback ?? null }, formatted(timestamp, format, fallback ?? String(timestamp)));
    return url ? link(url, "", time) : time;
  },
  color: ({ value }) => {
    const known = /^#[0-9a-f]{3,8}$/i.test(value);
    const swatch = el("span", { class: "swatch", "aria-hidden": "true" });
    if (known) swatch.style.backgroundColor = value;
    return [known ? swatch : null, value];
  },
};

const STYLES = [
  ["code", "code"], ["bold", "strong"], ["italic", "em"], ["strike", "s"], ["underline", "u"],
  ["highlight", "mark"], ["client_highlight", "mark"],
];

function spans(part) {
  return (part.elements ?? []).map((one) => {
    let node = (INLINE[one.type] ?? unknown)(one);
    for (const [style, tag] of STYLES) if (one.style?.[style]) node = el(tag, {}, node);
    return node;
  });
}

const unknown = ({ type }) => el("span", { class: "undrawn" }, `${type}: not drawn here`);
