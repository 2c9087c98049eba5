/** Undos against a real server: what a person has undone runs once, as the policy names it, and is reported. */
import { afterAll, expect, test, vi } from "vitest";
import { server } from "./server.js";

const POLICY = `
rules:
  - name: refunds
    match: {action: refund.create}
    verdict: notify
    approvers: U0ANA
    undo_for: 1h
    undo: {action: refund.cancel, payload: {id: $result.id}}
`;

afterAll(() => server.follow(""));

async function done(id: string): Promise<string> {
  const signoff = server.client();
  const receipt = await signoff.ask("refund.create", { amount: 120 }, { reversible: true, key: id });
  await signoff.report(receipt.id, true, "", { result: { id } });
  return receipt.id;
}

test("what a person has undone runs once over all that can undo it, and is reported", async () => {
  await server.follow(POLICY);
  const ran: unknown[] = [];
  const tested: string[] = [];
  const stop = new AbortController();
  const undoes = ["a", "b"].map((name) =>
    server
      .client()
      .onUndo("refund.cancel", async (payload: { id: string }, { undoes }) => ran.push({ name, payload, undoes }), {
        test: () => tested.push(name),
        signal: stop.signal,
      })
      .catch((error: unknown) => String(error)),
  );
  const first = await done("re_1");
  // Nobody has asked for its test yet; then one of the two runs it, and that counts.
  await vi.waitFor(async () => expect(await server.undoers()).toMatchObject([{ action: "refund.cancel", passed: false }]), 20_000);
  expect(tested).toEqual([]);
  await server.undoTest("refund.cancel");
  await vi.waitFor(async () => expect(await server.undoers()).toMatchObject([{ action: "refund.cancel", passed: true }]), 40_000);
  expect(tested).toHaveLength(1);
  const undo = await server.undo(first);
  await vi.waitFor(async () => expect((await server.look(undo)).outcome).toMatchObject({ succeeded: true }), 20_000);
  expect(ran).toMatchObject([{ payload: { id: "re_1" }, undoes: first }]);
  stop.abort(new Error("enough"));
  expect(await Promise.all(undoes)).toEqual(["Error: enough", "Error: enough"]);
});

test("what throws is reported by its kind, and what is no undo of it never runs", async () => {
  await server.follow(POLICY);
  const stop = new AbortController();
  const run = vi.fn(() => {
    throw new RangeError("sk_live_1");
  });
  const over = server.client().onUndo("refund.cancel", run, { signal: stop.signal, test: () => Promise.reject(new TypeError("x")) }).catch(() => {});
  const direct = await server.client().request("refund.cancel", { id: "re_9" }, { reversible: true });
  await server.decide(direct.id); // an approval of the same action, which undoes nothing
  const undo = await server.undo(await done("re_2"));
  await vi.waitFor(async () => expect((await server.look(undo)).outcome).toEqual({ succeeded: false, note: "RangeError" }), 20_000);
  expect(run).toHaveBeenCalledTimes(1);
  await server.undoTest("refund.cancel");
  expect((await server.look(direct.id)).spent_by).toBeNull();
  await vi.waitFor(async () => expect((await server.undoers())[0]).toMatchObject({ passed: false, fault: "TypeError" }), 40_000);
  stop.abort();
  await over;
});
