/** The guard of an executor: a receipt lets just its payload of just its action run, once. */
import { expect, test } from "vitest";
import {
  AlreadySpent,
  ConfigError,
  gatewayStore,
  Guard,
  Invalid,
  NotVerified,
  OtherAction,
  OtherPayload,
  pinned,
  Rejected,
  Stopped,
  Unreachable,
  type Receipt,
  type Spent,
  type Store,
} from "../src/index.js";
import { server } from "./server.js";

const REFUND = { customer: "cus_42", amount: 120 };


async function receiptOf(vote = "approve"): Promise<Receipt> {
  const ticket = await server.client().request("refund.create", REFUND, { reversible: true });
  await server.decide(ticket.id, { vote });
  return (await ticket.get()) as Receipt;
}

/** A store in memory, as a test may have one. */
function memory(): Store {
  const spent = new Map<string, Spent>();
  return {
    async spend({ kid, agent, id }, by) {
      const key = [kid, agent, id].join();
      if (!spent.has(key)) spent.set(key, by);
      return spent.get(key)!;
    },
  };
}

function guard(store: Store, more: object = {}): Guard {
  return new Guard({ keys: pinned(server.verify_key), agents: ["billing-bot"], store, ...more });
}

test.each(["the gateway's", "one of its own"])("of many at once one runs, with %s store", async (whose) => {
  const store = whose === "the gateway's" ? gatewayStore({ url: server.url, token: server.spend }) : memory();
  const { token } = await receiptOf();
  const ran: unknown[] = [];
  const refund = guard(store).protects("refund.create", async (payload: object) => ran.push(payload));
  const ends = await Promise.allSettled([1, 2, 3, 4].map(() => refund(token, { amount: 120, customer: "cus_42" })));
  expect(ran).toEqual([REFUND]);
  const told = ends.flatMap((end) => (end.status === "rejected" ? [end.reason] : []));
  expect(told).toHaveLength(3);
  for (const error of told) expect(error).toBeInstanceOf(AlreadySpent);
});

test("what is not just what was approved does not run", async () => {
  const [right, no] = [await receiptOf(), await receiptOf("reject")];
  const own = guard(memory());
  await expect(own.spend(right, { ...REFUND, amount: 12000 }, "refund.create")).rejects.toThrow(OtherPayload);
  await expect(own.spend(right, REFUND, "db.drop")).rejects.toThrow(OtherAction);
  await expect(own.spend(right, [REFUND], "refund.create")).rejects.toThrow(Invalid);
  await expect(own.spend(no, REFUND, "refund.create")).rejects.toThrow(Rejected);
  await expect(own.spend(`${right.token}.`, REFUND, "refund.create")).rejects.toThrow(NotVerified);
  await expect(own.spend("", REFUND, "refund.create")).rejects.toThrow(NotVerified);
  await expect(guard(memory(), { agents: ["other-bot"] }).check(right, REFUND, "refund.create")).rejects.toThrow(NotVerified);
  await expect(guard(memory(), { deployment: "x" }).check(right, REFUND, "refund.create")).rejects.toThrow(NotVerified);
  await expect(guard(memory(), { stopped: () => "Ana stopped it" }).spend(right, REFUND, "refund.create")).rejects.toThrow(Stopped);
  const unsure = () => Promise.reject(new Error("no answer"));
  await expect(guard(memory(), { stopped: unsure }).spend(right, REFUND, "refund.create")).rejects.toThrow(Stopped);
  await expect(guard({ spend: unsure }).spend(right, REFUND, "refund.create")).rejects.toThrow(Unreachable);
  const away = gatewayStore({ url: "http://127.0.0.1:9", token: server.spend }, 0);
  await expect(guard(away).spend(right, REFUND, "refund.create")).rejects.toThrow(Unreachable);
  const vague = { url: server.url, token: server.spend, fetch: async () => Response.json({ by: "somebody else" }) };
  await expect(guard(gatewayStore(vague)).spend(right, REFUND, "refund.create")).rejects.toThrow(Unreachable);
  const agents = gatewayStore({ url: server.url, token: server.token });
  await expect(guard(agents).spend(right, REFUND, "refund.create")).rejects.toThrow(ConfigError);
  expect(() => guard(memory(), { agents: [] })).toThrow(ConfigError);
  expect(await own.spend(right, REFUND, "refund.create")).toEqual(REFUND);
});
