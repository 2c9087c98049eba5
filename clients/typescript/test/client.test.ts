/** The client against a real server: what people decide is what runs, over outages, and once. */
import { createHmac } from "node:crypto";
import { inspect } from "node:util";
import { afterEach, expect, test, vi } from "vitest";
import {
  AlreadySpent,
  Blocked,
  Cancelled,
  ConfigError,
  Duplicate,
  Expired,
  explain,
  Invalid,
  NotApproved,
  Rejected,
  requestId,
  Signoff,
  Unreachable,
  WaitTimeout,
  withApproval,
  type ApprovedReceipt,
  type Receipt,
} from "../src/index.js";
import { server } from "./server.js";

const REFUND = { customer: "cus_42", amount: 120 };

afterEach(() => server.clear());

test("what was approved comes back verified, spent for this process, and is reported", async () => {
  const signoff = server.client();
  const asked = signoff.ask("refund.create", REFUND, { reversible: false, reason: "Charged twice.", tags: ["money"] });
  const id = await server.decideNext();
  const receipt: ApprovedReceipt<typeof REFUND> = await asked;
  expect(receipt).toMatchObject({ id, status: "approved", edited: false, payload: REFUND, agent: "billing-bot" });
  expect(receipt.decidedBy).toMatchObject({ id: "U0ANA", name: "ana", at: expect.any(Date) });
  expect((await server.look(id)).spent_by).toMatch(/^js-/);
  expect((await server.look(id)).request).toMatchObject({ reversibility: "irreversible", reason: "Charged twice." });
  await signoff.report(id, true, "re_1");
  expect((await server.look(id)).outcome).toEqual({ succeeded: true, note: "re_1" });
  await expect(signoff.spend(receipt)).rejects.toThrow(AlreadySpent);
});

test("the action gets the approved payload, not the one that was asked", async () => {
  const ran: unknown[] = [];
  const refund = server.client().withApproval("refund.create", (payload: typeof REFUND) => ran.push(payload), {
    reason: ({ amount }) => `${amount} were charged twice.`,
  });
  const done = refund(REFUND);
  const id = await server.decideNext({ payload: { ...REFUND, amount: 80 } });
  expect(await done).toBe(1);
  expect(ran).toEqual([{ ...REFUND, amount: 80 }]);
  const row = await server.look(id);
  expect(row.request["reason"]).toBe("120 were charged twice.");
  expect(row.outcome).toEqual({ succeeded: true, note: "" });
});

test("withApproval of one request; what it throws is reported by its kind alone", async () => {
  const request = { action: "refund.create", payload: REFUND, reversible: true };
  const done = withApproval(server.client(), request, async () => {
    throw new RangeError("sk_live_1");
  });
  const expected = expect(done).rejects.toThrow("sk_live_1");
  const id = await server.decideNext();
  await expected;
  expect((await server.look(id)).outcome).toEqual({ succeeded: false, note: "RangeError" });
});

test("every no is told as what it is, and nothing runs", async () => {
  const signoff = server.client();
  const run = vi.fn();
  const asked = signoff.withApproval("refund.create", run)(REFUND).catch((error: unknown) => error);
  await server.decideNext({ vote: "reject", reason: "Ask finance" });
  const rejected = (await asked) as Rejected;
  expect(rejected).toBeInstanceOf(Rejected);
  expect(rejected.receipt?.decidedBy?.name).toBe("ana");
  expect(explain(rejected)).toBe(
    "refund.create was not run: ana rejected it. Reason: Ask finance. This answer is final: do not ask for it again.",
  );
  const ticket = await signoff.request("refund.create", REFUND);
  expect(await ticket.get()).toMatchObject({ status: "pending", code: ticket.code });
  expect((await ticket.cancel("Not needed.")).status).toBe("cancelled");
  await expect(ticket.wait()).rejects.toThrow(Cancelled);
  const slow = signoff.ask("refund.create", REFUND).catch((error: unknown) => error);
  await server.expire(await server.next());
  const expired = (await slow) as Expired;
  expect(expired).toBeInstanceOf(Expired);
  expect(explain(expired)).toContain("nobody answered in time. This is not a rejection.");
  await server.follow("block: [db.drop]");
  const blocked = await signoff.ask("db.drop", {}).catch((error: unknown) => error);
  expect(blocked).toBeInstanceOf(Blocked);
  expect(run).not.toHaveBeenCalled();
});

test("with a key one request is one, by the id that Python makes, and runs once", async () => {
  const signoff = server.client({ secret: "hush" });
  const [first, second] = await Promise.all([1, 2].map(() => signoff.request("refund.create", REFUND, { key: "r-1" })));
  expect(first?.id).toBe(second?.id);
  const nonce = (await server.look(first!.id)).request["nonce"] as string;
  expect(nonce).toBe(createHmac("sha256", "hush").update("r-1").digest("hex").slice(0, 32));
  expect(await requestId("approval", "billing-bot", "refund.create", first!.digest!, nonce)).toBe(first?.id);
  await expect(signoff.request("refund.create", {}, { key: "r-1" })).rejects.toThrow(Invalid);
  const asked = [1, 2, 3].map(() => signoff.ask("refund.create", REFUND, { key: "r-1" }));
  await server.decide(first!.id);
  const ends = await Promise.allSettled(asked);
  expect(ends.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  for (const end of ends) if (end.status === "rejected") expect(end.reason).toBeInstanceOf(Duplicate);
});

test("a timeout leaves it pending, and another process takes it up by its id", async () => {
  const ticket = await server.client().request("refund.create", REFUND);
  const late = await ticket.wait({ timeout: 0.3 }).catch((error: unknown) => error);
  expect(late).toBeInstanceOf(WaitTimeout);
  expect(late).not.toBeInstanceOf(NotApproved);
  const resumed = server.client().resume<typeof REFUND>(ticket.id, ticket.digest).wait({ timeout: 20 });
  await server.decide(ticket.id);
  expect((await resumed).payload.amount).toBe(120);
});

test("waits and requests go on over a restart of the server", async () => {
  const signoff = server.client();
  const ticket = await signoff.request("refund.create", REFUND);
  const waits = ticket.wait();
  await server.stop();
  const asked = signoff.ask("refund.create", { ...REFUND, amount: 5 });
  await expect(server.client({ patience: 0.2 }).request("refund.create", REFUND)).rejects.toThrow(Unreachable);
  await server.decide(ticket.id); // a click meanwhile
  await server.restart();
  expect((await waits).payload).toEqual(REFUND);
  await server.decideNext();
  expect((await asked).payload.amount).toBe(5);
});

test("who gives up withdraws its request", async () => {
  const giveUp = new AbortController();
  const asked = server.client().ask("refund.create", REFUND, { signal: giveUp.signal, key: "given-up" });
  const expected = expect(asked).rejects.toThrow("changed my mind");
  const ticket = await server.client().request("refund.create", REFUND, { key: "given-up" });
  giveUp.abort(new Error("changed my mind"));
  await expected;
  expect((await server.look(ticket.id)).status).toBe("cancelled");
});

test("another agent's request is nobody's", async () => {
  const { id } = await server.client().request("refund.create", REFUND);
  const other = server.client({ agent: "other-bot", token: server.other });
  expect(await other.get(id)).toBeUndefined();
  await expect(other.wait(id)).rejects.toThrow(Invalid);
  await server.decide(id, { vote: "reject" });
  expect(((await server.client().get(id)) as Receipt).status).toBe("rejected");
});

test("an agent that parks hears of each decision, and never of a forged one", async () => {
  let last = "";
  const hear = async (client: Signoff): Promise<string[]> => {
    const heard: string[] = [];
    for await (const { receipt, ack } of client.decisions({ group: "parked" })) {
      heard.push(receipt.id);
      await ack();
      if (receipt.id === last) break;
    }
    return heard;
  };
  const decided = async (): Promise<string> => {
    const { id } = await server.client().request("refund.create", REFUND, { reversible: true });
    await server.decide(id);
    return id;
  };
  const first = (last = await decided());
  expect(await hear(server.client())).toContain(first);
  const forged = await decided();
  const fetch: typeof globalThis.fetch = async (to, options) => {
    const response = await globalThis.fetch(to, options);
    if (!String(to).includes("/v1/decisions?")) return response;
    const { decisions } = (await response.json()) as { decisions: { id: string; receipt: string }[] };
    for (const one of decisions) if (one.id === forged) one.receipt = one.receipt.replace(/^e/, "f");
    return Response.json({ decisions });
  };
  const hears = hear(server.client({ fetch })); // waits by now
  const third = (last = await decided());
  expect(await hears).toEqual([third]);
  const stop = AbortSignal.timeout(500);
  const rest = server.client().decisions({ group: "parked", signal: stop }).next();
  await expect(rest).rejects.toThrow("timeout"); // all are acknowledged
});

test("keys that the gateway publishes do, where that is wished for", async () => {
  const signoff = server.client({ verifyKey: "jwks" });
  const asked = signoff.ask("refund.create", REFUND);
  await server.decideNext();
  expect((await asked).approved).toBe(true);
});

test.each([
  ["a list", [1], "plain object"],
  ["a date", { at: new Date() }, "payload.at is a Date"],
  ["a map", { all: new Map() }, "payload.all is a Map"],
  ["NaN", { amount: NaN }, "payload.amount is NaN"],
  ["too large a number", { id: 2 ** 53 }, "payload.id is a number of 2^53"],
  ["a bigint", { id: 1n }, "payload.id is a bigint"],
  ["half a surrogate pair", { text: "\ud800" }, "half a surrogate pair"],
  ["NUL in a name", { "a\0": 1 }, "NUL"],
  ["undefined in a list", { all: [undefined] }, "payload.all[0] is undefined"],
  ["a hole", { all: [, 1] }, "payload.all[0] is undefined"],
])("what cannot travel is refused before it is sent: %s", async (_, payload, told) => {
  const fetch = vi.fn();
  await expect(server.client({ fetch }).request("refund.create", payload)).rejects.toThrow(told);
  expect(fetch).not.toHaveBeenCalled();
});

test("members that are undefined are absent, and a strange name is a name", async () => {
  const payload = { customer: "cus_42", note: undefined, ["__proto__"]: 1, toString: "x", 10: "ten", 9: "nine" };
  const asked = server.client().ask("refund.create", payload);
  await server.decideNext();
  const { payload: found } = await asked;
  expect(Object.entries(found).sort()).toEqual([["10", "ten"], ["9", "nine"], ["__proto__", 1], ["customer", "cus_42"], ["toString", "x"]]);
});

test("settings that are missing or wrong are named, and the token is told to nobody", async () => {
  for (const [settings, told] of [
    [{ url: "http://signoff.example.com" }, "https"],
    [{ url: "https://user:pass@signoff.example.com" }, "https"],
    [{ token: "" }, "SIGNOFF_TOKEN is not set"],
    [{ token: "sgt_a\nb" }, "SIGNOFF_TOKEN is no token"],
    [{ agent: "Billing Bot" }, "name"],
    [{ verifyKey: "" }, "SIGNOFF_VERIFY_KEY is not set"],
    [{ verifyKey: "ed25519:abc" }, "no public key"],
  ] as const)
    expect(() => server.client(settings)).toThrow(told);
  const wrong = server.client({ token: "sgt_wrongwrong12_x" });
  await expect(wrong.request("refund.create", REFUND)).rejects.toThrow(ConfigError);
  expect(inspect(wrong, { depth: 9, showHidden: true }) + JSON.stringify(wrong)).not.toContain("sgt_wrong");
  const away = await server.client({ url: "http://127.0.0.1:9", patience: 0 }).get("0".repeat(8) + "-0000-8000-8000-000000000000").catch((error: unknown) => error);
  expect(away).toBeInstanceOf(Unreachable);
  expect(String(away)).not.toContain("127.0.0.1");
  expect(() => new Signoff()).toThrow("SIGNOFF_AGENT is not set");
});
