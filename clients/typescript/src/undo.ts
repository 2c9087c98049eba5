/** Undos that people ask for: each is an approval of its own, bound to what it undoes, and runs once. */
import { digest } from "./canonical.js";
import type { Delivery } from "./client.js";
import { AlreadySpent, Invalid, NotVerified, SignoffError } from "./errors.js";
import type { Exchange } from "./exchange.js";
import { sleep } from "./gateway.js";
import { ApprovedReceipt, type Receipt } from "./receipts.js";
import type { Wait } from "./request.js";
import { open } from "./tokens.js";
import type { components } from "./wire.js";

type Wire = components["schemas"];

/** Seconds after which it is said again that somebody can undo. */
const BEAT = 10;
/** Characters of what went wrong. */
const MAX_FAULT = 300;
const UNDO_TEST = "signoff-undo-test+jwt";
const NO_TEST = "no test is registered: onUndo(…, { test })";

/** What undoing needs of a client. */
interface Client {
  decisions(how: { group: string; signal?: AbortSignal }): AsyncGenerator<Delivery>;
  spend(receipt: Receipt, wait?: Wait): Promise<void>;
  report(id: string, succeeded: boolean, note?: string): Promise<void>;
}

export interface Options {
  test?: () => unknown;
  signal?: AbortSignal;
}

/** Takes the undos of one action, for ever; what has no `undoes`, or another action, it never runs. */
export async function undoing<P extends object>(
  client: Client,
  exchange: Exchange,
  action: string,
  run: (payload: P, receipt: ApprovedReceipt<P>) => unknown,
  { test, signal }: Options,
): Promise<void> {
  if (typeof action !== "string" || action === "") throw new Invalid("onUndo names the action by which the policy undoes.");
  const end = new AbortController();
  const stop = (): void => end.abort(signal?.reason);
  if (signal?.aborted) stop();
  signal?.addEventListener("abort", stop);
  const say = async (tested?: Wire["UndoTest"]): Promise<Wire["UndoTestAsked"][]> => {
    const body = { actions: [action], ...(tested && { tested }) } satisfies Wire["CanUndo"];
    const found = await exchange.gateway.call("PUT", "/v1/undo", { body, patience: exchange.patience, signal: end.signal });
    const tests = (found as Partial<Wire["UndoTests"]> | undefined)?.tests;
    return Array.isArray(tests) ? tests : [];
  };
  // Somebody who runs the server wants to know whether it works: signed, for this agent and action, each once.
  const beat = async (): Promise<void> => {
    let asked = await say();
    for (let one = asked.shift(); one; one = asked.shift())
      if (await isAsked(exchange, action, one)) asked = [...asked, ...(await say(await tried(one.id, action, test)))];
  };
  const beats = async (): Promise<void> => {
    for (;;) {
      await sleep(BEAT, end.signal);
      await beat().catch((error: unknown) => {
        if (!(error instanceof SignoffError)) throw error;
      });
    }
  };
  try {
    await beat();
    const over = beats();
    over.catch(() => {}); // ended with the rest
    const group = `undo-${(await digest(action)).slice(0, 16)}`;
    for await (const { receipt, ack } of client.decisions({ group, signal: end.signal })) {
      const mine = receipt instanceof ApprovedReceipt && receipt.undoes !== undefined && receipt.action === action;
      if (mine && (await isOurs(client, receipt))) {
        await ack();
        await undone(client, receipt as ApprovedReceipt<P>, run);
      } else {
        await ack();
      }
    }
  } finally {
    signal?.removeEventListener("abort", stop);
    end.abort(new Error("undoing has ended"));
  }
}

/** Whether this process is the one that runs it. */
async function isOurs(client: Client, receipt: Receipt): Promise<boolean> {
  try {
    await client.spend(receipt);
    return true;
  } catch (error) {
    if (error instanceof AlreadySpent || error instanceof Invalid) return false;
    throw error;
  }
}

async function undone<P extends object>(
  client: Client,
  receipt: ApprovedReceipt<P>,
  run: (payload: P, receipt: ApprovedReceipt<P>) => unknown,
): Promise<void> {
  let fault = "";
  try {
    await run(receipt.payload, receipt);
  } catch (error) {
    fault = error instanceof Error ? error.name : typeof error; // its text may hold secrets
  }
  await client.report(receipt.id, fault === "", fault).catch((error: unknown) => {
    console.warn(`signoff: the outcome of undo ${receipt.id} could not be reported: ${String(error)}`);
  });
}

/** Whether the server has asked for just this test; what it has not signed is passed over. */
async function isAsked(exchange: Exchange, action: string, { id, token }: Wire["UndoTestAsked"]): Promise<boolean> {
  try {
    const claims = await open(typeof token === "string" ? token : "", UNDO_TEST, exchange.taken);
    return claims.sub === id && claims.action === action && Number.isInteger(claims.exp);
  } catch (error) {
    if (!(error instanceof NotVerified)) throw error;
    console.warn(`signoff: a test of undo by ${action} is not run: ${error.message}`);
    return false;
  }
}

async function tried(id: string, action: string, test?: () => unknown): Promise<Wire["UndoTest"]> {
  if (!test) return { id, action, passed: false, fault: NO_TEST };
  try {
    const passed = (await test()) !== false;
    return { id, action, passed, ...(!passed && { fault: "it gave false" }) };
  } catch (error) {
    return { id, action, passed: false, fault: (error instanceof Error ? error.name : typeof error).slice(0, MAX_FAULT) };
  }
}
