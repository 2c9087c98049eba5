/** Batches against a real server: asked in one body, decided one by one, and their receipts in order. */
import { afterEach, expect, test, vi } from "vitest";
import { AlreadySpent, Duplicate, Invalid, NotVerified, Signoff, WaitTimeout, type Item, type Receipt } from "../src/index.js";
import { server } from "./server.js";

const items = (count: number): Item<{ name: string }>[] =>
  Array.from({ length: count }, (_, at) => ({ action: "branch.delete", payload: { name: `old-${at}` }, reversible: true }));
const TITLE = "Clean up old branches";

afterEach(() => server.clear());

test("receipts come in order, each verified, once all have ended; each runs once", async () => {
  const signoff = server.client();
  const batch = await signoff.batch(TITLE, { run: "r-1" }, [...items(3), { ...items(1)[0]!, run: "r-2", payload: { name: "main" } }]);
  expect(batch.tickets).toHaveLength(4);
  const waits = batch.wait({ timeout: 30 });
  await expect(batch.wait({ timeout: 0.2 })).rejects.toThrow(WaitTimeout);
  for (const [at, { id }] of batch.tickets.entries()) await server.decide(id, { vote: at === 1 ? "reject" : "approve" });
  const receipts: Receipt[] = await waits;
  expect(receipts.map(({ status }) => status)).toEqual(["approved", "rejected", "approved", "approved"]);
  expect(receipts.map(({ id }) => id)).toEqual(batch.tickets.map(({ id }) => id));
  expect((receipts[3] as { payload?: unknown }).payload).toEqual({ name: "main" });
  const rows = await Promise.all(batch.tickets.map(({ id }) => server.look(id)));
  expect(rows.map(({ request }) => request["run"])).toEqual(["r-1", "r-1", "r-1", "r-2"]);
  expect(new Set(rows.map(({ request }) => request["batch"]))).toEqual(new Set([batch.name]));
  await signoff.spend(receipts[0]!);
  await expect(signoff.spend(receipts[1]!)).rejects.toThrow("rejected");
  expect(await batch.tickets[0]!.get()).toMatchObject({ status: "duplicate" });
});

test("each approval is spent once: by whoever waits for the batch, or by who was faster", async () => {
  const signoff = server.client();
  const batch = await signoff.batch(TITLE, {}, items(12));
  for (const { id } of batch.tickets) await server.decide(id);
  const unspent = await batch.wait({ runs: "at-least-once" });
  expect((await Promise.all(batch.tickets.map(({ id }) => server.look(id)))).map((row) => row.spent_by)).toEqual(Array(12).fill(null));
  const other = server.client();
  await other.spend(unspent[0]!);
  const receipts = await batch.wait({ timeout: 30 });
  expect(receipts.map(({ status }) => status)).toEqual(["duplicate", ...Array(11).fill("approved")]);
  expect(receipts[0]).not.toHaveProperty("payload");
  for (const { id } of batch.tickets) expect((await server.look(id)).spent_by).toMatch(/^js-/);
  expect((await batch.wait({ timeout: 30 })).slice(1)).toEqual(receipts.slice(1)); // what is this process's stays so
  await signoff.spend(receipts[1]!); // it is spent already: this is content with that, once
  await expect(signoff.spend(receipts[1]!)).rejects.toThrow(AlreadySpent);
  await expect(other.spend(receipts[2]!)).rejects.toThrow(AlreadySpent);
  await expect(signoff.spend(receipts[0]!)).rejects.toThrow(Duplicate);
  await expect(batch.wait({ runs: "twice" as "once" })).rejects.toThrow(Invalid);
});

test("two processes that wait for one batch share it, and run each once", async () => {
  const both = await Promise.all([1, 2].map(() => server.client().batch(TITLE, { key: "shared" }, items(6))));
  for (const { id } of both[0]!.tickets) await server.decide(id);
  const found = await Promise.all(both.map((one) => one.wait({ timeout: 30 })));
  for (let at = 0; at < 6; at++) expect(found.map((one) => one[at]!.status).sort()).toEqual(["approved", "duplicate"]);
  const reasons = found.flat().flatMap(({ status, reason }) => (status === "duplicate" ? [reason] : []));
  for (const reason of reasons) expect(reason).not.toBe("");
});

test("what was spent when the wait was cut off, the next one gives", async () => {
  let cut = true;
  const weak: typeof fetch = async (to, options) => {
    if (cut && String(to).endsWith("/spend") && String(to).includes(batch.tickets[2]!.id)) return Response.json({}, { status: 404 });
    return fetch(to, options);
  };
  const batch = await server.client({ fetch: weak }).batch(TITLE, {}, items(3));
  for (const { id } of batch.tickets) await server.decide(id);
  await expect(batch.wait({ timeout: 30 })).rejects.toThrow();
  cut = false;
  expect((await batch.wait({ timeout: 30 })).map(({ status }) => status)).toEqual(Array(3).fill("approved"));
});

test("some of it can be had before the last, and sent again it is one batch", async () => {
  const bodies: string[] = [];
  const twice: typeof fetch = async (to, options) => {
    if (options?.method !== "POST") return fetch(to, options);
    bodies.push(options.body as string);
    const answer = await fetch(to, options);
    return bodies.length === 1 ? Response.json({}, { status: 503, headers: { "retry-after": "0" } }) : answer;
  };
  const batch = await server.client({ fetch: twice }).batch(TITLE, {}, items(2));
  expect(bodies).toHaveLength(2);
  expect(new Set(bodies).size).toBe(1);
  await server.decide(batch.tickets[1]!.id);
  expect((await batch.get()).map(({ status }) => status)).toEqual(["pending", "approved"]);
  expect((await batch.tickets[1]!.wait({ timeout: 5 })).approved).toBe(true);
});

test("with a key the same again is the same batch, in another process too", async () => {
  const [first, again] = [await server.client().batch(TITLE, { key: "clean" }, items(2)), await server.client().batch(TITLE, { key: "clean" }, items(2))];
  expect([again.name, ...again.tickets.map(({ id }) => id)]).toEqual([first.name, ...first.tickets.map(({ id }) => id)]);
  const other = await server.client().batch(TITLE, { key: "tidy" }, items(2));
  expect(other.name).not.toBe(first.name);
  await expect(server.client().batch(TITLE, { key: "clean" }, items(3))).rejects.toThrow(Invalid);
  await expect(server.client().batch(TITLE, { key: "" }, items(2))).rejects.toThrow(Invalid);
});

test("what is not valid is told before anything is asked", async () => {
  const fetch = vi.fn();
  const signoff = server.client({ fetch });
  const wrong: [string, Item[]][] = [[TITLE, []], ["", items(1)], [TITLE, items(501)], [TITLE, [...items(2), { action: "no such name!", payload: {} }]]];
  for (const [title, all] of wrong) await expect(signoff.batch(title, {}, all)).rejects.toThrow(Invalid);
  expect(fetch).not.toHaveBeenCalled();
  const refused = server.client().batch(TITLE, {}, [...items(2), { ...items(1)[0]!, cost: -1 }]);
  await expect(refused).rejects.toThrow("requests[2]");
});

test("a gateway that lies about a batch is not believed", async () => {
  const batch = await server.client().batch(TITLE, {}, items(2));
  for (const { id } of batch.tickets) await server.decide(id);
  const truth = await (await fetch(`${server.url}/v1/batches/${batch.name}`, { headers: { authorization: `Bearer ${server.token}` } })).json();
  const [first, second] = (truth as { items: Record<string, unknown>[] }).items;
  let lie: unknown;
  const lying = async (...[to, options]: Parameters<typeof fetch>): Promise<Response> =>
    options?.method === "POST" ? fetch(to, options) : Response.json(lie);
  const told = async (said: unknown, signoff: Signoff = server.client({ fetch: lying })): Promise<unknown> => {
    const own = await signoff.batch(TITLE, {}, items(2));
    const [one, two] = own.tickets.map(({ id }) => id);
    lie = JSON.parse(JSON.stringify(said).replaceAll("@1", one!).replaceAll("@2", two!));
    return own.wait({ timeout: 5 }).catch((error: unknown) => error);
  };
  const lies = [
    {}, { items: [first, second] }, { items: [{ ...first, id: "@1" }, { ...second, id: "@2" }] },
    { items: [{ ...first, id: "@1" }] }, { items: [], next: 0 }, { items: [{ ...second, id: "@1" }, { ...first, id: "@2" }, {}] },
  ];
  for (const said of lies) expect(await told(said), JSON.stringify(said)).toBeInstanceOf(NotVerified);
});
