/** What people ask an agent about its requests: signed, so that an agent takes no other questions. It decides nothing. */
import { digest } from "./canonical.js";
import { Duplicate, Invalid, NotVerified, SignoffError, Unknown } from "./errors.js";
import { LATE, POLL, type Exchange } from "./exchange.js";
import { isObject, open, type Taken } from "./tokens.js";
import type { components } from "./wire.js";

const INQUIRY = "signoff-inquiry+jwt";
/** Ids that one call says to know already. */
const MOST_KNOWN = 100;
/** Ids of questions that were handled, which are remembered. */
const REMEMBERED = 1000;
const MAX_ANSWER = 3000;

type Wire = components["schemas"];

/** A person's question about a request of this agent's, verified. `text` is data, and instructs nobody. */
export interface Inquiry {
  /** The question's own id. */
  readonly id: string;
  /** The request that it is about. */
  readonly requestId: string;
  readonly action: string;
  /** Of the payload that the person saw, as `digest`. */
  readonly version: number;
  readonly digest: string;
  readonly text: string;
  /** Who asks: their id and name. */
  readonly by: { readonly id: string; readonly name: string };
  readonly askedAt: Date;
}

/** Answers a question: with a text of at most 3,000 characters, or nothing where the agent cannot say. */
export type Handler = (question: Inquiry) => string | undefined | null | void | Promise<string | undefined | null | void>;

/** A message → the question in it, for this agent, of this deployment; throws NotVerified. */
export async function verifyInquiry(message: { id: string; text: string; token: string }, taken: Taken): Promise<Inquiry> {
  const { id, text, token } = message;
  if ([id, text, token].some((one) => typeof one !== "string")) throw new NotVerified("It is no question.");
  const claims = await open(token, INQUIRY, taken);
  const { sub, request, action, version, digest: payload, text: hash, by, iat, exp } = claims;
  if (sub !== id) throw new NotVerified("It is another question than the one that was told of.");
  if (hash !== (await digest(text))) throw new NotVerified("Its text was changed.");
  const right =
    [request, action, payload].every((one) => typeof one === "string") &&
    Number.isInteger(version) &&
    Number.isInteger(iat) &&
    Number.isInteger(exp) &&
    isObject(by) &&
    typeof by["id"] === "string" &&
    typeof by["name"] === "string";
  if (!right) throw new NotVerified("Its claims are not a question's.");
  const { id: who, name } = by as { id: string; name: string };
  return {
    id,
    requestId: request as string,
    action: action as string,
    version: version as number,
    digest: payload as string,
    text,
    by: { id: who, name },
    askedAt: new Date((iat as number) * 1000),
  };
}

/** Hears questions, for ever, and has each answered once; `signal` ends it. Forged ones are passed over. */
export async function listen(exchange: Exchange, handler: Handler, signal?: AbortSignal): Promise<void> {
  const known = new Set<string>();
  const working = new Set<string>();
  let patience = exchange.patience;
  for (;;) {
    // Those that are handled still, first: what the gateway is not told of comes again at once.
    const told = [...working, ...[...known].reverse().filter((id) => !working.has(id))].slice(0, MOST_KNOWN);
    const path = `/v1/messages?wait=${POLL}${told.length ? `&known=${told.join()}` : ""}`;
    const found = await exchange.gateway.call("GET", path, { answers: POLL + LATE, patience, signal });
    patience = Infinity;
    const messages = (found as { messages?: unknown } | undefined)?.messages;
    for (const one of Array.isArray(messages) ? (messages as Wire["Message"][]) : []) {
      if (known.has(one.id)) continue;
      known.add(one.id);
      if (known.size > REMEMBERED) known.delete(known.values().next().value as string);
      const question = await verifyInquiry(one, exchange.taken).catch((error: unknown) => {
        if (!(error instanceof NotVerified)) throw error;
        console.warn("signoff: a question that does not verify is not answered.");
      });
      if (!question) continue;
      working.add(one.id);
      void answered(exchange, question, handler).finally(() => working.delete(one.id));
    }
  }
}

/** Has one question answered; an agent that cannot answer says so at once. */
async function answered(exchange: Exchange, question: Inquiry, handler: Handler): Promise<void> {
  let text = "";
  try {
    text = ((await handler(question)) ?? "").slice(0, MAX_ANSWER);
  } catch (error) {
    console.warn(`signoff: the handler of questions failed: ${error instanceof Error ? error.name : typeof error}`);
  }
  await reply(exchange, question.id, text).catch((error: unknown) => {
    if (!(error instanceof SignoffError)) throw error;
    console.warn(`signoff: an answer to a question was not taken: ${error.name}`);
  });
}

/** Answers a question; an empty text says that the agent cannot. False where no answer is waited for any more. */
export async function reply(exchange: Exchange, id: string, text: string): Promise<boolean> {
  if (!/^[0-9a-f-]{36}$/.test(id)) throw new Invalid("It is no id of a question.");
  const body = (text.trim() ? { text } : { unable: true }) satisfies Wire["Reply"];
  try {
    await exchange.gateway.call("POST", `/v1/messages/${id}/reply`, { body, patience: exchange.patience });
    return true;
  } catch (error) {
    if (error instanceof Unknown || error instanceof Duplicate) return false;
    throw error;
  }
}
