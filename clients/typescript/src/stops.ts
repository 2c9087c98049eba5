/**
 * What people have stopped: the server's signed statement, as guards and gates heed it; the same as `signoff/stops.py`.
 *
 * Whoever is about to run something looks at the newest that they can get, and runs nothing by one that is older than
 * `fresh` seconds, or than one that they have seen before. See docs/executor.md.
 */
import type { Json } from "./canonical.js";
import { ConfigError, NotVerified, SignoffError, Stopped } from "./errors.js";
import { now, type Gateway } from "./gateway.js";
import { processName } from "./identity.js";
import type { Keys } from "./keys.js";
import type { Receipt } from "./receipts.js";
import { gatewayOf, type Settings } from "./settings.js";
import { DEPLOYMENT, isObject, open } from "./tokens.js";
import type { components } from "./wire.js";

const STOPS = "signoff-stops+jwt";
/** How old a statement may be, in seconds, where nothing else is said. */
export const FRESH = 30;
const LONGEST_FRESH = 3600;
/** Seconds between two looks, and between two words that a guard still heeds a number. */
const LOOK = 1;
const TELL = 20;

/** One stop, as a statement tells of it. Times are seconds since 1970; what was approved until `until` stays void. */
export interface Stopping {
  readonly kind: "agent" | "action" | "all";
  readonly name: string;
  readonly said: string;
  readonly at: number;
  readonly undos: boolean;
  readonly until?: number;
}

/** What is stopped, as the server has said `at`. Of two the larger `number` is newer. */
export interface Statement {
  readonly issuer: string;
  readonly number: number;
  readonly at: number;
  readonly stops: readonly Stopping[];
}

/** Where the newest statement is got, and where it is said which number is heeded. */
export interface StopSource {
  statement(): Promise<string>;
  seen?(number: number, fresh: number): Promise<void>;
}

/** A signed statement → what it says; throws NotVerified. How old it is, is for `checkFresh`. */
export async function verifyStops(token: string, taken: { keys: Keys; deployment?: string }): Promise<Statement> {
  const claims = await open(token, STOPS, taken);
  const { number, iat, sub, stops, iss } = claims;
  if (sub !== "stops" || !isCount(number) || !isTime(iat) || !Array.isArray(stops) || claims.nbf != null)
    throw new NotVerified("Its claims are no statement's of what is stopped.");
  return { issuer: iss as string, number, at: iat, stops: stops.map(stoppingOf) };
}

/** Throws Stopped for a statement that is too old, or older than one that was seen before. */
export function checkFresh(statement: Statement, fresh: number, highest: number, at = Date.now() / 1000): void {
  const age = at - statement.at;
  if (age > fresh)
    throw new Stopped(
      `What is stopped was last heard ${Math.round(age)} s ago, and ${fresh} s are allowed: see that the server can be reached, ` +
        "and that the clocks of both agree.",
    );
  if (age < -fresh) throw new Stopped(`The server's clock is ${Math.round(-age)} s ahead of this machine's: set them by NTP.`);
  if (statement.number < highest)
    throw new Stopped(`This word of what is stopped (number ${statement.number}) is older than one seen before (${highest}).`);
}

/** Why a receipt lets nothing run, in a few words; empty where nothing stands in its way. */
export function whyStopped(statement: Statement, receipt: Pick<Receipt, "agent" | "action" | "issuedAt" | "undoes">): string {
  for (const stop of statement.stops) {
    if (receipt.undoes !== undefined && stop.undos) continue;
    if (stop.until !== undefined && Math.floor(receipt.issuedAt.getTime() / 1000) > stop.until) continue;
    if (!covers(stop, receipt.agent, receipt.action)) continue;
    return stop.until === undefined ? stop.said : `${stop.said} before it ran: ask again`;
  }
  return "";
}

/** The server's word, `GET /v1/stops`; it is told which number is heeded by `guard`, where that is named. */
export function gatewayStops(settings: Pick<Settings, "url" | "token" | "fetch"> = {}, guard = processName()): StopSource {
  return sourceOf(gatewayOf(settings), guard);
}

/** The same by a gateway; without the name of a guard nobody is told anything. */
export function sourceOf(gateway: Gateway, guard?: string): StopSource {
  return {
    async statement() {
      const found = (await gateway.call("GET", "/v1/stops", { answers: 5 })) as { token?: unknown } | undefined;
      if (typeof found?.token !== "string") throw new NotVerified("The gateway's answer is no statement.");
      return found.token;
    },
    ...(guard !== undefined && {
      async seen(number: number, fresh: number) {
        const body = { guard, number, fresh: Math.ceil(fresh) } satisfies components["schemas"]["Seen"];
        await gateway.call("PUT", "/v1/stops/seen", { body, answers: 5 });
      },
    }),
  };
}

/** Looks at the newest statement before anything runs, and remembers the highest number. */
export class Heed {
  #highest = 0;
  #kept: Statement | undefined;
  #looked = -Infinity;
  #told = -Infinity;
  #toldNumber = -1;

  /** `highest` notes a number of an issuer's and gives the highest noted, in what outlasts this process. */
  constructor(
    readonly source: StopSource,
    readonly keys: Keys,
    readonly deployment = DEPLOYMENT,
    readonly fresh = FRESH,
    readonly noted?: (issuer: string, number: number) => Promise<number>,
  ) {
    if (!(fresh >= 1 && fresh <= LONGEST_FRESH)) throw new ConfigError(`fresh: 1 to ${LONGEST_FRESH} seconds, please.`);
  }

  /** Throws Stopped where this receipt lets nothing run, or where nobody can tell. */
  async check(receipt: Receipt): Promise<void> {
    const why = whyStopped(await this.newest(), receipt);
    if (why) throw new Stopped(`${why[0]!.toUpperCase()}${why.slice(1)}.`, receipt);
  }

  /** The newest statement, young enough; throws Stopped, and what `noted` throws. */
  async newest(): Promise<Statement> {
    if (now() - this.#looked >= LOOK) await this.#look();
    let highest = await this.#remembered();
    if (this.#kept === undefined || this.#kept.number < highest) {
      await this.#look();
      highest = await this.#remembered();
    }
    const kept = this.#kept;
    if (kept === undefined) throw new Stopped("Whether it is stopped cannot be told: no word of the server's came.");
    checkFresh(kept, this.fresh, highest);
    await this.#tell(kept.number);
    return kept;
  }

  async #look(): Promise<void> {
    this.#looked = now();
    try {
      const { keys, deployment } = this;
      const found = await verifyStops(await this.source.statement(), { keys, deployment });
      const kept = this.#kept;
      if (kept === undefined || found.number > kept.number || (found.number === kept.number && found.at >= kept.at)) this.#kept = found;
    } catch (error) {
      // Whatever it is: what is kept gets too old by itself.
      console.warn(`signoff: what is stopped could not be had: ${error instanceof Error ? error.name : "error"}`);
    }
  }

  async #remembered(): Promise<number> {
    const kept = this.#kept;
    if (kept !== undefined && kept.at > Date.now() / 1000 + this.fresh) return this.#highest;
    const number = kept?.number ?? 0;
    const noted = (await this.noted?.(this.deployment, number)) ?? 0;
    return (this.#highest = Math.max(this.#highest, number, noted));
  }

  async #tell(number: number): Promise<void> {
    if (number === this.#toldNumber && now() - this.#told < TELL) return;
    [this.#told, this.#toldNumber] = [now(), number];
    try {
      await this.source.seen?.(number, this.fresh);
    } catch (error) {
      this.#toldNumber = -1;
      console.warn(`signoff: the server could not be told what is heeded: ${error instanceof SignoffError ? error.name : "error"}`);
    }
  }
}

function covers({ kind, name }: Stopping, agent: string, action: string): boolean {
  if (kind === "all") return true;
  return kind === "agent" ? name === agent : globs(name, action);
}

/** Whether a pattern, in which * is any characters and ? is one, fits all of an action; in time linear in both. */
function globs(pattern: string, text: string): boolean {
  let [at, star, mark, here] = [0, -1, 0, 0];
  while (here < text.length) {
    if (pattern[at] === "*") [star, mark, at] = [at, here, at + 1];
    else if (at < pattern.length && (pattern[at] === "?" || pattern[at] === text[here])) [at, here] = [at + 1, here + 1];
    else if (star >= 0) [at, mark, here] = [star + 1, mark + 1, mark + 1];
    else return false;
  }
  while (pattern[at] === "*") at += 1;
  return at === pattern.length;
}

function stoppingOf(value: Json): Stopping {
  if (isObject(value)) {
    const { kind, name, said, at, undos = false, until } = value;
    if (
      (kind === "agent" || kind === "action" || kind === "all") &&
      typeof name === "string" && typeof said === "string" && isTime(at) && typeof undos === "boolean" && isTime(until, true)
    )
      return { kind, name, said, at, undos, ...(until != null && { until: until as number }) };
  }
  throw new NotVerified("Its claims are no statement's of what is stopped.");
}

function isTime(value: Json | undefined, none = false): value is number {
  return (none && value == null) || Number.isSafeInteger(value);
}

function isCount(value: Json | undefined): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
