/** Undos that people ask for: each is an approval of its own, bound to what it undoes, and runs once. */
import { digest } from "./canonical.js";
import type { Delivery } from "./client.js";
import { AlreadySpent, Invalid, SignoffError } from "./errors.js";
import type { Exchange } from "./exchange.js";
import { sleep } from "./gateway.js";
import { ApprovedReceipt, type Receipt } from "./receipts.js";
import type { Wait } from "./request.js";
import type { components } from "./wire.js";

type Wire = components["schemas"];

/** Seconds after which it is said again that somebody can undo. */
const BEAT = 15;
/** Characters of what went wrong. */
const MAX_FAULT = 300;

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
  const say = (tested?: Wire["UndoTest"]): Promise<unknown> => {
    const body = { actions: [action], ...(tested && { tested }) } satisfies Wire["CanUndo"];
    return exchange.gateway.call("PUT", "/v1/undo", { body, patience: exchange.patience, signal: end.signal });
  };
  const beats = async (): Promise<void> => {
    for (;;) {
      await sleep(BEAT, end.signal);
      await say().catch((error: unknown) => {
        if (!(error instanceof SignoffError)) throw error;
      });
    }
  };
  try {
    await say(test && (await tried(action, test)));
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

async function tried(action: string, test: () => unknown): Promise<Wire["UndoTest"]> {
  try {
    await test();
    return { action, passed: true };
  } catch (error) {
    return { action, passed: false, fault: (error instanceof Error ? error.name : typeof error).slice(0, MAX_FAULT) };
  }
}
