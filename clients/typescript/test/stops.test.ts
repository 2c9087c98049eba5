/** What people have stopped: the guard heeds it and says so, and so do gates. */
import { afterEach, expect, test, vi } from "vitest";
import { ConfigError, gatewayStops, Guard, pinned, Stopped, type Receipt, type Spent, type StopSource, type Store } from "../src/index.js";
import { server } from "./server.js";

const REFUND = { customer: "cus_42", amount: 120 };
let stopped: string | undefined;

afterEach(async () => {
  if (stopped !== undefined) await server.resume(stopped);
  stopped = undefined;
  const second = Math.floor(Date.now() / 1000); // what is approved in it counts as approved before a resume
  await vi.waitFor(() => expect(Math.floor(Date.now() / 1000)).toBeGreaterThan(second), { timeout: 10_000 });
});

async function approved(key: string): Promise<Receipt> {
  const ticket = await server.client().request("refund.create", REFUND, { reversible: true, key });
  await server.decide(ticket.id);
  return (await ticket.get()) as Receipt;
}

function memory(highest?: (issuer: string, number: number) => Promise<number>): Store {
  const spent = new Map<string, Spent>();
  return {
    async spend({ kid, agent, id }, by) {
      const key = [kid, agent, id].join();
      if (!spent.has(key)) spent.set(key, by);
      return spent.get(key)!;
    },
    ...(highest && { highest }),
  };
}

function guard(stops: StopSource, more: object = {}, store = memory()): Guard {
  return new Guard({ keys: pinned(server.verify_key), agents: ["billing-bot"], store, stops, ...more });
}

const gateway = () => gatewayStops({ url: server.url, token: server.spend }, "shop-1");

test("a guard hears of a stop, runs nothing that was granted before, and says that it knows", async () => {
  const [first, second] = [await approved("s1"), await approved("s2")];
  await guard(gateway()).spend(first, REFUND, "refund.create");
  stopped = await server.halt();
  const late = guard(gateway());
  await expect(late.spend(second, REFUND, "refund.create")).rejects.toThrow(/topped by @ana/);
  expect((await server.known(stopped)).void).toBeGreaterThan(0);
  await server.resume(stopped);
  stopped = undefined;
  await expect(guard(gateway()).spend(second, REFUND, "refund.create")).rejects.toThrow(Stopped);
});

test("what is old, older than another, or not the server's lets nothing run", async () => {
  const receipt = await approved("s3");
  const token = await gateway().statement();
  const says = (statement: () => Promise<string>): StopSource => ({ statement });
  const spend = (source: StopSource, more: object = {}, store = memory()) =>
    guard(source, more, store).spend(receipt, REFUND, "refund.create");
  await expect(spend(says(async () => "x"))).rejects.toThrow(/cannot be told/);
  await expect(spend(says(() => Promise.reject(new Error("away"))))).rejects.toThrow(Stopped);
  const newer = memory(async (_, number) => Math.max(number, 2 ** 52));
  await expect(spend(says(async () => token), {}, newer)).rejects.toThrow(/older than one seen before/);
  expect(() => guard(gateway(), { fresh: 0 })).toThrow(ConfigError);
  let tries = 0; // what is approved in the second of a resume counts as approved before it
  const later = async () => guard(gateway()).spend(await approved(`later-${tries++}`), REFUND, "refund.create");
  await vi.waitFor(async () => expect(await later()).toEqual(REFUND), { timeout: 60_000, interval: 300 });
});

test("what waits is held, and a gate runs nothing of it, however it runs", async () => {
  const client = server.client();
  const waits = await client.request("refund.create", { n: 1 }, { reversible: true, key: "s4" });
  const receipt = await approved("s5");
  stopped = await server.halt();
  expect(await waits.get()).toMatchObject({ status: "pending", held: "stopped by @ana" });
  await expect(client.spend(receipt)).rejects.toThrow(Stopped);
  const again = client.ask("refund.create", REFUND, { reversible: true, key: "s5", runs: "at-least-once" });
  await expect(again).rejects.toThrow(Stopped);
});
