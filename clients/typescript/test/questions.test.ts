/** Questions against a real server: what people answer comes back signed, and is never an approval. */
import { afterEach, expect, test, vi } from "vitest";
import { bind, Cancelled, Expired, Invalid, NotVerified, WaitTimeout, type Answer, type Delivery } from "../src/index.js";
import { server } from "./server.js";

const OPTIONS = { a: "Ann Smith, Berlin", b: "Al Smith, Bonn" };
const WHICH = "Which Smith do you mean?";

afterEach(() => server.clear());

test("a person's answer comes back verified, and lets nothing run", async () => {
  const signoff = server.client();
  const asked = signoff.askPerson(WHICH, { options: OPTIONS, freeText: true, why: "ambiguous", context: { ticket: 991 } });
  const id = await server.answerNext({ choice: ["b"] });
  const answer: Answer = await asked;
  expect(answer).toMatchObject({ choice: "b", choices: ["b"], text: "", date: undefined, default: false, none: false, by: "ana" });
  expect(answer.at).toBeInstanceOf(Date);
  expect(answer.receipt).toMatchObject({ id, kind: "question", status: "answered", approved: false, action: "question" });
  const row = await server.look(id);
  expect(row.request).toMatchObject({ kind: "question", context: { ticket: 991 }, payload: { question: WHICH, free_text: true } });
  await expect(signoff.spend(answer.receipt)).rejects.toThrow("approves nothing");
  await expect(bind(answer.receipt, "question", row.request["payload"])).rejects.toThrow("approves nothing");
  const wrong: unknown = await signoff.wait(id).catch((error: unknown) => error); // as an approval it is none
  expect(wrong).toBeInstanceOf(Invalid);
  expect(String(wrong)).toContain("It is a question, and is answered: resumeQuestion()");
  expect(await signoff.resumeQuestion(id).wait()).toMatchObject({ choice: "b" });
});

test("everything that can be answered reads as what it is", async () => {
  const signoff = server.client();
  const answered = async (said: object, asks: object): Promise<Answer> => {
    const asked = signoff.askPerson(WHICH, asks);
    await server.answerNext(said);
    return asked;
  };
  expect(await answered({ choice: ["b", "a"] }, { options: OPTIONS, several: true })).toMatchObject({ choice: "a", choices: ["a", "b"] });
  expect(await answered({ text: " Jo. " }, { freeText: true, why: "failed", tries: [{ what: "a search", error: "two" }] })).toMatchObject({ text: "Jo." });
  expect(await answered({ date: "2026-12-24" }, { date: true })).toMatchObject({ date: "2026-12-24" });
  expect(await answered({ none: true, text: "Jo." }, { options: [{ id: "x", text: "Al", about: "Bonn" }] })).toMatchObject({ none: true, choices: [] });
  expect(await answered({ default: true }, { options: OPTIONS, default: "a" })).toMatchObject({ default: true, choice: "a" });
});

test("options, defaults and texts are said as in Python", async () => {
  const { askedOf } = await import("../src/questions.js");
  const sent = async (said: object): Promise<unknown> => ((await askedOf("local", WHICH, said)).body as { payload: unknown }).payload;
  expect(await sent({})).toEqual({ question: WHICH, free_text: true });
  expect(await sent({ date: true })).toEqual({ question: WHICH, date: true });
  expect(await sent({ options: ["red", "blue"], default: "blue" })).toEqual({
    question: WHICH,
    options: [{ id: "red", text: "red" }, { id: "blue", text: "blue" }],
    default: "blue",
  });
  expect(await sent({ options: ["Ann Smith", ["Al Smith", "of Bonn"]], default: "Al Smith" })).toEqual({
    question: WHICH,
    options: [{ id: "1", text: "Ann Smith" }, { id: "2", text: "Al Smith", about: "of Bonn" }],
    default: "2",
  });
  expect(await sent({ options: { a: ["Ann", "of Berlin"], b: "Al" }, default: "Al" })).toEqual({
    question: WHICH,
    options: [{ id: "a", text: "Ann", about: "of Berlin" }, { id: "b", text: "Al" }],
    default: "b",
  });
  for (const wrong of [{ options: [] }, { options: ["Yes", "Yes"] }, { options: { a: "Yes", b: " Yes" } }, { options: [7] }, { freeText: false }])
    await expect(sent(wrong)).rejects.toThrow(Invalid);
});

test("no answer is none: it is never the default, and each end is told as what it is", async () => {
  const signoff = server.client();
  const ask = { options: OPTIONS, default: "a", key: "q-1" };
  const late = signoff.askPerson(WHICH, ask).catch((error: unknown) => error);
  await server.expire(await server.next());
  expect(await late).toBeInstanceOf(Expired);
  const ticket = await signoff.requestQuestion(WHICH, { ...ask, key: "q-2" });
  expect((await signoff.requestQuestion(WHICH, { ...ask, key: "q-2" })).id).toBe(ticket.id);
  await expect(ticket.wait({ timeout: 0.2 })).rejects.toThrow(WaitTimeout);
  await expect(ticket.wait({ timeout: 0.2 })).rejects.toThrow(/Nobody has answered yet.* resumeQuestion\(\) .* after 0\.2 s\./);
  expect(await ticket.get()).toMatchObject({ status: "pending", action: "question" });
  expect((await ticket.cancel("Not needed.")).status).toBe("cancelled");
  await expect(ticket.wait()).rejects.toThrow(Cancelled);
  const giveUp = new AbortController();
  const given = signoff.askPerson(WHICH, { ...ask, key: "q-3", signal: giveUp.signal }).catch((error: unknown) => error);
  const id = await server.next();
  giveUp.abort(new Error("changed my mind"));
  expect(String(await given)).toContain("changed my mind");
  expect((await server.look(id)).status).toBe("cancelled");
});

test("what cannot be asked is refused before anybody is asked, here or there", async () => {
  const fetch = vi.fn();
  for (const [question, said] of [["", { freeText: true }], [" ", { freeText: true }], [WHICH, { freeText: false }], [WHICH, { freeText: true, more: 1 }]] as const)
    await expect(server.client({ fetch }).requestQuestion(question, said as object)).rejects.toThrow(Invalid);
  expect(fetch).not.toHaveBeenCalled();
  await expect(server.client().requestQuestion(WHICH, { options: OPTIONS, default: "z" })).rejects.toThrow("default");
});

test("an approval is no answer, an answer no approval, and a gateway that says so is not believed", async () => {
  const signoff = server.client();
  const { id: approval } = await signoff.request("refund.create", { amount: 1 }, { reversible: true });
  await server.decide(approval);
  await expect(signoff.resumeQuestion(approval).wait()).rejects.toThrow("no question");
  const asked = await signoff.requestQuestion(WHICH, { options: OPTIONS });
  await server.answerNext({ choice: ["a"] });
  const told = async (id: string) =>
    (await fetch(`${server.url}/v1/requests/${id}`, { headers: { authorization: `Bearer ${server.token}` } })).json() as Promise<object>;
  const [yes, said] = [await told(approval), await told(asked.id)];
  const lying = (lie: object) => server.client({ fetch: async () => Response.json(lie) });
  for (const lie of [yes, { ...said, status: "approved" }, { ...yes, id: asked.id, status: "answered" }, { ...said, receipt: undefined }])
    await expect(lying(lie).resumeQuestion(asked.id).wait({ timeout: 5 })).rejects.toThrow(NotVerified);
  for (const lie of [said, { ...said, id: approval, status: "approved", payload: "{}" }])
    await expect(lying(lie).wait(approval, { timeout: 5 })).rejects.toThrow(NotVerified);
  expect(await lying({ ...said, answer: { choice: ["b"] } }).resumeQuestion(asked.id).wait()).toMatchObject({ choice: "a" });
});

test("an agent that parks hears of an answer, too", async () => {
  const signoff = server.client();
  const { id } = await signoff.requestQuestion(WHICH, { options: OPTIONS });
  await server.answerNext({ choice: ["a"] });
  const refund = await signoff.request("refund.create", { amount: 1 }, { reversible: true });
  await server.note(refund.id, "Book it on the old account.");
  await server.decide(refund.id);
  const heard = new Map<string, Delivery>();
  for await (const delivery of signoff.decisions({ group: "answers" })) {
    heard.set(delivery.receipt.id, delivery);
    await delivery.ack();
    if (delivery.receipt.id === refund.id) break;
  }
  expect(heard.get(id)).toMatchObject({ receipt: { id, approved: false }, answer: { choice: "a", by: "ana" }, notes: [] });
  expect(heard.get(refund.id)).toMatchObject({ receipt: { approved: true }, notes: [{ text: "Book it on the old account." }] });
  expect(heard.get(refund.id)!.answer).toBeUndefined();
});
