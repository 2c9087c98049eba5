/**
 * What an agent calls: ask for approval, wait, and be given what to run.
 *
 *     const signoff = new Signoff();
 *     const { payload } = await signoff.ask("refund.create", { customer: "cus_42", amount: 120 }, { reversible: false });
 *     await refund(payload);
 */
import { Batch, checkTogether, type Item, type Together } from "./batches.js";
import type { Json, JsonObject } from "./canonical.js";
import { AlreadySpent, Invalid, NotVerified } from "./errors.js";
import { checkedId, endOf, Exchange, LATE, named, POLL, stateOf, type State } from "./exchange.js";
import { gated, type Options } from "./gate.js";
import { now } from "./gateway.js";
import { keyedNonce, processName, random } from "./identity.js";
import { learn, type Lessons } from "./lessons.js";
import { answerIn, askedOf, QuestionTicket, type Answer, type AskPerson, type Question } from "./questions.js";
import { accept, ApprovedReceipt, checkTime, refusal, verifyNotice, QUESTION, type Note, type Receipt } from "./receipts.js";
import { build, checkRuns, SPEND, type Ask, type Claims, type Wait } from "./request.js";
import { used, type Settings } from "./settings.js";
import { Heed, sourceOf } from "./stops.js";
import { listen, type Handler } from "./talks.js";
import { Ticket, type Pending } from "./ticket.js";
import { undoing } from "./undo.js";
import type { components } from "./wire.js";

type Wire = components["schemas"];

/** A decision that arrived; what is not acknowledged comes again. */
export interface Delivery {
  readonly receipt: Receipt;
  /** What a person answered, where it was a question; undefined where it was none, or nobody did. */
  readonly answer: Answer | undefined;
  /** What people who were asked have noted for the agent: data, beside the receipt. */
  readonly notes: readonly Note[];
  ack(): Promise<void>;
}

const GIVEN_UP = "Its agent has given up.";

/** An agent's client. Nothing is connected before the first call; it holds nothing that has to be closed. */
export class Signoff {
  readonly agent: string;
  readonly #exchange: Exchange;
  readonly #secret: string | undefined;
  readonly #heed: Heed;
  #warned = false;

  /** Throws ConfigError. */
  constructor(settings: Settings = {}) {
    const { gateway, taken, secret, patience } = used(settings);
    this.agent = taken.agent;
    this.#exchange = new Exchange(gateway, taken, patience);
    this.#secret = secret;
    this.#heed = new Heed(sourceOf(gateway), taken.keys, taken.deployment);
  }

  /**
   * Ask, and go on. With a `key`, asking again attaches to the first request.
   *
   * Throws Invalid (nothing was sent, or it was not taken), Duplicate, Limited, Unreachable or ConfigError.
   */
  async request<P extends object>(action: string, payload: P, claims: Claims = {}): Promise<Ticket<P>> {
    const ticket = await this.#built(action, payload, claims);
    await this.#exchange.send(ticket, this.#exchange.patience).catch((error: unknown) => {
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
    checkRuns(runs);
    signal?.throwIfAborted();
    const end = endOf(timeout);
    const ticket = await this.#built(action, payload, claims);
    try {
      await this.#exchange.send(ticket, Math.min(this.#exchange.patience, end - now()), signal);
      const receipt = await ticket.wait({ timeout: timeout === undefined ? undefined : end - now(), signal });
      if (runs === "at-least-once") await this.#heed.check(receipt);
      if (runs === "once") await this.spend(receipt, { timeout: Math.max(SPEND, end - now()), signal });
      return receipt;
    } catch (error) {
      if (signal?.aborted) await this.#exchange.cancel(ticket.id, GIVEN_UP, SPEND / 2).catch(() => {});
      throw named(error, action);
    }
  }

  /**
   * Ask a person, and wait for their answer, which lets nothing run. Its `key` attaches to the first question.
   *
   *     const smith = await signoff.askPerson("Which Smith?", { options: { a: "Ann, Berlin", b: "Al, Bonn" }, why: "ambiguous" });
   *     smith.choice; // "a" or "b"
   *
   * Throws a NotApproved where nobody answered (Expired: `default` is no answer either), WaitTimeout, Unreachable,
   * NotVerified. Where `signal` gives up, the question is withdrawn.
   */
  async askPerson(question: string, ask: AskPerson = {}): Promise<Answer> {
    const { timeout, signal, ...said } = ask;
    signal?.throwIfAborted();
    const end = endOf(timeout);
    const ticket = await this.#asked(question, said);
    try {
      await this.#exchange.send(ticket, Math.min(this.#exchange.patience, end - now()), signal);
      return await ticket.wait({ timeout: timeout === undefined ? undefined : end - now(), signal });
    } catch (error) {
      if (signal?.aborted) await this.#exchange.cancel(ticket.id, GIVEN_UP, SPEND / 2).catch(() => {});
      throw named(error, ticket.action);
    }
  }

  /** Ask a person, and go on: `wait` on the ticket, or `decisions()`. Throws as `request` does. */
  async requestQuestion(question: string, said: Question = {}): Promise<QuestionTicket> {
    const ticket = await this.#asked(question, said);
    await this.#exchange.send(ticket, this.#exchange.patience).catch((error: unknown) => {
      throw named(error, ticket.action);
    });
    return ticket;
  }

  /**
   * Ask for several approvals together: people see one card, and decide on each.
   *
   *     const batch = await signoff.batch("Clean up 40 branches", { run }, branches.map((name) => ({ action: "branch.delete", payload: { name } })));
   *     for (const receipt of await batch.wait()) if (receipt.approved) … // run it: each is spent for this process
   *
   * Where one is not valid nothing is asked. With a `key`, asking the same again attaches to the first batch: its requests
   * have keys of that, where they have none of their own. Throws as `request` does.
   */
  async batch(title: string, { run, key }: Together, items: readonly Item[]): Promise<Batch> {
    checkTogether(title, items, key);
    const name = key === undefined ? random() : await keyedNonce(`batch ${key}`, this.#secret);
    const built = await Promise.all(
      items.map(({ action, payload, ...claims }, at) => {
        const said = { ...(run !== undefined && { run }), ...(key !== undefined && { key: `${key}/${at + 1}` }) };
        return this.#built(action, payload, { ...said, ...claims });
      }),
    );
    const requests = built.map(({ body }) => body as JsonObject);
    const spend = (receipt: Receipt, wait: Wait): Promise<void> => this.spend(receipt, wait);
    const batch = new Batch(this.#exchange, spend, name, built, { title, ...(run !== undefined && { run }), name, requests });
    await batch.send(this.#exchange.patience);
    return batch;
  }

  /** The ticket of a question sent before: after a crash, or in another process. */
  resumeQuestion(id: string, digest?: string): QuestionTicket {
    return new QuestionTicket(this.#exchange, checkedId(id), digest);
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
    return this.#exchange.get(id);
  }

  /** Withdraw a request; the receipt says `cancelled`, or what had been decided before. */
  async cancel(id: string, reason = ""): Promise<Receipt> {
    return this.#exchange.cancel(id, reason, this.#exchange.patience);
  }

  /**
   * Have this process be the one that runs what was approved; before it runs.
   *
   * Throws AlreadySpent where another one runs it, or has; Unreachable where it is not known (do not run it then).
   */
  async spend(receipt: Receipt, { timeout = Infinity, signal }: Wait = {}): Promise<void> {
    if (receipt.status !== "approved") throw refusal(receipt);
    if (this.#exchange.spent.delete(receipt.token)) return checkTime(receipt); // a batch has spent it for this process
    const by = processName();
    const call = { body: { by } satisfies Wire["Spend"], patience: timeout, signal }; // sent again it is answered again, as `by` is the same
    const found = await this.#exchange.gateway.call("POST", `/v1/requests/${receipt.id}/spend`, call);
    const token = (found as { receipt?: unknown } | undefined)?.receipt;
    const notice = await verifyNotice(typeof token === "string" ? token : "", this.#exchange.taken.keys, receipt);
    if (notice.by !== by) throw new AlreadySpent(notice.by, notice.at, "", receipt);
    checkTime(receipt); // its time may be over by now
  }

  /**
   * Say what became of an approved action: its card shows it. `note` has at most 4,000 characters; `result` is what came
   * out, any JSON of at most 2 KB: people see it as what the agent says, and may be asked whether it is right.
   */
  async report(id: string, succeeded: boolean, note = "", { result }: { result?: Json | undefined } = {}): Promise<void> {
    const call = { body: { succeeded, note, ...(result !== undefined && { result }) } satisfies Wire["Outcome"], patience: Math.min(this.#exchange.patience, SPEND) };
    await this.#exchange.gateway.call("POST", `/v1/requests/${checkedId(id)}/outcome`, call);
  }

  /**
   * Every decision on this agent's requests, for ever, as it arrives: `await delivery.ack()` each.
   *
   * What is not acknowledged comes again, to whichever process of the same `group` reads. Receipts that do not verify
   * are acknowledged and passed over. Outages are waited for; `signal` ends it.
   */
  async *decisions({ group = "default", signal }: { group?: string; signal?: AbortSignal } = {}): AsyncGenerator<Delivery> {
    const path = `/v1/decisions?group=${encodeURIComponent(group)}&wait=${POLL}`;
    let patience = this.#exchange.patience;
    for (;;) {
      const found = await this.#exchange.gateway.call("GET", path, { answers: POLL + LATE, patience, signal });
      patience = Infinity;
      const states = (found as { decisions?: unknown } | undefined)?.decisions;
      for (const one of Array.isArray(states) ? (states as (State & { entry: string })[]) : []) {
        const ack = async (): Promise<void> => {
          const body = { group, entries: [one.entry] } satisfies Wire["Ack"];
          await this.#exchange.gateway.call("POST", "/v1/decisions/ack", { body, patience: this.#exchange.patience });
        };
        const receipt = await accept(one, this.#exchange.taken, one.id).catch((error: unknown) => {
          if (!(error instanceof NotVerified)) throw error;
        });
        if (receipt) yield { receipt, notes: receipt.notes, ack, get answer() { return receipt.answer && answerIn(receipt); } };
        else await ack(); // its time is over, or somebody forged it: never to be run
      }
    }
  }

  /**
   * Have people's questions about this agent's requests answered, for ever: `signal` ends it.
   *
   *     void signoff.onQuestion(async ({ text, requestId }) => (await explain(text, requestId)) ?? undefined);
   *
   * What comes back stands on the card under *The agent says*, and decides nothing; nothing says that it cannot answer.
   * Only what the server has signed is answered. Outages are waited for.
   */
  async onQuestion(handler: Handler, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    return listen(this.#exchange, handler, signal);
  }

  /**
   * Have what this agent did undone by `run`, for ever, where people ask for that: `signal` ends it.
   *
   * `action` is the one by which the policy undoes it. `run` gets what was approved, once over all processes; whether it
   * threw is reported. `test` tries it out, and throws, or gives false, where undoing does not work: it is called when `signoff undo test`
   * asks for that, signed, which this client hears of within some 10 s. Until it has passed, cards say *Undo was never tried*.
   */
  async onUndo<P extends object = JsonObject>(
    action: string,
    run: (payload: P, receipt: ApprovedReceipt<P>) => unknown,
    options: { test?: () => unknown; signal?: AbortSignal } = {},
  ): Promise<void> {
    return undoing(this, this.#exchange, action, run, options);
  }

  /** What this agent can learn from what people said of its work, as data: `.text(tokens)` is for a prompt. */
  async lessons({ action, limit = 20 }: { action?: string; limit?: number } = {}): Promise<Lessons> {
    return learn(this.#exchange, action, limit);
  }

  /**
   * Ask people whether a result is right, of work that needed no approval → the id of what was asked.
   *
   * `result` is any JSON of at most 2 KB. It blocks nobody and approves nothing: `decisions()` brings a receipt of status
   * `answered` where somebody says, and `lessons()` has it from then on. Throws as `request` does.
   */
  async askFeedback(result: Json, { action = "task", ...said }: { action?: string; title?: string; key?: string; run?: string } = {}): Promise<string> {
    const body = { action, result, key: random(), ...said } satisfies Wire["Asked"]; // with a key it can be sent again
    const state = await this.#exchange.gateway.call("POST", "/v1/feedback", { body, patience: this.#exchange.patience });
    return checkedId(stateOf(state).id);
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
    const receipt = await this.#exchange.ended(ticket, { timeout, signal });
    if (receipt instanceof ApprovedReceipt) return receipt as ApprovedReceipt<P>;
    if (receipt.kind === QUESTION && receipt.status === "answered" && ticket.body === undefined)
      throw new Invalid("It is a question, and is answered: resumeQuestion() takes it up, and wait() gives the answer.", receipt);
    throw named(told(receipt), ticket.action);
  }

  async #asked(question: string, said: Question): Promise<QuestionTicket> {
    const { id, digest, body } = await askedOf(this.agent, question, said, this.#secret);
    return new QuestionTicket(this.#exchange, id, digest, body);
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
}

/** What is thrown of a receipt that approves nothing: who said so, and why. */
function told(receipt: Receipt): Error {
  const who = receipt.decidedBy ? `${receipt.decidedBy.name}: ` : "";
  const why = receipt.status === "blocked" && receipt.why ? ` Why: ${receipt.why}.` : "";
  return refusal(receipt, `${who}${receipt.reason}${why}`.trim());
}
