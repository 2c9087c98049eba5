/**
 * The guard stands where the credential is: it checks a receipt and spends it, right before its action runs.
 *
 *     const guard = new Guard({ keys: pinned("ed25519:…"), agents: ["billing-bot"], store: gatewayStore() });
 *     const refund = guard.protects("refund.create", async (payload) => payments.refund(payload));
 *     await refund(receipt, payload);
 *
 * A gate in the agent's own process cannot stop an agent that was talked into something; this can, where the agent
 * does not hold the credential. See docs/executor.md.
 */
import type { JsonObject } from "./canonical.js";
import { AlreadySpent, ConfigError, NotVerified, SignoffError, Stopped, Unreachable } from "./errors.js";
import { processName } from "./identity.js";
import type { Keys } from "./keys.js";
import { bind, checkTime, verify, type Receipt } from "./receipts.js";
import { gatewayOf, type Settings } from "./settings.js";
import { Heed, type StopSource } from "./stops.js";
import { unverified } from "./tokens.js";
import type { components } from "./wire.js";

/** Who has spent it, in their own words, and when. */
export interface Spent {
  readonly by: string;
  readonly at: Date;
}

/** What is spent: by key, agent and request. Never by the receipt's own id: a request may be answered anew. */
export interface Spendable {
  readonly kid: string;
  readonly agent: string;
  readonly id: string;
  /** The receipt itself, and what runs by it, for a store that checks them too. */
  readonly receipt: Receipt;
  readonly payload: JsonObject;
}

/** Where it is kept what was spent. */
export interface Store {
  /**
   * Who was first: `spent` itself, or who was before; kept until `until` at least. Of any number at once, one is.
   *
   * Where it cannot be told it throws: then it may or may not be spent.
   */
  spend(what: Spendable, spent: Spent, until: Date): Promise<Spent>;
  /** Where it remembers, too, what the server has last said of stops: notes a number, and gives the highest noted. */
  highest?(issuer: string, number: number): Promise<number>;
}

export interface GuardSettings {
  /** Whose signatures are taken: `pinned("ed25519:…")`. Take the key from the server, not from the agent. */
  keys: Keys;
  /** Whose receipts are taken here. */
  agents: readonly string[];
  store: Store;
  /** Where the guard hears what people have stopped: `gatewayStops()`. Without it no stop reaches this guard. */
  stops?: StopSource;
  /** How many seconds old the word of that may be; 30 if not said. Where none is that young, nothing runs. */
  fresh?: number;
  /** A word of your own on why this agent may not run this now; empty where it may. What it throws counts as stopped. */
  stopped?: (agent: string, action: string) => string | Promise<string>;
  deployment?: string;
}

/** How long after its end a receipt is still remembered: clocks of executors differ. */
const MARGIN = 3_600_000;

/** Checks receipts and spends each once, over any number of processes that share a store. */
export class Guard {
  readonly #settings: GuardSettings;
  readonly #heed: Heed | undefined;

  constructor(settings: GuardSettings) {
    if (settings.agents.length === 0)
      throw new ConfigError('A guard has to know whose receipts it takes: agents: ["billing-bot"].');
    this.#settings = settings;
    const { stops, keys, deployment, fresh, store } = settings;
    this.#heed = stops && new Heed(stops, keys, deployment, fresh, store.highest?.bind(store));
  }

  /** All of `spend` but the spending: the payload that may run, if nobody has run it. */
  async check(token: Receipt | string, payload: object, action: string): Promise<JsonObject> {
    return (await this.#checked(token, payload, action)).payload;
  }

  /**
   * The payload to run, once, now: `payload` is what is about to run, `action` what it is.
   *
   * Throws NotVerified, a NotApproved (what was decided), OtherAction, OtherPayload, Invalid, Stopped, AlreadySpent, or
   * Unreachable (the store): then nothing may run.
   */
  async spend(token: Receipt | string, payload: object, action: string): Promise<JsonObject> {
    const what = await this.#checked(token, payload, action);
    const { agent, receipt } = what;
    await this.#heedStops(agent, action, receipt);
    const spent = { by: processName(), at: new Date() };
    const until = new Date(receipt.notAfter.getTime() + MARGIN);
    const first = await this.#settings.store.spend(what, spent, until).catch((error: unknown) => {
      if (error instanceof SignoffError) throw error;
      throw new Unreachable("The guard's store could not be asked. Nothing was run.", { cause: error });
    });
    if (first.by !== spent.by) throw new AlreadySpent(first.by, first.at, "", receipt);
    checkTime(receipt); // its time may be over by now
    return what.payload;
  }

  /** A function that is called with a receipt and a payload, and runs `run` once with just that. */
  protects<P extends object, R>(
    action: string,
    run: (payload: P) => R | Promise<R>,
  ): (receipt: Receipt | string, payload: P) => Promise<R> {
    return async (receipt, payload) => run((await this.spend(receipt, payload, action)) as P);
  }

  async #checked(given: Receipt | string, payload: object, action: string): Promise<Spendable> {
    const token = typeof given === "string" ? given : given.token;
    const { keys, agents, deployment } = this.#settings;
    const { agent, kid } = unverified(token);
    if (!agents.includes(agent)) throw new NotVerified("It is of an agent whose receipts are not taken here.");
    const receipt = await verify(token, { keys, agent, ...(deployment && { deployment }) });
    return { kid, agent, id: receipt.id, receipt, payload: await bind(receipt, action, payload) };
  }

  async #heedStops(agent: string, action: string, receipt: Receipt): Promise<void> {
    await this.#heed?.check(receipt).catch((error: unknown) => {
      if (error instanceof SignoffError) throw error;
      throw new Unreachable("The guard's store could not be asked. Nothing was run.", { cause: error });
    });
    let why: string;
    try {
      why = (await this.#settings.stopped?.(agent, action)) ?? "";
    } catch {
      throw new Stopped("Whether it is stopped cannot be told.");
    }
    if (why) throw new Stopped(why);
  }
}

/**
 * The server's own store, `POST /v1/receipts/spend`: for executors without a database.
 *
 * Its token has the scope `spend`. It cannot make a guard run what its keys do not approve.
 */
export function gatewayStore(settings: Pick<Settings, "url" | "token" | "fetch"> = {}, patience = 10): Store {
  const gateway = gatewayOf(settings);
  return {
    async spend({ receipt, payload }, spent) {
      const { token, action } = receipt;
      const body = { receipt: token, action, payload, by: spent.by } satisfies components["schemas"]["ToSpend"];
      const found = (await gateway.call("POST", "/v1/receipts/spend", { body, patience })) as Partial<Spent> | undefined;
      if (found?.by !== spent.by) throw new Unreachable("The gateway does not say who has spent it.");
      return spent;
    },
  };
}
