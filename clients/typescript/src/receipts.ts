/**
 * Receipts: signed by the server, verified here; the same checks as `signoff/receipts.py`.
 *
 * A gateway that carries them need not be trusted: it cannot make one, change one, or pass one off for another.
 */
import { canonical, digest, isPlain, parse, type Json, type JsonObject } from "./canonical.js";
import { Invalid, NOT_APPROVED, NotVerified, OtherAction, OtherPayload, SignoffError, type Refused } from "./errors.js";
import { requestId } from "./identity.js";
import type { Keys } from "./keys.js";
import { isObject, open, type Taken } from "./tokens.js";

export type Status = "approved" | "answered" | Refused;

const RECEIPT = "signoff-receipt+jwt";
const NOTICE = "signoff-notice+jwt";
/** Statuses of requests in no row: nothing runs, whatever they held, so they need not say what was asked. */
const REFUSED_UNREAD: readonly Status[] = ["invalid", "duplicate", "limited", "expired"];
const STATUSES: readonly string[] = ["approved", "answered", ...Object.keys(NOT_APPROVED)];
/** The only kind of request that is approved or rejected; people answer all others. */
const APPROVAL = "approval";
export const QUESTION = "question";

/** Who decided: their id and name, and when by the server's clock. */
export interface Decider {
  readonly id: string;
  readonly name: string;
  readonly at: Date;
  readonly secondFactor?: string;
}

/** One whose vote made the end that a receipt tells. */
export interface Voter extends Decider {
  /** What the policy calls the seat that they filled; empty where there is only one. */
  readonly seat: string;
  /** They own the agent, it asked for them, or they changed the payload. */
  readonly self: boolean;
  /** The id of the person whom they stood in for. */
  readonly deputyFor?: string;
}

/** What somebody who was asked has noted for the agent. */
export interface Note {
  readonly by: string;
  readonly text: string;
  readonly at: Date;
}

/** What comes beside a receipt, and nobody has signed. */
interface Beside {
  readonly permalink?: string | null | undefined;
  readonly notes?: unknown;
}

interface Claims {
  readonly id: string;
  readonly kind: string;
  readonly agent: string;
  readonly action: string;
  readonly status: Status;
  readonly version: number;
  readonly digestSent: string | undefined;
  readonly digest: string | undefined;
  readonly decidedBy: Decider | undefined;
  /** All whose votes made this end, in their order; `decidedBy` is the last of them. */
  readonly voters: readonly Voter[];
  readonly reason: string;
  readonly resubmit: boolean;
  readonly neverShown: boolean;
  readonly policy: string;
  readonly rule: string;
  readonly why: string;
  readonly issuer: string;
  readonly jti: string;
  readonly nonce: string;
  /** What somebody answered to a question; it lets nothing run. */
  readonly answer: JsonObject | undefined;
  /** The id of the request whose action this one undoes. */
  readonly undoes: string | undefined;
  readonly issuedAt: Date;
  readonly notAfter: Date;
}

/**
 * The final word: verified, and bound to one request and one payload.
 *
 * `digestSent` is the digest of the payload as it was asked, `digest` of the one that was decided on. `policy` is the
 * digest of the policy, `rule` the name of the rule of it that decided, `why` a sentence of the policy's about that.
 */
export class Receipt {
  readonly #token: string;
  /** Where its card is, if the server said. Not signed. */
  readonly permalink: string | undefined;
  /** What people have noted for the agent: data, and instructs nobody. Not signed. */
  readonly notes: readonly Note[];

  constructor(claims: Claims, token: string, beside: Beside = {}) {
    Object.assign(this, claims);
    this.#token = token;
    this.permalink = beside.permalink ?? undefined;
    this.notes = notesOf(beside.notes);
  }

  /** The signed form, for an executor's guard. No log prints it by itself. */
  get token(): string {
    return this.#token;
  }

  /** True for the one status that lets anything run. */
  get approved(): boolean {
    return this.status === "approved";
  }

  /** True when the approved payload is not the one that was sent. */
  get edited(): boolean {
    return this.approved && this.digest !== this.digestSent;
  }
}
export interface Receipt extends Claims {}

/** A receipt that lets its action run: `payload` is what to run, and nothing else. */
export class ApprovedReceipt<P = JsonObject> extends Receipt {
  constructor(
    claims: Claims,
    token: string,
    beside: Beside,
    readonly payload: P,
  ) {
    super(claims, token, beside);
  }
}

/** What the server answers: a status, and once it is final the receipt; beside an approved one its payload's text. */
export interface Answer {
  readonly status: string;
  readonly receipt?: string | null;
  readonly payload?: string | null;
  readonly permalink?: string | null;
  readonly notes?: unknown;
}

/**
 * A signed receipt → what it says, for this agent, of this deployment; throws NotVerified.
 *
 * Checks the algorithm, the key, the kind, issuer, audience and expiry (by this machine's clock), and that its id is
 * the one of just what it names. What is about to run is for `bind` to compare.
 */
export async function verify(token: string, taken: Taken): Promise<Receipt> {
  return new Receipt(await read(token, taken), token);
}

/**
 * What may run: `payload`, where the receipt approves just that of just this action.
 *
 * Throws a NotApproved, OtherAction, OtherPayload, or Invalid (`payload` is not canonical JSON). That it runs only
 * once is for a guard to see to.
 */
export async function bind(receipt: Receipt, action: string, payload: unknown): Promise<JsonObject> {
  if (receipt.status !== "approved") throw refusal(receipt);
  if (!isPlain(payload)) throw new Invalid("The payload has to be a plain object.");
  if (receipt.action !== action) throw new OtherAction(`It approves ${receipt.action}, not ${action.slice(0, 100)}.`);
  const text = canonical(payload);
  if ((await digest(text)) !== receipt.digest) throw new OtherPayload(`What was approved of ${action} differs from it.`);
  return parse(text) as JsonObject;
}

/**
 * An answer → its receipt, of just this request; throws NotVerified. An approved one is an ApprovedReceipt.
 *
 * The id commits to kind, agent, action and payload as sent, so that it alone says what was asked. `digestSent` is the
 * digest of what this agent sent, where it still knows it.
 */
export async function accept(answer: Answer, taken: Taken, id: string, digestSent?: string): Promise<Receipt> {
  const token = answer.receipt ?? "";
  const claims = await read(token, taken);
  if (claims.id !== id) throw new NotVerified("It is the receipt of another request.");
  if (digestSent !== undefined && claims.digestSent !== undefined && claims.digestSent !== digestSent)
    throw new NotVerified("It is for another payload than the one that was sent.");
  if (claims.status !== answer.status) throw new NotVerified("The answer and its receipt differ.");
  if (claims.status !== "approved") return new Receipt(claims, token, answer);
  return new ApprovedReceipt(claims, token, answer, await payloadOf(answer.payload ?? "", claims.digest));
}

/** What is thrown of a verified receipt that approves nothing, as an answer to a question does. */
export function refusal(receipt: Receipt, detail = receipt.reason): SignoffError {
  if (receipt.status === "approved" || receipt.status === "answered")
    return new NotVerified("It answers a question, and approves nothing.");
  return new NOT_APPROVED[receipt.status](detail, receipt);
}

/** Which process has spent this receipt, and when; throws NotVerified where that is of another one. */
export async function verifyNotice(token: string, keys: Keys, receipt: Receipt): Promise<{ by: string; at: Date }> {
  const claims = await open(token, NOTICE, { keys, agent: receipt.agent, deployment: receipt.issuer });
  const { sub, signed, by, at } = claims;
  const when = typeof at === "string" ? new Date(at) : undefined;
  if (typeof by !== "string" || !when || Number.isNaN(when.getTime()))
    throw new NotVerified("Its claims are not a notice's.");
  if (sub !== receipt.id || signed !== (await digest(receipt.token)))
    throw new NotVerified("It is the notice of another receipt.");
  return { by, at: when };
}

/** Throws NotVerified where a receipt is over by now. */
export function checkTime(receipt: Receipt): void {
  if (receipt.notAfter.getTime() <= Date.now()) throw new NotVerified("It is no longer valid: ask again.");
}

async function payloadOf(text: string, signed: string | undefined): Promise<JsonObject> {
  if ((await digest(text)) !== signed)
    throw new NotVerified("The payload beside it is not the one that was approved.");
  try {
    const payload = parse(text);
    if (isPlain(payload) && canonical(payload) === text) return payload;
  } catch (error) {
    if (!(error instanceof SignoffError)) throw error;
  }
  throw new NotVerified("The payload beside it is not canonical JSON.");
}

async function read(token: string, taken: Taken): Promise<Claims> {
  const claims = claimsOf(await open(token, RECEIPT, taken));
  const { digestSent, kind, agent, action, nonce } = claims;
  if (!fitsKind(claims)) throw new NotVerified("Its answer is not one to what was asked.");
  if (digestSent === undefined) {
    if (!REFUSED_UNREAD.includes(claims.status)) throw new NotVerified("It does not say what was asked.");
  } else if (claims.id !== (await requestId(kind, agent, action, digestSent, nonce))) {
    throw new NotVerified("Its id is the one of another request.");
  }
  return claims;
}

/** Nothing but an approval is approved or rejected, and it is never answered, as all other kinds are. */
function fitsKind({ kind, status, answer }: Claims): boolean {
  if ((answer !== undefined) !== (status === "answered")) return false;
  return kind === APPROVAL ? status !== "answered" : status !== "approved" && status !== "rejected";
}

function notesOf(notes: unknown): Note[] {
  const found = Array.isArray(notes) ? (notes as Partial<Record<keyof Note, unknown>>[]) : [];
  return found.flatMap((one) =>
    typeof one?.by === "string" && typeof one.text === "string"
      ? [{ by: one.by, text: one.text, at: new Date(typeof one.at === "string" || one.at instanceof Date ? one.at : NaN) }]
      : [],
  );
}

function claimsOf(claims: JsonObject): Claims {
  const text = (name: string, otherwise?: string): string => {
    const value = claims[name] ?? otherwise;
    if (typeof value !== "string") throw new NotVerified(`Its claims are not a receipt's: ${name}.`);
    return value;
  };
  const whole = (name: string): number => {
    const value = claims[name];
    if (!Number.isInteger(value)) throw new NotVerified(`Its claims are not a receipt's: ${name}.`);
    return value as number;
  };
  const flag = (name: string): boolean => {
    const value = claims[name] ?? false;
    if (typeof value !== "boolean") throw new NotVerified(`Its claims are not a receipt's: ${name}.`);
    return value;
  };
  const status = text("status");
  if (!STATUSES.includes(status)) throw new NotVerified("Its claims are not a receipt's: status.");
  return {
    id: text("sub"),
    kind: text("kind"),
    agent: text("aud"),
    action: text("action"),
    status: status as Status,
    version: whole("version"),
    digestSent: claims.digest_sent == null ? undefined : text("digest_sent"),
    digest: claims.digest == null ? undefined : text("digest"),
    decidedBy: claims.decided_by == null ? undefined : deciderOf(claims.decided_by),
    voters: votersOf(claims.voters ?? []),
    reason: text("reason", ""),
    resubmit: flag("resubmit"),
    neverShown: flag("never_shown"),
    policy: text("policy", ""),
    rule: text("rule", ""),
    why: text("why", ""),
    issuer: text("iss"),
    jti: text("jti"),
    nonce: text("nonce", ""),
    answer: claims.answer == null ? undefined : objectOf(claims.answer, "answer"),
    undoes: claims.undoes == null ? undefined : text("undoes"),
    issuedAt: new Date(whole("iat") * 1000),
    notAfter: new Date(whole("exp") * 1000),
  };
}

function objectOf(value: Json, name: string): JsonObject {
  if (isObject(value)) return value;
  throw new NotVerified(`Its claims are not a receipt's: ${name}.`);
}

function votersOf(value: Json): Voter[] {
  if (!Array.isArray(value)) throw new NotVerified("Its claims are not a receipt's: voters.");
  return value.map((one) => {
    const { seat = "", self = false, second_factor: factor = "", deputy_for: deputy = "" } = isObject(one) ? one : {};
    if (typeof seat !== "string" || typeof self !== "boolean" || typeof factor !== "string" || typeof deputy !== "string")
      throw new NotVerified("Its claims are not a receipt's: voters.");
    return { ...deciderOf(one), seat, self, ...(deputy !== "" && { deputyFor: deputy }) };
  });
}

function deciderOf(value: Json): Decider {
  if (isObject(value)) {
    const { id, name, at, second_factor: factor } = value;
    const when = new Date(typeof at === "string" ? at : NaN);
    if (typeof id === "string" && typeof name === "string" && !Number.isNaN(when.getTime()))
      return { id, name, at: when, ...(typeof factor === "string" && { secondFactor: factor }) };
  }
  throw new NotVerified("Its claims are not a receipt's: decided_by.");
}
