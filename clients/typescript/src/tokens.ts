/** Tokens: everything that Signoff signs, whatever it says; the same as `signoff/signatures.py`. */
import { compactVerify } from "jose";
import { isPlain, parse, type Json, type JsonObject } from "./canonical.js";
import { NotVerified } from "./errors.js";
import { decoded, type Keys } from "./keys.js";

/** What a deployment is called that has no SIGNOFF_DEPLOYMENT. */
export const DEPLOYMENT = "signoff";
const ALGORITHM = "EdDSA";
const MAX_TOKEN = 64 * 1024;

/** Whose tokens are taken: signed by these keys, of this deployment, for this agent. */
export interface Taken {
  readonly keys: Keys;
  readonly agent: string;
  readonly deployment?: string;
}

/** The claims of a signed token of exactly this kind, spelled in the only way; throws NotVerified. */
export async function open(token: string, typ: string, { keys, agent, deployment = DEPLOYMENT }: Partial<Taken> & Pick<Taken, "keys">): Promise<JsonObject> {
  const [head, claims] = partsOf(token);
  const names = Object.keys(head).sort().join();
  if (names !== "alg,kid,typ" || head.alg !== ALGORITHM || head.typ !== typ || typeof head.kid !== "string")
    throw new NotVerified(`It is no ${typ.replace("+jwt", "").replace("-", " ")} with ${ALGORITHM}.`);
  const key = await keys({ alg: head.alg, kid: head.kid });
  try {
    await compactVerify(token, key, { algorithms: [ALGORITHM] });
  } catch {
    throw new NotVerified("It was changed.");
  }
  const now = Date.now() / 1000;
  if (typeof claims.iss !== "string" || claims.iss !== deployment)
    throw new NotVerified(`It is of another deployment than ${deployment} (SIGNOFF_DEPLOYMENT).`);
  if (claims.aud !== agent) throw new NotVerified(agent === undefined ? "It is for somebody else." : `It is not for agent ${agent}.`);
  // An agent's clock may run behind the server's: when a receipt was issued decides nothing.
  if (claims.exp !== undefined && (!Number.isInteger(claims.exp) || (claims.exp as number) <= now))
    throw new NotVerified("It is no longer valid: ask again.");
  return claims;
}

/**
 * A token's header and claims, not yet verified; throws NotVerified unless it is spelled in the only way.
 *
 * Two spellings of one receipt would be two receipts to whoever keeps a list; and where a name stands twice, two
 * readers could take two different ones.
 */
function partsOf(token: string): [JsonObject, JsonObject] {
  const parts = token.length <= MAX_TOKEN ? token.split(".") : [];
  const raws = parts.map(decoded);
  if (parts.length !== 3 || raws.includes(undefined))
    throw new NotVerified("It is no token, or not spelled as one that Signoff signs.");
  try {
    const [head, claims] = raws.slice(0, 2).map((raw) => parse(utf8(raw as Uint8Array)));
    if (isObject(head) && isObject(claims)) return [head, claims];
  } catch {
    // not JSON, or not strictly
  }
  throw new NotVerified("It is no token of Signoff's: its parts are not JSON objects.");
}

/** The name of the key that a token says it is signed with, and whom it says it is for; not verified. */
export function unverified(token: string): { kid: string; agent: string } {
  const [head, claims] = partsOf(token);
  if (typeof head.kid !== "string" || typeof claims.aud !== "string")
    throw new NotVerified("It does not say whom it is for.");
  return { kid: head.kid, agent: claims.aud };
}

/** Whether it is an object of JSON. */
export function isObject(value: Json | undefined): value is JsonObject {
  return isPlain(value);
}

function utf8(raw: Uint8Array): string {
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(raw);
}
