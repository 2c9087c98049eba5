/** A function that runs only once a person has approved, and with what they approved. */
import type { ApprovedReceipt } from "./receipts.js";
import type { Ask } from "./request.js";

/** What withApproval() takes besides; reason and key may be made of the payload. */
export interface Options<P> extends Omit<Ask, "reason" | "key"> {
  reason?: string | ((payload: P) => string) | undefined;
  key?: string | ((payload: P) => string | undefined) | undefined;
  /** Whether to tell Signoff afterwards what became of it: whether it threw, never the error's text. */
  report?: boolean | undefined;
}

/** What the gate needs of a client. */
interface Client {
  ask<P extends object>(action: string, payload: P, ask: Ask): Promise<ApprovedReceipt<P>>;
  report(id: string, succeeded: boolean, note?: string): Promise<void>;
}

/**
 * Asks before `run` runs, runs it with the *approved* payload, and reports whether it threw.
 *
 * What ask() throws is thrown, and nothing runs; a failure to report is logged and changes nothing.
 */
export function gated<P extends object, R>(
  client: Client,
  action: string,
  run: (payload: P, receipt: ApprovedReceipt<P>) => R | Promise<R>,
  { reason, key, report = true, ...ask }: Options<P>,
): (payload: P) => Promise<R> {
  return async (payload) => {
    const said = {
      reason: typeof reason === "function" ? reason(payload) : reason,
      key: typeof key === "function" ? key(payload) : key,
    };
    const receipt = await client.ask(action, payload, { ...ask, ...said });
    const tell = async (succeeded: boolean, note = ""): Promise<void> => {
      if (!report) return;
      await client.report(receipt.id, succeeded, note).catch((error: unknown) => {
        console.warn(`signoff: the outcome of request ${receipt.id} could not be reported: ${String(error)}`);
      });
    };
    let result: R;
    try {
      result = await run(receipt.payload, receipt);
    } catch (error) {
      // Its text may hold secrets, and the card is read by others.
      await tell(false, error instanceof Error ? error.name : typeof error);
      throw error;
    }
    await tell(true);
    return result;
  };
}

/** The same for one request that is there already: `withApproval(signoff, { action, payload }, async (payload) => …)`. */
export async function withApproval<P extends object, R>(
  client: Client,
  request: { action: string; payload: P } & Options<P>,
  run: (payload: P, receipt: ApprovedReceipt<P>) => R | Promise<R>,
): Promise<R> {
  const { action, payload, ...options } = request;
  return gated(client, action, run, options as Options<P>)(payload);
}
