/** Whose signatures are taken: keys that were pinned, or those that a gateway publishes. */
import { createRemoteJWKSet, customFetch, errors, importJWK, type CompactJWSHeaderParameters } from "jose";
import { hex } from "./canonical.js";
import { ConfigError, NotVerified, Unreachable } from "./errors.js";

/** Gives the public key that a token's header names; throws NotVerified where there is none, or Unreachable. */
export type Keys = (header: CompactJWSHeaderParameters) => Promise<CryptoKey>;

const PREFIX = "ed25519:";

/** The keys that SIGNOFF_VERIFY_KEY holds: `ed25519:…`, parted by commas or white space. Throws ConfigError. */
export function pinned(text: string): Keys {
  const parts = text.split(/[\s,]+/).filter(Boolean);
  if (parts.length === 0) throw new ConfigError("SIGNOFF_VERIFY_KEY is empty: `signoff keys public` prints the server's.");
  const raws = parts.map((part) => {
    const raw = part.startsWith(PREFIX) ? decoded(part.slice(PREFIX.length)) : undefined;
    if (raw?.length !== 32)
      throw new ConfigError(
        "SIGNOFF_VERIFY_KEY is no public key (ed25519:…): `signoff keys public` prints the server's.",
      );
    return raw;
  });
  const known = Promise.all(raws.map(async (raw) => [await kid(raw), await imported(raw)] as const)).then(
    (pairs) => new Map(pairs),
  );
  known.catch(() => {}); // whoever asks for a key is told
  return async ({ kid: named }) => {
    const key = (await known).get(named ?? "");
    if (!key) throw new NotVerified("It is signed with a key that is not in SIGNOFF_VERIFY_KEY.");
    return key;
  };
}

/**
 * The keys that a gateway publishes at `/.well-known/jwks.json`: fetched from there alone, whatever a token says.
 *
 * They are asked for again, at most every 30 s, where a token names another. Then the gateway is trusted to say who
 * signs; with pinned keys it is not.
 */
export function published(url: string, fetch: typeof globalThis.fetch): Keys {
  const set = createRemoteJWKSet(new URL(".well-known/jwks.json", url.endsWith("/") ? url : `${url}/`), {
    [customFetch]: (to, options) => fetch(to, { ...options, redirect: "error" } as RequestInit),
  });
  return async (header) => {
    try {
      return await set({ ...header, alg: header.alg ?? "EdDSA" });
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys)
        throw new NotVerified("It is signed with a key that the gateway does not publish.");
      throw new Unreachable("Its public keys (/.well-known/jwks.json) cannot be had.", { cause: error });
    }
  };
}

/** base64url → bytes; undefined where it is not spelled in the only way (no padding, no bits left over). */
export function decoded(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) return undefined;
  const raw = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0));
  return encoded(raw) === text ? raw : undefined;
}

/** Bytes → base64url. */
export function encoded(raw: Uint8Array): string {
  const text = Array.from(raw, (byte) => String.fromCharCode(byte)).join("");
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

async function kid(raw: Uint8Array<ArrayBuffer>): Promise<string> {
  return hex(new Uint8Array(await crypto.subtle.digest("SHA-256", raw))).slice(0, 16);
}

async function imported(raw: Uint8Array): Promise<CryptoKey> {
  try {
    return (await importJWK({ kty: "OKP", crv: "Ed25519", x: encoded(raw) }, "EdDSA")) as CryptoKey;
  } catch {
    throw new ConfigError("This runtime's WebCrypto does not know Ed25519.");
  }
}
