/** A gateway that lies, redirects, is busy or talks for ever: it stops things, and lets nothing run. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { afterEach, beforeAll, expect, test, vi } from "vitest";
import { AlreadySpent, ConfigError, Invalid, Limited, NotVerified, Unknown, Unreachable, type ApprovedReceipt } from "../src/index.js";
import { server } from "./server.js";

const REFUND = { customer: "cus_42", amount: 120 };
/** An approved request, and one that was rejected; their states as the gateway tells them. */
let approved: Record<string, unknown>;
let rejected: Record<string, unknown>;

beforeAll(async () => {
  [approved, rejected] = await Promise.all([state("approve", REFUND), state("reject", { amount: 9 })]);
});
afterEach(() => server.clear());

async function state(vote: string, payload: object): Promise<Record<string, unknown>> {
  const { id } = await server.client().request("refund.create", payload, { reversible: true });
  await server.decide(id, { vote });
  const headers = { authorization: `Bearer ${server.token}` };
  return (await fetch(`${server.url}/v1/requests/${id}`, { headers })).json() as Promise<Record<string, unknown>>;
}

/** A fetch whose answers to GET (or to `path`) are what `lie` makes of the true ones. */
function lying(lie: (truth: any) => unknown, path = /\/requests\/[^/]+$/): typeof fetch {
  return async (to, options) => {
    const response = await fetch(to, options);
    return path.test(new URL(String(to)).pathname) ? Response.json(lie(await response.json())) : response;
  };
}

function altered(token: string, change: (claims: Record<string, unknown>) => object): string {
  const [head, claims, signature] = token.split(".") as [string, string, string];
  const told = JSON.parse(Buffer.from(claims, "base64url").toString()) as Record<string, unknown>;
  return [head, Buffer.from(JSON.stringify(change(told))).toString("base64url"), signature].join(".");
}

test.each<[string, (truth: any) => unknown, string]>([
  ["another payload beside it", (t) => ({ ...t, payload: '{"amount":12000,"customer":"cus_42"}' }), "payload beside it"],
  ["a payload with spaces", (t) => ({ ...t, payload: ` ${t.payload}` }), "payload beside it"],
  ["no payload", (t) => ({ ...t, payload: null }), "payload beside it"],
  ["no receipt", (t) => ({ ...t, receipt: undefined }), "no token"],
  ["a receipt that is a list", (t) => ({ ...t, receipt: [t.receipt] }), "no state"],
  ["another request's receipt", (t) => ({ ...t, receipt: rejected["receipt"] }), "another request"],
  ["another request's answer", () => rejected, "another request"],
  ["a status of its own", (t) => ({ ...t, status: "rejected" }), "differ"],
  ["other claims", (t) => ({ ...t, receipt: altered(t.receipt, (c) => ({ ...c, action: "db.drop" })) }), "changed"],
  ["one more claim", (t) => ({ ...t, receipt: altered(t.receipt, (c) => ({ ...c, more: 1 })) }), "changed"],
  ["another spelling", (t) => ({ ...t, receipt: `${t.receipt}=` }), "no token"],
  ["a list", () => [], "no state"],
])("it lies with %s", async (_, lie, told) => {
  const waits = server.client({ fetch: lying(lie) }).wait(approved["id"] as string, { timeout: 20 });
  const error = await waits.catch((error: unknown) => error);
  expect(error).toBeInstanceOf(NotVerified);
  expect(String(error)).toContain(told);
});

test("a no is no yes by any status", async () => {
  const lie = (truth: any) => ({ ...truth, status: "approved", payload: approved["payload"] });
  const waits = server.client({ fetch: lying(lie) }).wait(rejected["id"] as string);
  await expect(waits).rejects.toThrow(NotVerified);
});

test("what was sent is what the receipt has to be about", async () => {
  const ticket = server.client().resume(approved["id"] as string, "0".repeat(64));
  await expect(ticket.wait()).rejects.toThrow("another payload");
});

test("keys and names of others are no good", async () => {
  const { id } = approved as { id: string };
  const wrong = [{ agent: "other-bot" }, { deployment: "elsewhere" }, { verifyKey: `ed25519:${"A".repeat(43)}` }];
  for (const settings of wrong) await expect(server.client(settings).wait(id)).rejects.toThrow(NotVerified);
});

test("who may run it is what the server signed", async () => {
  const receipt = await server.client().wait(approved["id"] as string);
  const spend = (lie: (truth: any) => unknown) => server.client({ fetch: lying(lie, /\/spend$/) }).spend(receipt);
  await expect(spend(() => ({ receipt: receipt.token }))).rejects.toThrow("no signoff notice");
  await expect(spend(() => ({}))).rejects.toThrow(NotVerified);
  let notice: unknown;
  const own = await fresh();
  await server.client({ fetch: lying((truth) => ((notice = truth), truth), /\/spend$/) }).spend(own);
  await expect(server.client({ fetch: lying(() => notice, /\/spend$/) }).spend(own)).rejects.toThrow(AlreadySpent);
  await expect(server.client({ fetch: lying(() => notice, /\/spend$/) }).spend(await fresh())).rejects.toThrow(NotVerified);
});

async function fresh(): Promise<ApprovedReceipt> {
  const { id } = await state("approve", REFUND);
  return server.client().wait(id as string);
}

test("while it is busy the same request is sent again, and no other", async () => {
  const bodies: string[] = [];
  const answers = [429, 503, 502, 500, 408];
  const busy: typeof fetch = async (to, options) => {
    if (options?.method !== "POST") return fetch(to, options);
    bodies.push(options.body as string);
    const status = answers.shift();
    return status ? Response.json({}, { status, headers: { "retry-after": "0" } }) : fetch(to, options);
  };
  const { id } = await server.client({ fetch: busy }).request("refund.create", REFUND, { reversible: true });
  expect(new Set(bodies).size).toBe(1);
  expect(bodies).toHaveLength(6);
  expect((await server.look(id)).status).toBe("pending");
  const limited: typeof fetch = async () => Response.json({ detail: "x" }, { status: 429, headers: { "retry-after": "3600" } });
  await expect(server.client({ fetch: limited }).request("refund.create", REFUND)).rejects.toThrow(Limited);
  const html: typeof fetch = async () => new Response("<html>", { status: 200 });
  await expect(server.client({ fetch: html, patience: 0 }).get(id)).rejects.toThrow("no JSON");
});

test("the token goes nowhere else, and an answer without end is not read to it", async () => {
  const asked: string[] = [];
  const answers = { redirect: 0, endless: 0 };
  const other = createServer((request, response) => {
    asked.push(request.url ?? "");
    if (request.url?.startsWith("/stolen")) answers.redirect++;
    if (!request.url?.startsWith("/endless")) response.writeHead(307, { location: "/stolen" }).end();
    else {
      const more = setInterval(() => response.write("x".repeat(1 << 20)), 1);
      response.on("close", () => (clearInterval(more), answers.endless++));
    }
  }).listen(0, "127.0.0.1");
  await once(other, "listening");
  const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
  const { id } = approved as { id: string };
  for (const settings of [{ url }, { url, verifyKey: "jwks" }])
    await expect(server.client({ ...settings, patience: 0 }).get(id)).rejects.toThrow(Unreachable);
  await expect(server.client({ url: `${url}/endless`, patience: 0 }).get(id)).rejects.toThrow("RangeError");
  await vi.waitFor(() => expect(answers).toEqual({ redirect: 0, endless: 1 }));
  expect(asked.some((path) => path.startsWith("/stolen"))).toBe(false);
  other.closeAllConnections();
  other.close();
});

test("why the gateway was not reached is kept for people, and is in no text that a model reads", async () => {
  const below = new TypeError("connect ECONNREFUSED secret-host:8480");
  const broken: typeof fetch = () => Promise.reject(below);
  const error = await server.client({ fetch: broken, patience: 0 }).get(approved["id"] as string).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(Unreachable);
  expect((error as Error).cause).toBe(below);
  expect(String(error)).not.toContain("secret-host");
});

test("a name that is not the token's, and an id that nobody knows, are told as what they are", async () => {
  const other = server.client({ agent: "other-bot" });
  const error = await other.request("refund.create", REFUND, { reversible: true }).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(ConfigError);
  expect(String(error)).toContain("SIGNOFF_AGENT is not billing-bot");
  const nobody = await server.client().cancel("00000000-0000-8000-8000-000000000000").catch((error: unknown) => error);
  expect(nobody).toBeInstanceOf(Unknown);
  expect(nobody).toBeInstanceOf(Invalid);
  expect(String(nobody)).toContain("check it, and SIGNOFF_TOKEN, or ask anew");
});
