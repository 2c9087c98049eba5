/** What a model is told when its action was not approved; word for word as `signoff/client/explanation.py`. */
import type { NotApproved, Refused } from "./errors.js";

const WHY: Record<Refused, string> = {
  rejected: "",
  expired: "nobody answered in time. This is not a rejection.",
  blocked: "the policy blocks it. Nobody can approve it.",
  cancelled: "the request was withdrawn.",
  duplicate: "the same request has been made already.",
  limited: "too much was asked for at once.",
  invalid: "the request is not valid.",
};
const NEXT: Record<Refused, string> = {
  rejected: "This answer is final: do not ask for it again.",
  expired: "If it is still needed, you may ask again.",
  blocked: "Asking again will not change that.",
  cancelled: "Do not ask for it again unless you are told to.",
  duplicate: "Do not ask for it again: there is an answer to the first, or there will be.",
  limited: "Nobody has looked at it. You may ask again later.",
  invalid: "Correct it, then you may ask again.",
};

/**
 * A text for a model: what did not run, who said so and why, what to change, whether it may ask again.
 *
 * Each status reads differently, a timeout never as a rejection, and none suggests a way round.
 */
export function explain(error: NotApproved): string {
  const { receipt, status } = error;
  const why = WHY[status] || `${receipt?.decidedBy?.name ?? "a person"} rejected it.`;
  const reason = receipt?.reason || (status === "invalid" || status === "duplicate" ? error.detail : "");
  const asked = receipt?.resubmit ? "They ask for changes: " : "Reason: ";
  const parts = [
    `${error.action || "The action"} was not run: ${why}`,
    reason && asked + sentence(reason),
    receipt?.neverShown && "It could not be shown to anyone; a person has to look at why.",
    receipt?.resubmit ? "You may ask again once it has been changed in that way." : NEXT[status],
  ];
  return parts.filter(Boolean).join(" ");
}

function sentence(text: string): string {
  const trimmed = text.trim();
  return /[.!?…]$/.test(trimmed) ? trimmed : `${trimmed}.`;
}
