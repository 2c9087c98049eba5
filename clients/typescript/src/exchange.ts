/** Requests as they are sent, looked at, waited for and withdrawn: what all that is asked shares. */
import type { JsonObject } from "./canonical.js";
import { Invalid, NotApproved, NotVerified, Unknown, Unreachable, WaitTimeout } from "./errors.js";
import { now, sleep, type Call, type Gateway } from "./gateway.js";
import { accept, type Receipt } from "./receipts.js";
import type { Wait } from "./request.js";
import type { Pending } from "./ticket.js";
import type { Taken } from "./tokens.js";
import type { components } from "./wire.js";

type Wire = components["schemas"];
export type State = Wire["State"];

/** A request that was sent; `digest` and `body` where this process knows them. */
export interface Sent {
  readonly id: string;
  readonly digest?: string | undefined;
  readonly action: string;
  readonly body: JsonObject | undefined;
}

/** Seconds that one long-poll may take. */
export const POLL = 30;
/** Beyond those, seconds until a poll counts as lost. */
export const LATE = 15;
/** Seconds before asking again where a poll was answered before its time, and nothing is decided. */
const EARLY = 0.5;

/** One agent's way to its gateway. */
export class Exchange {
  /** Receipts (tokens) that a batch has spent for this process, until somebody asks to spend them. */
  readonly spent = new Set<string>();

  constructor(
    readonly gateway: Gateway,
    readonly taken: Taken,
    readonly patience: number,
  ) {}

  async send({ body }: Sent, patience: number, signal?: AbortSignal): Promise<void> {
    stateOf(await this.gateway.call("POST", "/v1/requests", { ...(body && { body }), patience, signal }));
    signal?.throwIfAborted();
  }

  /** Its state now; undefined where nobody knows it. */
  async get(id: string): Promise<Receipt | Pending | undefined> {
    try {
      const state = await this.#state("GET", checkedId(id), "", { patience: this.patience });
      return state.status === "pending" ? pendingOf(state) : await accept(state, this.taken, id);
    } catch (error) {
      if (error instanceof Unknown) return undefined;
      throw error;
    }
  }

  async cancel(id: string, reason: string, patience: number): Promise<Receipt> {
    const body = { reason } satisfies Wire["Cancel"];
    return accept(await this.#state("POST", checkedId(id), "/cancel", { body, patience }), this.taken, id);
  }

  /** Its verified receipt, however it ends. Throws WaitTimeout, Unreachable, NotVerified, the signal's reason. */
  async ended(sent: Sent, { timeout, signal }: Wait, says?: string): Promise<Receipt> {
    const end = endOf(timeout);
    let reached = sent.body !== undefined; // from then on outages are waited for
    for (;;) {
      const left = end - now();
      if (left <= 0) throw new WaitTimeout(`Request ${sent.id}, after ${seconds(timeout)}.`, says);
      const poll = Math.max(1, Math.ceil(Math.min(POLL, left)));
      const answers = reached ? Math.min(poll + LATE, left) : poll + LATE;
      const patience = Math.min(reached ? Infinity : this.patience, left);
      const started = now();
      try {
        const state = await this.#state("GET", sent.id, `?wait=${poll}`, { answers, patience, signal });
        reached = true;
        if (state.status !== "pending") return await accept(state, this.taken, sent.id, sent.digest);
        // One that ends answers at once; whoever asked at once again would get in its way.
        if (now() - started < poll / 2) await sleep(EARLY, signal);
      } catch (error) {
        if (error instanceof Unknown && sent.body) {
          await this.send(sent, left, signal); // its server was restored from before it
          await sleep(1, signal);
        } else if (!(error instanceof Unreachable && reached && end <= now() + 1)) {
          throw named(error, sent.action);
        }
      }
    }
  }

  async #state(method: string, id: string, more: string, call: Call): Promise<State> {
    return stateOf(await this.gateway.call(method, `/v1/requests/${id}${more}`, call));
  }
}

/** What a gateway says of a request, as far as that can be believed: texts where texts belong. */
export function stateOf(found: unknown): State {
  const state = found as State | undefined;
  const texts = [state?.status, state?.receipt ?? "", state?.payload ?? "", state?.code ?? ""];
  if (texts.some((text) => typeof text !== "string")) throw new NotVerified("The gateway's answer is no state.");
  return state as State;
}

export function pendingOf({ id, action, code, expires_at: at, permalink, held }: State): Pending {
  return { id, status: "pending", action, code, expiresAt: new Date(at), permalink: permalink ?? undefined, held: held ?? undefined };
}

/** The same error, which says what was not run. */
export function named(error: unknown, action: string): unknown {
  if (error instanceof NotApproved) error.action ||= action;
  return error;
}

export function checkedId(id: string): string {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) throw new Invalid("It is no id of a request.");
  return id;
}

/** When a wait of so many seconds ends, on this process's clock. Throws Invalid. */
/** `1.5 s`: seconds for people, who need no more of them. */
export function seconds(timeout: number | undefined): string {
  const [given, tenths] = [timeout ?? 0, Math.round((timeout ?? 0) * 10) / 10];
  return `${tenths || Number(given.toPrecision(1))} s`;
}

export function endOf(timeout: number | undefined): number {
  if (timeout === undefined) return Infinity;
  if (typeof timeout !== "number" || Number.isNaN(timeout)) throw new Invalid("timeout has to be a number of seconds.");
  return now() + timeout;
}
