// A press: it asks first where the app wants that, spins until the app has acknowledged, and warns where it has not.
import { el, toast } from "./dom.js";
import { icon } from "./icons.js";
import { ask } from "./confirm.js";

const TIMED_OUT = "Operation timed out. Apps need to respond within three seconds.";

/** Sends an action from `anchor`, once at a time; gives the answer, or null where nothing was sent. */
export async function press(anchor, at, element, fields) {
  if (anchor.getAttribute("aria-busy") === "true") return null;
  if (element.confirm && !(await ask(element.confirm))) return null;
  const place = anchor.closest(".block") ?? anchor.parentElement;
  place?.querySelector(":scope > .warning")?.remove();
  const warn = (words) => {
    if (!anchor.isConnected) return toast(words, "bad");
    place.append(el("p", { class: "warning", role: "alert" }, icon("warn"), " ", words));
  };
  const answer = await busy(anchor, () => at.act("click", { action_id: element.action_id, ...fields }));
  if (answer === null) warn("Slack’s stand-in cannot be reached.");
  else if (!answer.ok) warn(refusal(answer));
  else if (!answer.acked) warn(TIMED_OUT);
  return answer;
}

/** Shows that something is on its way; null where nobody was there. */
export async function busy(anchor, work) {
  anchor.setAttribute("aria-busy", "true");
  try {
    return await work();
  } catch {
    return null;
  } finally {
    anchor.removeAttribute("aria-busy");
  }
}

const WORDS = {
  app_not_installed: "This app was removed from the workspace.",
  no_such_element: "This is no longer there.",
  message_not_found: "This message is no longer there.",
  view_not_found: "This view is no longer there.",
  view_not_on_top: "Another view lies on top of this one.",
  not_in_channel: "Only members of this channel can do that.",
  not_allowed_for_external_users: "Slack keeps this to people of the app’s own workspace.",
  is_archived: "This channel is archived.",
  no_shortcuts_here: "Messages that only you see have no shortcuts.",
  msg_too_long: "This message is too long.",
};
/** Why the stand-in refuses an act, for people. */
export const refusal = (answer) => WORDS[answer.error] ?? answer.detail ?? `Slack refuses that: ${answer.error}`;
