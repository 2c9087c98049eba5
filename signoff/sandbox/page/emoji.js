// A few of Slack's names for emoji; a name that is not here stays as it is written.

const KNOWN = {
  white_check_mark: "✅", heavy_check_mark: "✔️", x: "❌", warning: "⚠️", no_entry: "⛔", rotating_light: "🚨",
  hourglass: "⌛", hourglass_flowing_sand: "⏳", alarm_clock: "⏰", clock3: "🕒", eyes: "👀", lock: "🔒", key: "🔑",
  "+1": "👍", thumbsup: "👍", "-1": "👎", thumbsdown: "👎", wave: "👋", pray: "🙏", clap: "👏", raised_hands: "🙌",
  smile: "😄", slightly_smiling_face: "🙂", thinking_face: "🤔", tada: "🎉", rocket: "🚀", fire: "🔥", bulb: "💡",
  robot_face: "🤖", memo: "📝", money_with_wings: "💸", moneybag: "💰", package: "📦", email: "📧", heart: "❤️",
  red_circle: "🔴", large_green_circle: "🟢", large_yellow_circle: "🟡", large_blue_circle: "🔵", bell: "🔔",
  point_right: "👉", arrow_right: "➡️", information_source: "ℹ️", question: "❓", exclamation: "❗", boom: "💥",
};

/** An emoji by its name, or by the code points that Slack gives with it ("1f389"). */
export function emoji(name, unicode = "") {
  const points = unicode.split("-").map((point) => Number.parseInt(point, 16));
  if (unicode && points.every((point) => point > 0 && point <= 0x10ffff)) return String.fromCodePoint(...points);
  return Object.hasOwn(KNOWN, name) ? KNOWN[name] : `:${name}:`;
}

/** Text with its :names: replaced. */
export const emojis = (source) => source.replace(/:([a-z0-9_+-]+):/g, (_, name) => emoji(name));
