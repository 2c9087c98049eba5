/** What may be said with a request, and how it becomes one on the wire. */
import { canonical, copy, digest, isPlain, type JsonObject } from "./canonical.js";
import { Invalid } from "./errors.js";
import { keyedNonce, random, requestId } from "./identity.js";
import type { components } from "./wire.js";

export type Reversibility = "reversible" | "costly" | "irreversible";

/**
 * All that a request may say beyond its action and payload. Everything is optional.
 *
 * People see it as the agent's claims; it can make a verdict stricter, never looser.
 */
export interface Claims {
  /** Why this should run, in a sentence or two; at most 4,000 characters. */
  reason?: string | undefined;
  /** Whether it can be undone; `costly` means: with effort. Undeclared counts as irreversible. */
  reversible?: boolean | Reversibility | undefined;
  risk?: "low" | "medium" | "high" | "critical" | undefined;
  /** How it would be undone. */
  undo?: string | undefined;
  /** What it touches. */
  impact?: string | undefined;
  /** What could be done instead: a text, or at most 10. */
  alternatives?: string | readonly string[] | undefined;
  /** More facts, as a JSON object. */
  context?: object | undefined;
  /** `money`, `external`, `personal-data`, `production`, `destructive`, or own ones (a-z, 0-9, -), at most 20. */
  tags?: readonly string[] | undefined;
  /** What it costs, in the currency that the policy counts in. */
  cost?: number | undefined;
  /** How sure the agent is, from 0 to 1. */
  confidence?: number | undefined;
  /** How many times this has failed before. */
  attempts?: number | undefined;
  /** Names the agent's piece of work that this belongs to. */
  run?: string | undefined;
  /** Asking again with the same key and content attaches to the first request. */
  key?: string | undefined;
  /** JSON Schema of the payload: orders the card's fields, and checks a person's corrections. */
  schema?: object | undefined;
  /** Whether a person may correct the payload, or the fields that they may. */
  editable?: boolean | readonly string[] | undefined;
  /** Seconds until an unanswered request ends: at most 30 days; 24 hours if not said. */
  expiresIn?: number | undefined;
  /** At most 150 characters. */
  title?: string | undefined;
  /** The Slack channel (or thread) that the agent would like; the policy decides. */
  conversation?: string | undefined;
  /** For whom the agent does this: a name, an address. */
  requestedBy?: string | undefined;
  /** The span that asks (W3C Trace Context): the server's are linked to it. */
  traceparent?: string | undefined;
  /** Which of several ways to read its task the agent has taken; at most 4,000 characters. */
  interpretation?: string | undefined;
}

/** How to wait. */
export interface Wait {
  /** Seconds until WaitTimeout; without, it waits until the request ends. */
  timeout?: number | undefined;
  /** Gives up: throws its reason. */
  signal?: AbortSignal | undefined;
}

/** `once`: one process alone may run it; with `at-least-once` every one that asks with the same key, until one reported. */
export type Runs = "once" | "at-least-once";

/** What ask() takes besides action and payload. */
export interface Ask extends Claims, Wait {
  runs?: Runs | undefined;
}

/** Seconds that the server is given at least to say who may run it, and at most to be told what became of it. */
export const SPEND = 10;

/** Throws Invalid where it is neither. */
export function checkRuns(runs: Runs): void {
  if (runs !== "once" && runs !== "at-least-once") throw new Invalid('runs is "once" or "at-least-once".');
}

/** A request as it is sent: `digest` is its payload's, `body` what POST /v1/requests takes. */
export interface Built {
  readonly id: string;
  readonly digest: string;
  readonly body: JsonObject;
}

const MAX_PAYLOAD = 256 * 1024;
const ACTION = /^[A-Za-z0-9_][A-Za-z0-9_.:/@-]{0,99}$/;

/** Claim → its name on the wire. */
const NAMES: Record<keyof Claims, keyof components["schemas"]["ApprovalRequest"]> = {
  reason: "reason",
  reversible: "reversibility",
  risk: "risk",
  undo: "undo",
  impact: "impact",
  alternatives: "alternatives",
  context: "context",
  tags: "tags",
  cost: "cost",
  confidence: "confidence",
  attempts: "attempts",
  run: "run",
  key: "key",
  schema: "schema",
  editable: "editable",
  expiresIn: "expires_in",
  title: "title",
  conversation: "conversation",
  requestedBy: "requested_by",
  traceparent: "traceparent",
  interpretation: "interpretation",
};

/**
 * → the request, with an id that commits to it; throws Invalid, naming the action.
 *
 * With the agent's own `secret` nobody else can tell the id of a request from its key. From here on nothing of the
 * payload is the caller's.
 */
export async function build(
  agent: string,
  action: string,
  payload: unknown,
  claims: Claims,
  secret?: string,
  kind = "approval",
): Promise<Built> {
  try {
    if (typeof action !== "string" || !ACTION.test(action))
      throw new Invalid('The action is no name such as "refund.create": letters, digits and . _ : / @ -, at most 100.');
    if (!isPlain(payload)) throw new Invalid("The payload has to be a plain object: put it into one, { items: [...] }.");
    const sent = copy(payload) as JsonObject;
    const said = copy(onWire(claims), "The request") as JsonObject;
    const text = canonical(sent);
    if (new Blob([text]).size > MAX_PAYLOAD) throw new Invalid("The payload has more than 256 KiB.");
    const nonce = claims.key === undefined ? random() : await keyedNonce(claims.key, secret);
    const digestSent = await digest(text);
    const id = await requestId(kind, agent, action, digestSent, nonce);
    return { id, digest: digestSent, body: { ...said, id, nonce, kind, action, payload: sent } };
  } catch (error) {
    if (error instanceof Invalid) error.action = String(action).slice(0, 100);
    throw error;
  }
}

function onWire(claims: Claims): Record<string, unknown> {
  const wire: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(claims)) {
    if (!Object.hasOwn(NAMES, name)) throw new Invalid(`There is no field ${name.slice(0, 60)}.`);
    if (value !== undefined) wire[NAMES[name as keyof Claims]] = value;
  }
  const { reversible, alternatives, key } = claims;
  if (typeof reversible === "boolean") wire["reversibility"] = reversible ? "reversible" : "irreversible";
  if (typeof alternatives === "string") wire["alternatives"] = alternatives === "" ? [] : [alternatives];
  if (key !== undefined && typeof key !== "string") throw new Invalid("key has to be a text.");
  return wire;
}
