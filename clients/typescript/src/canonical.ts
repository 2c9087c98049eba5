/**
 * Strict JSON in, RFC 8785 text and digests out; the same as `signoff/payload/canonical.py`.
 *
 * Two parties agree on a payload by the digest of its canonical text, so what reads differently in two parsers is
 * refused here: names that stand twice, NaN and infinities, numbers of 2^53 and more, lone surrogates and NUL.
 */
import { Invalid } from "./errors.js";

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
export type JsonObject = { [name: string]: Json };

/** Levels of objects and lists in a payload. */
export const MAX_DEPTH = 32;
/** From here on a double loses digits. */
const TOO_LARGE = 2 ** 53;
const MOST_SHOWN = 120;

/** JSON text → values, strictly. Throws Invalid: not JSON, a name twice in one object, or what `copy` refuses. */
export function parse(text: string): Json {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Invalid(error instanceof RangeError ? "It is nested too deep." : "It is not JSON.");
  }
  const read = copy(value, "It");
  if (namesIn(text) !== count(read)) throw new Invalid("A name stands twice in one object.");
  return read;
}

/**
 * A copy of `value`, which is JSON that every party reads alike; else throws Invalid, naming the place after `where`.
 *
 * Names keep their order. Those with `undefined` are left out, as nobody can tell them from absent ones by reading.
 */
export function copy(value: unknown, where = "payload", levels = MAX_DEPTH): Json {
  switch (typeof value) {
    case "boolean":
      return value;
    case "string":
      return checked(value, where);
    case "number":
      if (!Number.isFinite(value)) throw new Invalid(`${where} is NaN or infinite, which JSON does not have.`);
      if (Math.abs(value) >= TOO_LARGE)
        throw new Invalid(`${where} is a number of 2^53 or more, which loses its last digits: send it as text.`);
      return value;
    case "object":
      if (value === null) return null;
      if (levels === 0) throw new Invalid(`${shown(where)} is nested deeper than ${MAX_DEPTH} levels.`);
      if (Array.isArray(value))
        return Array.from(value, (item, at) => copy(item, `${where}[${at}]`, levels - 1));
      if (isPlain(value)) {
        const members: [string, Json][] = [];
        for (const [name, item] of Object.entries(value)) {
          checked(name, `a name in ${where}`);
          if (item !== undefined) members.push([name, copy(item, `${where}.${name}`, levels - 1)]);
        }
        return Object.fromEntries(members);
      }
  }
  throw new Invalid(`${shown(where)} is ${named(value)}, which JSON does not have: send it as text or a plain object.`);
}

/** The RFC 8785 text of `value`; throws Invalid where `copy` does. */
export function canonical(value: unknown, where = "payload"): string {
  return written(copy(value, where));
}

/** SHA-256 of text, in hex. */
export async function digest(text: string): Promise<string> {
  return hex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes(text))));
}

/** Text as UTF-8. */
export function bytes(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** Bytes in hexadecimal. */
export function hex(raw: Uint8Array): string {
  return Array.from(raw, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Whether it is an object of JSON: no list, no class's. */
export function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  if (Object.getOwnPropertySymbols(value).length > 0) return false;
  const maker = Object.getPrototypeOf(value) as object | null;
  // An object of another realm (an iframe's, a test runner's) has another Object.prototype, as bare as ours.
  return maker === null || Object.getPrototypeOf(maker) === null;
}

// ECMAScript writes numbers and texts as RFC 8785 wants them (its sections 3.2.2.2 and 3.2.2.3), and sorts by UTF-16.
function written(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(written).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.keys(value).sort();
  return `{${members.map((name) => `${JSON.stringify(name)}:${written(value[name] as Json)}`).join(",")}}`;
}

function count(value: Json): number {
  if (typeof value !== "object" || value === null) return 0;
  const items = Object.values(value);
  return items.reduce((sum: number, item) => sum + count(item), Array.isArray(value) ? 0 : items.length);
}

/** How many names stand in JSON text: texts with a colon after them. JSON.parse drops the first of two that are alike. */
function namesIn(text: string): number {
  let names = 0;
  for (let start = text.indexOf('"'); start >= 0; ) {
    let end = text.indexOf('"', start + 1);
    while (isEscaped(text, end)) end = text.indexOf('"', end + 1);
    let after = end + 1;
    while (" \t\n\r".includes(text.charAt(after)) && after < text.length) after++;
    if (text[after] === ":") names++;
    start = text.indexOf('"', end + 1);
  }
  return names;
}

function isEscaped(text: string, at: number): boolean {
  let slashes = 0;
  while (text[at - 1 - slashes] === "\\") slashes++;
  return slashes % 2 === 1;
}

function checked(text: string, where: string): string {
  if (text.includes("\0")) throw new Invalid(`${shown(where)} holds a NUL character: remove it.`);
  // With the flag u a surrogate is seen only where it stands alone.
  if (/\p{Surrogate}/u.test(text))
    throw new Invalid(`${shown(where)} holds half a surrogate pair: it is not valid Unicode.`);
  return text;
}

function named(value: unknown): string {
  if (typeof value !== "object" || value === null) return typeof value === "undefined" ? "undefined" : `a ${typeof value}`;
  return `a ${value.constructor?.name || "class"}`;
}

function shown(where: string): string {
  const plain = where.replace(/[^\x20-\x7e]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`);
  return plain.length > MOST_SHOWN ? `${plain.slice(0, MOST_SHOWN)}…` : plain;
}
