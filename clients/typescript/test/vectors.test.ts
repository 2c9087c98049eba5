/** The published vectors (docs/vectors): we agree with each of them, as Python does. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { bind, canonical, digest, parse, pinned, requestId, Stopped, verify, verifyStops, type SignoffError } from "../src/index.js";
import { checkFresh, whyStopped } from "../src/stops.js";

interface Case {
  name: string;
  expects: "ok" | "refused";
  [more: string]: string | string[];
}

const FOLDER = new URL("../../../docs/vectors/", import.meta.url);

function cases(kind: string): Case[] {
  return JSON.parse(readFileSync(new URL(`${kind}.json`, FOLDER), "utf8"));
}

/** Whether `held` resolves; what it throws has to be ours. */
async function holds(held: () => Promise<unknown>): Promise<"ok" | "refused"> {
  try {
    await held();
    return "ok";
  } catch (error) {
    expect((error as SignoffError).detail, String((error as Error).stack)).toBeTypeOf("string");
    return "refused";
  }
}

describe("receipts", () => {
  test.each(cases("receipts"))("$name", async (one) => {
    const keys = pinned((one["keys"] as string[]).join(" "));
    const { token, agent, issuer, action, payload } = one as unknown as Record<string, string>;
    const held = async () => {
      const receipt = await verify(token!, { keys, agent: agent!, deployment: issuer! });
      return bind(receipt, action!, parse(payload!));
    };
    expect(await holds(held)).toBe(one.expects);
  });
});

describe("canonical JSON", () => {
  test.each(cases("canonical"))("$name", async (one) => {
    const made = async () => {
      const text = canonical(parse(one["text"] as string));
      expect([text, await digest(text)]).toEqual([one["canonical"], one["digest"]]);
    };
    expect(await holds(made)).toBe(one.expects);
  });
});

describe("stops", () => {
  test.each(cases("stops"))("$name", async (one) => {
    const keys = pinned((one["keys"] as string[]).join(" "));
    const { token, issuer, agent, action } = one as unknown as Record<string, string>;
    const { now, fresh, highest, issued_at: at, undoes } = one as unknown as Record<string, number>;
    const held = async () => {
      const found = await verifyStops(token!, { keys, deployment: issuer! });
      checkFresh(found, fresh!, highest!, now!);
      const issuedAt = new Date(at! * 1000);
      const why = whyStopped(found, { agent: agent!, action: action!, issuedAt, undoes: undoes ? `${undoes}` : undefined });
      if (why) throw new Stopped(why);
    };
    expect(await holds(held)).toBe(one.expects);
  });
});

test("ids", async () => {
  const all = cases("ids");
  expect(all.length).toBeGreaterThan(3);
  for (const one of all) {
    const { kind, agent, action, digest_sent: sent, nonce } = one as unknown as Record<string, string>;
    const made = await requestId(kind!, agent!, action!, sent!, nonce!);
    expect(made === one["id"], one.name).toBe(one.expects === "ok");
  }
});
