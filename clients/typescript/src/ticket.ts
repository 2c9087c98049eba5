/** A request that was sent, and what may be known of it. */
import type { JsonObject } from "./canonical.js";
import { shortCode } from "./identity.js";
import type { ApprovedReceipt, Receipt } from "./receipts.js";
import type { Wait } from "./request.js";

/** A request that nobody has decided yet. */
export interface Pending {
  readonly id: string;
  readonly status: "pending";
  readonly action: string;
  /** What people call it. */
  readonly code: string;
  readonly expiresAt: Date;
  /** Where people see it, once it is shown. Not signed. */
  readonly permalink: string | undefined;
  /** Who has stopped it, where somebody has: nobody decides on it until somebody resumes it. */
  readonly held: string | undefined;
}

/** What a ticket needs of its client. */
interface Client {
  final<P extends object>(ticket: Ticket<P>, wait: Wait): Promise<ApprovedReceipt<P>>;
  get(id: string): Promise<Receipt | Pending | undefined>;
  cancel(id: string, reason?: string): Promise<Receipt>;
}

/** A request that was sent. `digest` is its payload's, undefined where this process did not send it. */
export class Ticket<P extends object = JsonObject> {
  readonly #client: Client;
  /** What people call it; where another one has the same, more of its characters (see `get`). */
  readonly code: string;
  /** @internal */
  readonly body: JsonObject | undefined;

  /** @internal */
  constructor(
    client: Client,
    readonly id: string,
    readonly digest?: string,
    readonly action = "",
    body?: JsonObject,
  ) {
    this.#client = client;
    this.code = shortCode(id);
    Object.defineProperty(this, "body", { value: body, enumerable: false }); // no log prints the payload
  }

  /** The verified receipt, once approved: run `receipt.payload`, nothing else, and once: see `Signoff.spend`. */
  async wait(wait: Wait = {}): Promise<ApprovedReceipt<P>> {
    return this.#client.final(this, wait);
  }

  /** Its state now. */
  async get(): Promise<Receipt | Pending | undefined> {
    return this.#client.get(this.id);
  }

  /** Withdraw it. */
  async cancel(reason = ""): Promise<Receipt> {
    return this.#client.cancel(this.id, reason);
  }
}
