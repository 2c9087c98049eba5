// Times in the browser's own zone and language, by the words that Slack's formats have.

const short = { hour: "numeric", minute: "2-digit" };
const formats = new Map();

function by(options) {
  const key = JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat(undefined, options));
  return formats.get(key);
}

export const clock = (at) => by(short).format(at);
export const exactly = (at) => by({ dateStyle: "full", timeStyle: "medium" }).format(at);
export const seconds = (at) => by({ hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }).format(at);
/** A message's ts as a Date. */
export const moment = (ts) => new Date(Number(ts) * 1000);

/** today, yesterday, tomorrow, or nothing. */
export function near(at, now = new Date()) {
  const day = (date) => Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) / 86_400_000;
  return { 0: "today", "-1": "yesterday", 1: "tomorrow" }[day(at) - day(now)] ?? "";
}

/** The line between two days. */
export function dayLine(at) {
  const word = near(at);
  return word ? word[0].toUpperCase() + word.slice(1) : by({ weekday: "long", month: "long", day: "numeric" }).format(at);
}

const WORDS = {
  date_num: (at) => `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`,
  date_slash: (at) => by({ year: "numeric", month: "2-digit", day: "2-digit" }).format(at),
  date: (at) => by({ year: "numeric", month: "long", day: "numeric" }).format(at),
  date_short: (at) => by({ year: "numeric", month: "short", day: "numeric" }).format(at),
  date_long: (at) => by({ weekday: "long", year: "numeric", month: "long", day: "numeric" }).format(at),
  date_pretty: (at) => near(at) || WORDS.date(at),
  date_short_pretty: (at) => near(at) || WORDS.date_short(at),
  date_long_pretty: (at) => near(at) || WORDS.date_long(at),
  day_divider_pretty: (at) => near(at) || WORDS.date_long(at),
  time: clock,
  time_secs: (at) => by({ ...short, second: "2-digit" }).format(at),
  ago: (at) => ago(at),
};

/** A timestamp (seconds) in one of Slack's formats; `fallback` where either is none. */
export function formatted(timestamp, format, fallback) {
  const at = new Date(Number(timestamp) * 1000);
  if (!/^\d+$/.test(String(timestamp)) || Number.isNaN(at.getTime())) return fallback;
  const words = [...format.matchAll(/\{(\w+)\}/g)];
  if (!words.length || words.some(([, word]) => !Object.hasOwn(WORDS, word))) return fallback;
  return format.replace(/\{(\w+)\}/g, (_, word) => WORDS[word](at));
}

export function ago(at, now = Date.now()) {
  const past = Math.round((at.getTime() - now) / 1000);
  const units = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
  const [unit, size] = units.find(([, size]) => Math.abs(past) >= size) ?? units[3];
  return new Intl.RelativeTimeFormat(undefined, { numeric: "auto" }).format(Math.trunc(past / size), unit);
}

const two = (number) => String(number).padStart(2, "0");
