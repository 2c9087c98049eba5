/**
 * Every error that an agent catches; the same as in Python (`signoff/errors.py`).
 *
 *     SignoffError
 *     ├── NotApproved            nothing may run
 *     │   ├── Rejected  Expired  Blocked  Cancelled  Limited  Stopped
 *     │   ├── Duplicate          it is asked, decided or run already
 *     │   │   └── AlreadySpent   another process runs it, or has
 *     │   └── Invalid            the request itself is at fault
 *     │       └── Unknown        this agent has asked no request of that id
 *     ├── WaitTimeout            this process stopped waiting; the request stays pending
 *     ├── Unreachable            the gateway cannot be reached
 *     ├── NotVerified            an answer came, but it is not a valid receipt for this request
 *     │   └── OtherAction  OtherPayload   it is valid, and for something else than what is about to run
 *     └── ConfigError            a setting is missing or wrong
 */
import type { Receipt } from "./receipts.js";

/** How a request ends that may not run. */
export type Refused = "rejected" | "expired" | "blocked" | "cancelled" | "duplicate" | "limited" | "invalid";

/** Something went wrong in Signoff. `detail` is the message without its first sentence. */
export class SignoffError extends Error {
  /** The first sentence of the message. */
  protected static readonly says: string = "Something went wrong in Signoff.";

  constructor(readonly detail: string = "", options?: ErrorOptions) {
    super("", options);
    this.message = `${(new.target as typeof SignoffError).says} ${detail}`.trim();
  }
}

/** The request was not approved: do not run it. */
export abstract class NotApproved extends SignoffError {
  protected static override readonly says: string = "The request was not approved: do not run it.";
  abstract readonly status: Refused;
  /** What may not run, where that is known: a request that was refused unread has a receipt that does not name it. */
  action: string;

  /** `receipt` is the signed answer; undefined where the request was refused before there was one. */
  constructor(
    detail = "",
    readonly receipt?: Receipt,
    action = "",
  ) {
    super(detail);
    this.action = action || (receipt?.action ?? "");
  }
}

/** A person rejected the request. */
export class Rejected extends NotApproved {
  protected static override readonly says = "A person rejected the request.";
  readonly status = "rejected";
}

/** Nobody answered in time: this is not a rejection, and nothing may run. */
export class Expired extends NotApproved {
  protected static override readonly says = "Nobody answered in time: this is not a rejection, and nothing may run.";
  readonly status = "expired";
}

/** The policy blocks this action. */
export class Blocked extends NotApproved {
  protected static override readonly says = "The policy blocks this action.";
  readonly status = "blocked";
}

/** The request was withdrawn. */
export class Cancelled extends NotApproved {
  protected static override readonly says = "The request was withdrawn.";
  readonly status = "cancelled";
}

/** It is asked, decided or run already: do not run it again. */
export class Duplicate extends NotApproved {
  protected static override readonly says: string = "It is asked, decided or run already: do not run it again.";
  readonly status = "duplicate";
}

/** It runs, or has run, under this approval already: ask with another key. */
export class AlreadySpent extends Duplicate {
  protected static override readonly says = "It runs, or has run, under this approval already: ask with another key.";

  /** `by` names who spent it (as they named themselves), `at` is when; undefined where that is not known. */
  constructor(
    readonly by = "",
    readonly at?: Date,
    detail = "",
    receipt?: Receipt,
  ) {
    super(detail || (by && `Spent by ${by}${at ? ` at ${at.toISOString()}` : ""}.`), receipt);
  }
}

/** Somebody has stopped this agent, or whether they did cannot be told: nothing may run. */
export class Stopped extends NotApproved {
  protected static override readonly says =
    "Somebody has stopped this agent, or whether they did cannot be told: nothing may run.";
  readonly status = "blocked";
}

/** This agent has asked for too much at once: wait before asking again. */
export class Limited extends NotApproved {
  protected static override readonly says = "This agent has asked for too much at once: wait before asking again.";
  readonly status = "limited";
}

/** The request is not valid: correct it and send a new one. */
export class Invalid extends NotApproved {
  protected static override readonly says: string = "The request is not valid: correct it and send a new one.";
  readonly status = "invalid";
}

/** The gateway knows no request of this agent with this id: check it, and SIGNOFF_TOKEN, or ask anew. */
export class Unknown extends Invalid {
  protected static override readonly says =
    "The gateway knows no request of this agent with this id: check it, and SIGNOFF_TOKEN, or ask anew.";
}

/** Status → the error that tells it. */
export const NOT_APPROVED: Record<Refused, new (detail?: string, receipt?: Receipt, action?: string) => NotApproved> = {
  rejected: Rejected,
  expired: Expired,
  blocked: Blocked,
  cancelled: Cancelled,
  duplicate: Duplicate,
  limited: Limited,
  invalid: Invalid,
};

/** Nobody has decided yet: the request stays pending, and resume() waits for it again. */
export class WaitTimeout extends SignoffError {
  protected static override readonly says =
    "Nobody has decided yet: the request stays pending, and resume() waits for it again.";

  /** `says` is the first sentence, where what waits is no request for an approval. */
  constructor(detail = "", says?: string) {
    super(detail);
    if (says !== undefined) this.message = `${says} ${detail}`.trim();
  }
}

/** The gateway cannot be reached: nothing may run. `cause` is what went wrong below, for people: it may name hosts. */
export class Unreachable extends SignoffError {
  protected static override readonly says = "The gateway cannot be reached: nothing may run.";
}

/** The answer is not a valid receipt for this request: nothing may run. */
export class NotVerified extends SignoffError {
  protected static override readonly says: string =
    "The answer is not a valid receipt for this request: nothing may run.";
}

/** The receipt approves another action: nothing may run. */
export class OtherAction extends NotVerified {
  protected static override readonly says = "The receipt approves another action: nothing may run.";
}

/** The receipt approves another payload: nothing may run. */
export class OtherPayload extends NotVerified {
  protected static override readonly says = "The receipt approves another payload: nothing may run.";
}

/** A setting is missing or wrong. */
export class ConfigError extends SignoffError {
  protected static override readonly says = "A setting is missing or wrong.";
}

// By hand: who makes bundles shortens the names of classes, and people and models read these.
const KINDS = {
  SignoffError,
  NotApproved,
  Rejected,
  Expired,
  Blocked,
  Cancelled,
  Duplicate,
  AlreadySpent,
  Stopped,
  Limited,
  Invalid,
  Unknown,
  WaitTimeout,
  Unreachable,
  NotVerified,
  OtherAction,
  OtherPayload,
  ConfigError,
};
for (const [name, kind] of Object.entries(KINDS)) Object.defineProperty(kind.prototype, "name", { value: name });
