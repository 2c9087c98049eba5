/** The way to `signoff web`: calls that are sent again while it cannot be reached, and its answers as errors. */
import { AlreadySpent, ConfigError, Duplicate, Invalid, Limited, NotVerified, Stopped, Unknown, Unreachable, type SignoffError } from "./errors.js";

/** What a call may say besides its method and path. Seconds, all of them. */
export interface Call {
  body?: object;
  /** How long the gateway may take to answer; more for a long-poll. */
  answers?: number;
  /** For how long it is tried again while it cannot be reached; Infinity for ever. */
  patience?: number;
  signal?: AbortSignal | undefined;
}

const ANSWERS = 15;
const PAUSES = [0.1, 0.25, 0.5, 1, 2, 5, 10];
/** A clock of ours fires at once where it is told more than 24 days. */
const LONGEST_PAUSE = 3600;
/** Bytes of an answer that are read: no decisions that come at once are more. */
const MOST = 8 * 1024 * 1024;
/** Seconds of an outage before it is told. */
const SILENT = 10;
const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

export class Gateway {
  readonly url: string;
  readonly #token: string;
  readonly #fetch: typeof globalThis.fetch;

  /** Throws ConfigError: the token is sent over https alone, or to this machine. */
  constructor(url: string, token: string, fetch: typeof globalThis.fetch) {
    const parsed = URL.canParse(url) ? new URL(url) : undefined;
    const secret = parsed?.protocol === "https:" || (parsed?.protocol === "http:" && LOOPBACK.test(parsed.hostname));
    if (!parsed || !secret || parsed.username || parsed.password)
      throw new ConfigError("SIGNOFF_WEB_URL is no https:// address (http:// goes to this machine alone).");
    if (!/^[\x21-\x7e]+$/.test(token)) throw new ConfigError("SIGNOFF_TOKEN is no token (sgt_…).");
    this.url = url.replace(/\/+$/, "");
    this.#token = token;
    this.#fetch = fetch;
  }

  /** The answer's JSON; throws Unreachable, a NotApproved, NotVerified, ConfigError, or the signal's reason. */
  async call(method: string, path: string, { body, answers = ANSWERS, patience = 0, signal }: Call = {}): Promise<unknown> {
    const started = now();
    let told = false;
    for (let tries = 0; ; tries++) {
      const found = await this.#once(method, path, body, answers, signal);
      if ("ok" in found) return found.ok;
      const usual = (PAUSES[Math.min(tries, PAUSES.length - 1)] as number) * (1 + Math.random() / 4);
      const pause = Math.min(found.retryAfter ?? usual, LONGEST_PAUSE);
      if (!found.again || now() - started + pause > patience) throw found.error;
      if (!told && now() - started > SILENT) {
        told = true;
        console.warn(`signoff: the gateway does not do its work, and is asked again: ${found.error.message}`);
      }
      await sleep(pause, signal);
    }
  }

  async #once(method: string, path: string, body: object | undefined, answers: number, signal?: AbortSignal): Promise<Found> {
    // What is being sent is seen through: else nobody could say whether there is something to withdraw.
    const within = limited(answers, body ? undefined : signal);
    const headers: Record<string, string> = { authorization: `Bearer ${this.#token}`, accept: "application/json" };
    if (body) headers["content-type"] = "application/json";
    try {
      const fetch = this.#fetch; // a browser's is nobody's method
      const response = await fetch(this.url + path, {
        method,
        headers,
        ...(body && { body: JSON.stringify(body) }),
        redirect: "error", // the token goes nowhere else
        credentials: "omit",
        signal: within.signal,
      });
      return outcome(response.status, response.headers, await text(response));
    } catch (error) {
      signal?.throwIfAborted();
      // No host and port in it: a model may read it.
      const what = error instanceof Error ? error.name : "error";
      const detail = `${what}. Check SIGNOFF_WEB_URL, and that \`signoff serve\` runs.`;
      return { error: new Unreachable(detail, { cause: error }), again: true };
    } finally {
      within.end();
    }
  }
}

/** One signal of a limit in seconds and of `signal`; by hand, as Node 20 may collect `AbortSignal.any` before it fires. */
function limited(seconds: number, signal?: AbortSignal): { signal: AbortSignal; end: () => void } {
  const controller = new AbortController();
  const give = (): void => controller.abort(signal?.reason);
  const timer = setTimeout(
    () => controller.abort(new DOMException("It took too long.", "TimeoutError")),
    Math.min(Math.max(1, Math.ceil(seconds * 1000)), 2 ** 31 - 1),
  );
  if (signal?.aborted) give();
  signal?.addEventListener("abort", give);
  const end = (): void => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", give);
  };
  return { signal: controller.signal, end };
}

/** Seconds on a clock that nobody sets. */
export function now(): number {
  return performance.now() / 1000;
}

/** Waits; throws the signal's reason where it is aborted meanwhile. */
export async function sleep(seconds: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, seconds * 1000);
    signal?.addEventListener("abort", done);
  });
  signal?.throwIfAborted();
}

type Found = { ok: unknown } | { error: SignoffError; again: boolean; retryAfter?: number };

function outcome(status: number, headers: Headers, text: string): Found {
  let found: unknown;
  try {
    found = text === "" ? undefined : JSON.parse(text);
  } catch {
    return { error: new Unreachable(`It answered ${status}, and no JSON: is it a gateway of Signoff?`), again: true };
  }
  if (status >= 200 && status < 300) return { ok: found };
  const problem = (found ?? {}) as Record<string, unknown>;
  const told = (name: string): string => (typeof problem[name] === "string" ? problem[name].slice(0, 1000) : "");
  const slug = told("type").replace(/^.*[#/]/, "");
  const after = Number.parseInt(headers.get("retry-after") ?? "", 10);
  return {
    error: fault(status, slug, told("detail") || `It answered ${status}.`, told("by"), told("agent")),
    again: isAway(status) || status === 429,
    ...(after >= 0 && { retryAfter: after }),
  };
}

function fault(status: number, slug: string, detail: string, by: string, agent: string): SignoffError {
  if (slug === "already-spent") return new AlreadySpent(by, undefined, by ? "" : detail);
  if (slug === "not-verified") return new NotVerified(detail);
  if (slug === "stopped") return new Stopped(detail);
  if (status === 401 || status === 403)
    return new ConfigError(`The gateway does not take SIGNOFF_TOKEN for this: ${detail}`);
  if (slug === "invalid" && agent) return new ConfigError(`SIGNOFF_AGENT is not ${agent}, or something changes what is sent. ${detail}`);
  if (slug === "duplicate" || slug === "answered") return new Duplicate(detail);
  if (status === 404) return new Unknown(detail);
  if (status === 429) return new Limited(detail);
  return isAway(status) ? new Unreachable(detail) : new Invalid(detail);
}

/** Whether a gateway that answers so may do better soon. */
function isAway(status: number): boolean {
  return status >= 500 || status === 408;
}

async function text(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  const parts: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const read = await reader?.read();
    if (!read || read.done) break;
    parts.push(read.value);
    size += read.value.length;
    if (size > MOST) {
      await reader?.cancel();
      throw new RangeError("the answer is too large");
    }
  }
  return new Blob(parts as BlobPart[]).text();
}
