/**
 * What an agent calls: ask for approval, wait, and be given what to run.
 *
 *     const signoff = new Signoff();
 *     const { payload } = await signoff.ask("refund.create", { customer: "cus_42", amount: 120 }, { reversible: false });
 *     await refund(payload);
 */
import type { JsonObject } from "./canonical.js";
import { AlreadySpent, Invalid, NOT_APPROVED, NotApproved, NotVerified, Unknown, Unreachable, WaitTimeout } from "./errors.js";
import { gated, type Options } from "./gate.js";
import { now, sleep, type Call, type Gateway } from "./gateway.js";
import { processName } from "./identity.js";
import { accept, ApprovedReceipt, checkTime, verifyNotice, type Receipt } from "./receipts.js";
import { build, type Ask, type Claims, type Wait } from "./request.js";
import { used, type Settings } from "./settings.js";
import { Ticket, type Pending } from "./ticket.js";
import type { Taken } from "./tokens.js";
import type { components } from "./wire.js";

type Wire = components["schemas"];
type State = Wire["State"];

/** A decision that arrived; what is not acknowledged comes again. */
export interface Delivery {
  readonly receipt: Receipt;
  ack(): Promise<void>;
}

/** Seconds that one long-poll may take. */
const POLL = 30;
/** Beyond those, seconds until a poll counts as lost. */
const LATE = 15;
/** Seconds before asking again where a poll was answered before its time, and nothing is decided. */
const EARLY = 0.5;
/** Seconds that the server is given at least to say who may run it, and at most to be told what became of it. */
const SPEND = 10;

/** An agent's client. Nothing is connected before the first call; it holds nothing that has to be closed. */
export class Signoff {
  readonly agent: string;
  readonly #gateway: Gateway;
  readonly #taken: Taken;
  readonly #secret: string | undefined;
  readonly #patience: number;
  #warned = false;

  /** Throws ConfigError. */
  constructor(settings: Settings = {}) {
    const { gateway, taken, secret, patience } = used(settings);
    this.agent = taken.agent;
    this.#gateway = gateway;
    this.#taken = taken;
    this.#secret = secret;
    this.#patience = patience;
  }

  /**
   * Ask, and go on. With a `key`, asking again attaches to the first request.
   *
   * Throws Invalid (nothing was sent, or it was not taken), Duplicate, Limited, Unreachable or ConfigError.
   */
  async request<P extends object>(action: string, payload: P, claims: Claims = {}): Promise<Ticket<P>> {
    const ticket = await this.#built(action, payload, claims);
    await this.#send(ticket, this.#patience).catch((error: unknown) => {
      throw named(error, action);
    });
    return ticket;
  }

  /**
   * Ask, wait, and spend the approval: what comes back may run now, with its `payload`.
   *
   * Throws a NotApproved where it ends otherwise, WaitTimeout (it stays pending), Unreachable, NotVerified. Where
   * `signal` gives up, the request is withdrawn.
   */
  async ask<P extends object>(action: string, payload: P, ask: Ask = {}): Promise<ApprovedReceipt<P>> {
    const { timeout, signal, runs = "once", ...claims } = ask;
    if (runs !== "once" && runs !== "at-least-once") throw new Invalid('runs is "once" or "at-least-once".');
    signal?.throwIfAborted();
    const end = endOf(timeout);
    const ticket = await this.#built(action, payload, claims);
    try {
      await this.#send(ticket, Math.min(this.#patience, end - now()), signal);
      const receipt = await ticket.wait({ timeout: timeout === undefined ? undefined : end - now(), signal });
      if (runs === "once") await this.spend(receipt, { timeout: Math.max(SPEND, end - now()), signal });
      return receipt;
    } catch (error) {
      if (signal?.aborted) await this.#cancel(ticket.id, "Its agent has given up.", SPEND / 2).catch(() => {});
      throw named(error, action);
    }
  }

  /** The ticket of a request sent before: after a crash, or in another process. `digest` is `ticket.digest`, if kept. */
  resume<P extends object = JsonObject>(id: string, digest?: string): Ticket<P> {
    return new Ticket<P>(this, checkedId(id), digest);
  }

  /** Waits for a request: `signoff.resume(id).wait(…)`. */
  async wait<P extends object = JsonObject>(request: string | Ticket<P>, wait: Wait = {}): Promise<ApprovedReceipt<P>> {
    return (typeof request === "string" ? this.resume<P>(request) : request).wait(wait);
  }

  /** A request's state now: its receipt (of any status: look at `approved`), Pending, or undefined: nobody knows it. */
  async get(id: string): Promise<Receipt | Pending | undefined> {
    try {
      const state = await this.#state("GET", checkedId(id), "", { patience: this.#patience });
      return state.status === "pending" ? pendingOf(state) : await accept(state, this.#taken, id);
    } catch (error) {
      if (error instanceof Unknown) return undefined;
      throw error;
    }
  }

  /** Withdraw a request; the receipt says `cancelled`, or what had been decided before. */
  async cancel(id: string, reason = ""): Promise<Receipt> {
    return this.#cancel(checkedId(id), reason, this.#patience);
  }

  /**
   * Have this process be the one that runs what was approved; before it runs.
   *
   * Throws AlreadySpent where another one runs it, or has; Unreachable where it is not known (do not run it then).
   */
  async spend(receipt: Receipt, { timeout = Infinity, signal }: Wait = {}): Promise<void> {
    if (receipt.status !== "approved") throw new NOT_APPROVED[receipt.status](receipt.reason, receipt);
    const by = processName();
    const call = { body: { by } satisfies Wire["Spend"], patience: timeout, signal }; // sent again it is answered again, as `by` is the same
    const found = await this.#gateway.call("POST", `/v1/requests/${receipt.id}/spend`, call);
    const token = (found as { receipt?: unknown } | undefined)?.receipt;
    const notice = await verifyNotice(typeof token === "string" ? token : "", this.#taken.keys, receipt);
    if (notice.by !== by) throw new AlreadySpent(notice.by, notice.at, "", receipt);
    checkTime(receipt); // its time may be over by now
  }

  /** Say what became of an approved action: its card shows it. `note` has at most 4,000 characters. */
  async report(id: string, succeeded: boolean, note = ""): Promise<void> {
    const call = { body: { succeeded, note } satisfies Wire["Outcome"], patience: Math.min(this.#patience, SPEND) };
    await this.#gateway.call("POST", `/v1/requests/${checkedId(id)}/outcome`, call);
  }

  /**
   * Every decision on this agent's requests, for ever, as it arrives: `await delivery.ack()` each.
   *
   * What is not acknowledged comes again, to whichever process of the same `group` reads. Receipts that do not verify
   * are acknowledged and passed over. Outages are waited for; `signal` ends it.
   */
  async *decisions({ group = "default", signal }: { group?: string; signal?: AbortSignal } = {}): AsyncGenerator<Delivery> {
    const path = `/v1/decisions?group=${encodeURIComponent(group)}&wait=${POLL}`;
    let patience = this.#patience;
    for (;;) {
      const found = await this.#gateway.call("GET", path, { answers: POLL + LATE, patience, signal });
      patience = Infinity;
      const states = (found as { decisions?: unknown } | undefined)?.decisions;
      for (const one of Array.isArray(states) ? (states as (State & { entry: string })[]) : []) {
        const ack = async (): Promise<void> => {
          const body = { group, entries: [one.entry] } satisfies Wire["Ack"];
          await this.#gateway.call("POST", "/v1/decisions/ack", { body, patience: this.#patience });
        };
        const receipt = await accept(one, this.#taken, one.id).catch((error: unknown) => {
          if (!(error instanceof NotVerified)) throw error;
        });
        if (receipt) yield { receipt, ack };
        else await ack(); // its time is over, or somebody forged it: never to be run
      }
    }
  }

  /** A function that asks before `run` runs, and runs it with exactly what was approved: see `gate.ts`. */
  withApproval<P extends object, R>(
    action: string,
    run: (payload: P, receipt: ApprovedReceipt<P>) => R | Promise<R>,
    options: Options<P> = {},
  ): (payload: P) => Promise<R> {
    return gated(this, action, run, options);
  }

  /** @internal The final receipt of a ticket. */
  async final<P extends object>(ticket: Ticket<P>, { timeout, signal }: Wait): Promise<ApprovedReceipt<P>> {
    const end = endOf(timeout);
    let reached = ticket.body !== undefined; // from then on outages are waited for
    for (;;) {
      const left = end - now();
      if (left <= 0) throw new WaitTimeout(`Request ${ticket.id}, after ${timeout} s.`);
      const poll = Math.max(1, Math.ceil(Math.min(POLL, left)));
      const answers = reached ? Math.min(poll + LATE, left) : poll + LATE;
      const patience = Math.min(reached ? Infinity : this.#patience, left);
      const started = now();
      try {
        const state = await this.#state("GET", ticket.id, `?wait=${poll}`, { answers, patience, signal });
        reached = true;
        if (state.status === "pending") {
          // One that ends answers at once; whoever asked at once again would get in its way.
          if (now() - started < poll / 2) await sleep(EARLY, signal);
          continue;
        }
        const receipt = await accept(state, this.#taken, ticket.id, ticket.digest);
        if (receipt instanceof ApprovedReceipt) return receipt as ApprovedReceipt<P>;
        throw refusal(receipt);
      } catch (error) {
        if (error instanceof Unknown && ticket.body) {
          await this.#send(ticket, left, signal); // its server was restored from before it
          await sleep(1, signal);
        } else if (!(error instanceof Unreachable && reached && end <= now() + 1)) {
          throw named(error, ticket.action);
        }
      }
    }
  }

  async #built<P extends object>(action: string, payload: P, claims: Claims): Promise<Ticket<P>> {
    const { id, digest, body } = await build(this.agent, action, payload, claims, this.#secret);
    if (claims.reversible === undefined && !this.#warned) {
      this.#warned = true;
      console.warn(
        `signoff: ${action}: nobody said whether it can be undone, so it counts as irreversible: ` +
          'say reversible: true, false or "costly".',
      );
    }
    return new Ticket<P>(this, id, digest, action, body);
  }

  async #send({ body }: Ticket<any>, patience: number, signal?: AbortSignal): Promise<void> {
    stateOf(await this.#gateway.call("POST", "/v1/requests", { ...(body && { body }), patience, signal }));
    signal?.throwIfAborted();
  }

  async #cancel(id: string, reason: string, patience: number): Promise<Receipt> {
    const body = { reason } satisfies Wire["Cancel"];
    return accept(await this.#state("POST", id, "/cancel", { body, patience }), this.#taken, id);
  }

  async #state(method: string, id: string, more: string, call: Call): Promise<State> {
    return stateOf(await this.#gateway.call(method, `/v1/requests/${id}${more}`, call));
  }
}

function stateOf(found: unknown): State {
  const state = found as State | undefined;
  const texts = [state?.status, state?.receipt ?? "", state?.payload ?? "", state?.code ?? ""];
  if (texts.some((text) => typeof text !== "string")) throw new NotVerified("The gateway's answer is no state.");
  return state as State;
}

function pendingOf({ id, action, code, expires_at: at, permalink }: State): Pending {
  return { id, status: "pending", action, code, expiresAt: new Date(at), permalink: permalink ?? undefined };
}

function refusal(receipt: Receipt): NotApproved {
  const who = receipt.decidedBy ? `${receipt.decidedBy.name}: ` : "";
  const why = receipt.status === "blocked" && receipt.why ? ` Why: ${receipt.why}.` : "";
  const kind = NOT_APPROVED[receipt.status as keyof typeof NOT_APPROVED];
  return new kind(`${who}${receipt.reason}${why}`.trim(), receipt);
}

function named(error: unknown, action: string): unknown {
  if (error instanceof NotApproved) error.action ||= action;
  return error;
}

function checkedId(id: string): string {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) throw new Invalid("It is no id of a request.");
  return id;
}

function endOf(timeout: number | undefined): number {
  if (timeout === undefined) return Infinity;
  if (typeof timeout !== "number" || Number.isNaN(timeout)) throw new Invalid("timeout has to be a number of seconds.");
  return now() + timeout;
}
