// Slack's text objects: plain_text as it stands, mrkdwn with its marks. Whatever is no mark is text.
import { el } from "./dom.js";
import { formatted } from "./dates.js";
import { emojis } from "./emoji.js";
import { place } from "./place.js";
import { store } from "./store.js";
import { broadcast, channelMention, groupMention, mention } from "./names.js";

/** A text object as nodes. */
export function text(object) {
  if (!object) return [];
  if (object.type === "mrkdwn") return mrkdwn(object.text, !object.verbatim);
  return [object.emoji === false ? object.text : emojis(object.text)];
}

/** mrkdwn as nodes; `loose` makes links of bare addresses, as Slack does unless told otherwise. */
export function mrkdwn(source, loose = true) {
  const nodes = [];
  source.split(/```([\s\S]+?)```/).forEach((part, index) => {
    if (index % 2) nodes.push(el("pre", {}, entities(part.replace(/^\n|\n$/g, ""))));
    else nodes.push(...quotes(part, loose));
  });
  return nodes;
}

function quotes(source, loose) {
  const nodes = [];
  let quote = [];
  let lines = [];
  const flush = () => {
    if (lines.length) nodes.push(...inline(lines.join("\n"), loose));
    if (quote.length) nodes.push(el("blockquote", {}, inline(quote.join("\n"), loose)));
    lines = [];
    quote = [];
  };
  for (const line of source.split("\n")) {
    const quoted = /^(?:>|&gt;) ?/.exec(line);
    if (quoted ? lines.length : quote.length) flush();
    if (quoted) quote.push(line.slice(quoted[0].length));
    else lines.push(line);
  }
  flush();
  return nodes;
}

const MARKS = { "*": "strong", _: "em", "~": "s" };
const TOKEN = /<([^<>\n]+)>|`([^`\n]+)`|(?<![\p{L}\p{N}])([*_~])(?=\S)((?:(?!\3)[^\n])*?\S)\3(?![\p{L}\p{N}])|(https?:\/\/[^\s<>|]+[^\s<>|.,;:!?)'"\]])/gu;

function inline(source, loose) {
  const nodes = [];
  let at = 0;
  for (const found of source.matchAll(TOKEN)) {
    const [whole, angle, code, mark, marked, url] = found;
    if (found.index > at) nodes.push(emojis(entities(source.slice(at, found.index))));
    at = found.index + whole.length;
    if (angle) nodes.push(named(angle));
    else if (code) nodes.push(el("code", {}, entities(code.replace(/<([^<>|]+)(?:\|([^<>]+))?>/g, (_, a, b) => b ?? a))));
    else if (mark) nodes.push(el(MARKS[mark], {}, inline(marked, loose)));
    else nodes.push(loose ? link(entities(url)) : entities(url));
  }
  if (at < source.length) nodes.push(emojis(entities(source.slice(at))));
  return nodes;
}

/** What stands between < and >. */
function named(source) {
  const [what, label = ""] = split(source, "|");
  if (/^@[UW]/.test(what)) return mention(what.slice(1));
  if (what.startsWith("#C")) return channelMention(what.slice(1));
  if (what.startsWith("!subteam^")) return groupMention(what.split("^")[1]);
  if (what.startsWith("!date^")) return date(what, entities(label));
  if (/^!(here|channel|everyone)$/.test(what)) return broadcast(what.slice(1));
  if (what.startsWith("!")) return entities(label || what);
  return link(entities(what), entities(label));
}

function date(what, fallback) {
  const [, timestamp, format = "", url = ""] = what.split("^");
  const shown = formatted(timestamp, format, fallback);
  const time = el("time", { title: fallback }, shown);
  return url ? link(entities(url), "", time) : time;
}

/** A link; anything but http, https and mailto is text. Where the label is another address, the real one follows. */
export function link(url, label = "", content = null) {
  if (!/^(https?:\/\/|mailto:)/i.test(url)) return label || url;
  const shown = content ?? (label || url);
  const here = permalink(url);
  if (here) return el("a", { href: here }, shown);
  const made = el("a", { href: url, target: "_blank", rel: "noopener noreferrer", title: url }, shown);
  return misleads(label, url) ? [made, el("span", { class: "quiet" }, ` (${url})`)] : made;
}

/** The place on this page of a message's permalink. */
function permalink(url) {
  const found = /\/archives\/(\w+)\/p(\d+)(\d{6})(?:\?thread_ts=([\d.]+))?/.exec(url);
  const channel = found && url.startsWith(store.team?.url ?? " ") ? store.channels.get(found[1]) : null;
  if (!channel) return "";
  const where = channel.is_im ? "@messages" : channel.name;
  return `#/${place().user}/${where}/${found[4] ?? `p${found[2]}.${found[3]}`}`;
}

function misleads(label, url) {
  const named = /^\s*(?:https?:\/\/)?((?:[\w-]+\.)+[a-z]{2,})/i.exec(label);
  try {
    return Boolean(named) && new URL(url).hostname.toLowerCase() !== named[1].toLowerCase();
  } catch {
    return true;
  }
}

const ENTITIES = { "&amp;": "&", "&lt;": "<", "&gt;": ">" };
export const entities = (source) => source.replace(/&(?:amp|lt|gt);/g, (entity) => ENTITIES[entity]);

function split(source, by) {
  const at = source.indexOf(by);
  return at < 0 ? [source] : [source.slice(0, at), source.slice(at + 1)];
}
