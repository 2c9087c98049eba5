/** Questions to people, and their answers: signed as approvals are, and never an approval of anything. */
import { isPlain, type Json, type JsonObject } from "./canonical.js";
import { Invalid, NotVerified } from "./errors.js";
import { named, type Exchange } from "./exchange.js";
import { shortCode } from "./identity.js";
import { QUESTION, refusal, type Receipt } from "./receipts.js";
import { build, type Built, type Claims, type Wait } from "./request.js";
import type { Pending } from "./ticket.js";

/** Why an agent asks: many meanings, sources that contradict, tries that went wrong, how far it may go, a taste, or else. */
export type Why = "ambiguous" | "conflict" | "failed" | "scope" | "preference" | "other";

/** One of several answers to choose from: `id` is what comes back, `text` what people read. */
export interface Option {
  readonly id: string;
  readonly text: string;
  readonly about?: string | undefined;
}

/** An option's text; or that, and what more there is to say of it. */
export type Said = string | readonly [text: string, about: string];

/** What may be said with a question. People see all of it as the agent's own words. */
export interface Question extends Pick<Claims, "context" | "run" | "key" | "expiresIn" | "conversation" | "requestedBy" | "traceparent"> {
  /**
   * At most 10: id → text, or a list, which keeps its order whatever the ids are. A pair of texts says more of an option.
   * A text in a list is its own id where each of them could be one, as "red"; else they are called "1", "2" and so on.
   */
  options?: Readonly<Record<string, Said>> | readonly Option[] | readonly Said[] | undefined;
  /** Whether several of them can be chosen. */
  several?: boolean | undefined;
  /** Whether a date answers it. */
  date?: boolean | undefined;
  /** Whether a text answers it. Without options and date it does, if not said. */
  freeText?: boolean | undefined;
  /** What the agent takes where somebody says *You decide*: an option's id or text; a text or a date where there are none. */
  default?: string | undefined;
  why?: Why | undefined;
  /** What contradicts each other; at least two with `conflict`. */
  sources?: readonly { readonly name: string; readonly text: string }[] | undefined;
  /** What was tried, and what went wrong; at least one with `failed`. */
  tries?: readonly { readonly what: string; readonly error?: string | undefined }[] | undefined;
}

const UNANSWERED = "Nobody has answered yet: the question stays pending, and resumeQuestion() waits for it again.";
const ID = /^[A-Za-z0-9_-]{1,40}$/;

/** What askPerson() takes besides the question. */
export interface AskPerson extends Question, Wait {}

/**
 * What a person answered. It lets nothing run.
 *
 * With `default` they said that it is for the agent to decide: what stands beside it is the agent's own default, and
 * nobody's choice. With `none` none of the options is right, and `text` says what is.
 */
export interface Answer {
  /** The id of the option that was chosen, the first of `choices`. */
  readonly choice: string | undefined;
  /** All that were chosen, in the question's order. */
  readonly choices: readonly string[];
  readonly text: string;
  /** ISO 8601: 2026-11-28. */
  readonly date: string | undefined;
  readonly default: boolean;
  readonly none: boolean;
  /** Who answered, by name; `receipt.decidedBy` has their id. */
  readonly by: string;
  readonly at: Date;
  readonly receipt: Receipt;
}

/** A question that was sent. `digest` is its payload's, undefined where this process did not send it. */
export class QuestionTicket {
  readonly action = QUESTION;
  readonly #exchange: Exchange;
  /** What people call it. */
  readonly code: string;
  /** @internal */
  readonly body: JsonObject | undefined;

  /** @internal */
  constructor(
    exchange: Exchange,
    readonly id: string,
    readonly digest?: string,
    body?: JsonObject,
  ) {
    this.#exchange = exchange;
    this.code = shortCode(id);
    Object.defineProperty(this, "body", { value: body, enumerable: false }); // no log prints what was asked
  }

  /** The answer, verified. Throws a NotApproved where it ends otherwise, WaitTimeout, Unreachable, NotVerified. */
  async wait(wait: Wait = {}): Promise<Answer> {
    const receipt = await this.#exchange.ended(this, wait, UNANSWERED);
    if (receipt.kind !== QUESTION && receipt.digestSent !== undefined) {
      if (this.body === undefined) throw new Invalid("It is a request for an approval, and no question: resume() takes it up.", receipt);
      throw new NotVerified("It was no question that was asked under this id.");
    }
    if (receipt.status !== "answered") throw named(refusal(receipt), this.action);
    return answerOf(receipt, this.body?.["payload"]);
  }

  /** Its state now. */
  async get(): Promise<Receipt | Pending | undefined> {
    return this.#exchange.get(this.id);
  }

  /** Withdraw it. */
  async cancel(reason = ""): Promise<Receipt> {
    return this.#exchange.cancel(this.id, reason, this.#exchange.patience);
  }
}

/** → the question as it is sent; throws Invalid. */
export async function askedOf(agent: string, question: string, said: Question, secret?: string): Promise<Built> {
  const { options, several, date, freeText, default: usual, why, sources, tries, ...claims } = said;
  if (typeof question !== "string" || question.trim() === "") throw new Invalid("A question has to ask something.");
  const listed = optionsOf(options);
  const text = freeText ?? (listed.length === 0 && !date);
  if (listed.length === 0 && !date && !text)
    throw new Invalid("Nobody could answer it: give options, or allow a date or a free text.");
  const payload = {
    question,
    ...(listed.length > 0 && { options: listed }),
    ...(several && { several }),
    ...(date && { date }),
    ...(text && { free_text: text }),
    ...(usual !== undefined && { default: idOf(listed, usual) }),
    ...(why !== undefined && why !== "other" && { why }),
    ...(sources?.length && { sources }),
    ...(tries?.length && { tries }),
  };
  return build(agent, QUESTION, payload, claims, secret, QUESTION);
}

/** A verified receipt of an answered question → the answer; throws NotVerified where it is none, or not to `asked`. */
export function answerOf(receipt: Receipt, asked?: Json): Answer {
  if (receipt.kind !== QUESTION) throw new NotVerified("It is no answer to a question.");
  const found = answerIn(receipt);
  if (asked !== undefined && !found.choices.every((id) => idsOf(asked).includes(id)))
    throw new NotVerified("It chooses what was not among the options.");
  return found;
}

/** The same of whatever is answered, as what people say of a result is, too. */
export function answerIn(receipt: Receipt): Answer {
  const { answer, decidedBy } = receipt;
  if (receipt.status !== "answered" || answer === undefined || !decidedBy) throw new NotVerified("It is no answer to a question.");
  const { choice = [], text = "", date = null, default: usual = false, none = false, ...more } = answer;
  const right =
    Array.isArray(choice) &&
    choice.every((id) => typeof id === "string") &&
    typeof text === "string" &&
    (date === null || typeof date === "string") &&
    typeof usual === "boolean" &&
    typeof none === "boolean" &&
    Object.keys(more).length === 0;
  if (!right) throw new NotVerified("Its answer is not spelled as one.");
  const choices = choice as string[];
  return {
    choice: choices[0],
    choices,
    text,
    date: date ?? undefined,
    default: usual,
    none,
    by: decidedBy.name,
    at: decidedBy.at,
    receipt,
  };
}

function optionsOf(options: Question["options"]): Option[] {
  if (options === undefined) return [];
  const listed = Array.isArray(options) ? (options as (Option | Said)[]) : undefined;
  const found = listed ? listed.map(optionOf) : Object.entries(options).map(([id, said]) => ({ ...optionOf(said as Said), id }));
  if (found.length === 0) throw new Invalid("options is empty: leave it out where people are to write a text.");
  if (listed && !listed.every((one) => isPlain(one))) {
    const texts = found.map(({ text }) => text);
    const own = texts.every((text) => ID.test(text)) && new Set(texts).size === texts.length;
    found.forEach((one, at) => (one.id = own ? one.text : String(at + 1)));
  }
  if (new Set(found.map(({ text }) => text.trim().split(/\s+/).join(" "))).size < found.length)
    throw new Invalid("Two options read the same, and nobody could tell them apart: say more in their texts.");
  return found;
}

function optionOf(said: Option | Said): { id: string; text: string; about?: string } {
  const [text, about] = typeof said === "string" ? [said] : Array.isArray(said) ? (said as readonly string[]) : [(said as Option).text, (said as Option).about];
  if (typeof text !== "string") throw new Invalid('An option is a text, a pair ["Ann Smith", "of Berlin"], or { id, text, about }.');
  const id = isPlain(said) ? (said as unknown as Option).id : "";
  return { id, text, ...(about !== undefined && about !== "" && { about }) };
}

function idOf(options: readonly Option[], usual: string): string {
  return options.find(({ id }) => id === usual)?.id ?? options.find(({ text }) => text === usual)?.id ?? usual;
}

function idsOf(payload: Json): unknown[] {
  const options = isPlain(payload) ? payload["options"] : undefined;
  return Array.isArray(options) ? options.map((one) => (isPlain(one) ? one["id"] : undefined)) : [];
}
