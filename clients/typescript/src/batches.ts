/** Requests that are asked together: people see one card, and each has its own id, row and receipt. */
import type { JsonObject } from "./canonical.js";
import { AlreadySpent, Invalid, NotVerified, Unknown, Unreachable, WaitTimeout } from "./errors.js";
import { endOf, LATE, pendingOf, POLL, seconds, stateOf, type Exchange, type State } from "./exchange.js";
import { now, sleep } from "./gateway.js";
import { accept, Receipt } from "./receipts.js";
import { checkRuns, SPEND, type Claims, type Runs, type Wait } from "./request.js";
import type { Pending, Ticket } from "./ticket.js";
import type { components } from "./wire.js";

/** One of several requests: what `request` takes. */
export interface Item<P extends object = object> extends Claims {
  action: string;
  payload: P;
}

/** What a batch may say besides its title and requests. */
export interface Together {
  /** Names the agent's piece of work that this belongs to; each request's, too, where it does not say another. */
  run?: string | undefined;
  /** Asking the same again with this key, in the same order, attaches to the first; at most 240 characters. */
  key?: string | undefined;
}

const UNDECIDED = "Not all is decided yet: it stays pending, and wait() goes on waiting for it.";
const MOST = 500;
/** Characters: each request of the batch has a key that begins so. */
const MAX_KEY = 240;
/** Seconds before asking again where a poll was answered before its time, and something still waits. */
const EARLY = 0.5;

/** Approvals that are spent at once: the gateway takes no more calls of one agent at a time. */
const AT_ONCE = 4;

type Answered = components["schemas"]["BatchStands"];
type Spend = (receipt: Receipt, wait: Wait) => Promise<void>;

/** What wait() of a batch takes. */
export interface BatchWait extends Wait {
  /** `once`: each approval is spent for this process before it comes back; with `at-least-once` spend each yourself, before it runs. */
  runs?: Runs | undefined;
}

/** Requests that were asked together. */
export class Batch {
  readonly #exchange: Exchange;
  readonly #spend: Spend;
  readonly #body: JsonObject;
  /** What was spent for this process, or is being: by the request's id. */
  readonly #spent = new Map<string, Promise<Receipt>>();

  /** @internal */
  constructor(
    exchange: Exchange,
    spend: Spend,
    readonly name: string,
    /** In the order in which they were asked; each can be waited for by itself. */
    readonly tickets: readonly Ticket<any>[],
    body: JsonObject,
  ) {
    this.#exchange = exchange;
    this.#spend = spend;
    this.#body = body;
  }

  /** @internal Sends it; the same again is one batch. */
  async send(patience: number, signal?: AbortSignal): Promise<void> {
    await this.#exchange.gateway.call("POST", "/v1/batches", { body: this.#body, answers: 60, patience, signal });
  }

  /**
   * The verified receipts of all, in order, once each has ended: look at `approved` of each.
   *
   * As `ask` does, it spends each approval before it comes back, so that this process alone may run it;
   * `signoff.spend(receipt)` is content with that, once. What another process runs comes back as `duplicate`. Throws
   * WaitTimeout (what waits goes on waiting: `get` tells which has ended), Unreachable or NotVerified; what was spent by
   * then, the next wait() of this batch gives.
   */
  async wait({ timeout, signal, runs = "once" }: BatchWait = {}): Promise<Receipt[]> {
    checkRuns(runs);
    const end = endOf(timeout);
    const found = await this.#ended(end, timeout, signal);
    if (runs !== "once") return found;
    const left = found.entries();
    const next = async (): Promise<void> => {
      for (const [at, receipt] of left) found[at] = await this.#mine(receipt, { timeout: Math.max(SPEND, end - now()), signal });
    };
    await Promise.all(Array.from({ length: AT_ONCE }, next));
    return found;
  }

  async #ended(end: number, timeout: number | undefined, signal?: AbortSignal): Promise<Receipt[]> {
    for (;;) {
      const left = end - now();
      if (left <= 0) throw new WaitTimeout(`Batch ${this.name}, after ${seconds(timeout)}.`, UNDECIDED);
      const poll = Math.max(1, Math.ceil(Math.min(POLL, left)));
      const started = now();
      try {
        const found = await this.#stands(`?wait=${poll}`, Math.min(poll + LATE, left), left, signal);
        const ended = found.filter((one): one is Receipt => one.status !== "pending");
        if (ended.length === this.tickets.length) return ended;
        if (now() - started < poll / 2) await sleep(EARLY, signal);
      } catch (error) {
        if (error instanceof Unknown) {
          await this.send(left, signal); // its server was restored from before it
          await sleep(1, signal);
        } else if (!(error instanceof Unreachable && end <= now() + 1)) {
          throw error;
        }
      }
    }
  }

  /** The receipt, spent for this process; one of status `duplicate` where another one runs it. Throws as `spend` does. */
  #mine(receipt: Receipt, wait: Wait): Promise<Receipt> {
    const before = this.#spent.get(receipt.id);
    if (before || !receipt.approved) return before ?? Promise.resolve(receipt); // what was spent, its gateway calls duplicate
    const spent = this.#spend(receipt, wait).then(
      () => {
        this.#exchange.spent.add(receipt.token);
        return receipt;
      },
      (error: unknown) => {
        this.#spent.delete(receipt.id);
        if (error instanceof AlreadySpent) return error.receipt?.approved === false ? error.receipt : elsewhere(receipt, error.by);
        throw error;
      },
    );
    this.#spent.set(receipt.id, spent);
    return spent;
  }

  /** How each stands now, in order: a verified receipt, or Pending. */
  async get(): Promise<(Receipt | Pending)[]> {
    return this.#stands("", 60, this.#exchange.patience);
  }

  async #stands(how: string, answers: number, patience: number, signal?: AbortSignal): Promise<(Receipt | Pending)[]> {
    const found: State[] = [];
    for (let more: string | undefined = how; more !== undefined; ) {
      const call = { answers, patience, signal };
      const answer = (await this.#exchange.gateway.call("GET", `/v1/batches/${this.name}${more}`, call)) as Partial<Answered> | undefined;
      // Each answer brings something, and not more than there is: else one that lies would be asked for ever.
      if (!Array.isArray(answer?.items) || answer.items.length === 0 || found.length >= this.tickets.length)
        throw new NotVerified("The gateway's answer is no batch.");
      found.push(...answer.items);
      const next = answer.next ?? undefined;
      if (next !== undefined && next !== found.length) throw new NotVerified("The gateway's answer is no batch.");
      more = next === undefined ? undefined : `?from=${next}`;
      answers = Math.max(answers, LATE);
    }
    if (found.length !== this.tickets.length) throw new NotVerified("The gateway's answer is another batch.");
    return Promise.all(this.tickets.map((ticket, at) => this.#of(ticket, stateOf(found[at]))));
  }

  async #of({ id, digest }: Ticket<any>, state: State): Promise<Receipt | Pending> {
    if (state.id !== id) throw new NotVerified("The gateway's answer is another batch.");
    return state.status === "pending" ? pendingOf(state) : accept(state, this.#exchange.taken, id, digest);
  }
}

/** What stands in the place of an approval that another process runs: nothing runs by it here. */
function elsewhere(receipt: Receipt, by: string): Receipt {
  const { payload: _, ...claims } = receipt as Receipt & { payload?: unknown };
  const reason = `Another process was told that it may run it: ${by || "it is not known which"}.`;
  return new Receipt({ ...claims, status: "duplicate", decidedBy: undefined, reason }, "", receipt);
}

/** Throws Invalid where so many are not asked together. */
export function checkTogether(title: string, items: readonly unknown[], key?: string): void {
  if (typeof title !== "string" || title.length === 0) throw new Invalid("A batch has a title.");
  if (items.length < 1 || items.length > MOST) throw new Invalid(`A batch has 1 to ${MOST} requests.`);
  if (key !== undefined && (typeof key !== "string" || key === "" || key.length > MAX_KEY))
    throw new Invalid(`A batch's key is a text of 1 to ${MAX_KEY} characters.`);
}
