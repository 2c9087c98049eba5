/**
 * Ids that commit: a request's id is made of what it asks for, so that it can name nothing else.
 *
 * The recipe is the wire's: docs/decisions/0012-ids-that-commit.md. Whoever holds an id recomputes it from what is said
 * to belong to it: the server from a request, an agent from a receipt.
 */
import { bytes, canonical, digest, hex } from "./canonical.js";

const RECIPE = "signoff-id-1";
const CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** `bits` random bits, in hexadecimal. */
export function random(bits = 128): string {
  return hex(crypto.getRandomValues(new Uint8Array(bits / 8)));
}

/**
 * The nonce of a request with a key, so that asking again gives the same id.
 *
 * With the agent's own `secret` nobody else can tell the id of a coming request from its key.
 */
export async function keyedNonce(key: string, secret?: string): Promise<string> {
  if (!secret) return (await digest(key)).slice(0, 32);
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const mac = await crypto.subtle.importKey("raw", bytes(secret), algorithm, false, ["sign"]);
  return hex(new Uint8Array(await crypto.subtle.sign("HMAC", mac, bytes(key)))).slice(0, 32);
}

/** The id of a request: a UUIDv8 (RFC 9562, section 5.8) of the SHA-256 over all that it commits to. */
export async function requestId(
  kind: string,
  agent: string,
  action: string,
  digestSent: string,
  nonce: string,
): Promise<string> {
  const hash = await digest(canonical([RECIPE, kind, agent, action, digestSent, nonce], "id"));
  const variant = ((parseInt(hash.charAt(16), 16) & 0x3) | 0x8).toString(16);
  const parts = [hash.slice(0, 8), hash.slice(8, 12), `8${hash.slice(13, 16)}`, variant + hash.slice(17, 20), hash.slice(20, 32)];
  return parts.join("-");
}

/** What people call a request, before the server has said its code: six characters in Crockford's base 32. */
export function shortCode(id: string): string {
  const first = BigInt(`0x${id.replaceAll("-", "").slice(0, 8)}`);
  return Array.from({ length: 6 }, (_, at) => CROCKFORD.charAt(Number((first >> BigInt(27 - 5 * at)) & 31n))).join("");
}

/** Names one try of this process to run something: who was first can tell itself from all others. */
export function processName(): string {
  const process = (globalThis as { process?: { pid?: number; title?: string } }).process;
  return `js-${process?.pid ?? 0}-${random()}`;
}
