/** The Vercel AI SDK's own loop over a mock model, with tools that ask. */
import { generateText, stepCountIs, streamText, tool, type ToolSet } from "ai";
import { MockLanguageModelV4, simulateReadableStream } from "ai/test";
import { z } from "zod";
import { afterEach, expect, test } from "vitest";
import { gatedTool, gatedTools } from "../src/ai.js";
import { ConfigError } from "../src/index.js";
import { server } from "./server.js";

const REFUND = { customer: "cus_42", amount: 120 };
let ran: unknown[] = [];

afterEach(async () => {
  ran = [];
  await server.clear();
});

const refund = tool({
  description: "Pays a charge back.",
  inputSchema: z.object({ customer: z.string(), amount: z.number().max(500) }),
  execute: async (input) => {
    ran.push(input);
    return { refunded: input.amount };
  },
});

const usage = {
  inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 1, text: 1, reasoning: 0 },
};

/** A model that calls a tool once, and is done when it has seen what came of it. */
function model(toolName = "refund", input: object = REFUND): MockLanguageModelV4 {
  const call = { type: "tool-call" as const, toolCallId: "call-1", toolName, input: JSON.stringify(input) };
  const calls = { finishReason: { unified: "tool-calls" as const, raw: undefined }, usage };
  const stops = { finishReason: { unified: "stop" as const, raw: undefined }, usage };
  let asked = 0;
  return new MockLanguageModelV4({
    doGenerate: async () =>
      asked++ === 0
        ? { content: [call], ...calls, warnings: [] }
        : { content: [{ type: "text", text: "Done." }], ...stops, warnings: [] },
    doStream: async () => ({
      stream: simulateReadableStream({
        chunks: [
          { type: "stream-start", warnings: [] },
          ...(asked++ === 0 ? [call, { type: "finish" as const, ...calls }] : [{ type: "finish" as const, ...stops }]),
        ],
      }),
    }),
  });
}

/** Runs the loop with these tools → what the model was told of its call. */
async function told(tools: ToolSet, decision: () => Promise<unknown>, of = model()): Promise<unknown> {
  const running = generateText({ model: of, tools, prompt: "Refund it.", stopWhen: stepCountIs(3) });
  await decision();
  await running;
  const last = of.doGenerateCalls.at(-1)?.prompt.at(-1);
  return (last as { content: { output: unknown }[] }).content[0]?.output;
}

test("a tool asks, and runs once with what was approved", async () => {
  const tools = gatedTools(server.client(), { refund }, { actions: { refund: "refund.create" }, reversible: false });
  let id = "";
  const output = await told(tools, async () => (id = await server.decideNext()));
  expect(output).toEqual({ type: "json", value: { refunded: 120 } });
  expect(ran).toEqual([REFUND]);
  const { request, outcome } = await server.look(id);
  expect(request).toMatchObject({ action: "refund.create", reason: "Pays a charge back." });
  expect(request["json_schema"] ?? request["schema"]).toMatchObject({ required: ["customer", "amount"] });
  expect(outcome).toEqual({ succeeded: true, note: "" });
});

test("a no reaches the model as the tool's error, with who and why", async () => {
  const output = await told(gatedTools(server.client(), { refund }), () =>
    server.decideNext({ vote: "reject", reason: "Ask finance" }),
  );
  expect(output).toEqual({
    type: "error-text",
    value: "refund was not run: ana rejected it. Reason: Ask finance. This answer is final: do not ask for it again.",
  });
  expect(ran).toEqual([]);
});

test("what a person changed is what runs, and the model is told", async () => {
  const output = await told(gatedTools(server.client(), { refund }), () =>
    server.decideNext({ payload: { ...REFUND, amount: 80 } }),
  );
  expect(ran).toEqual([{ ...REFUND, amount: 80 }]);
  expect(output).toEqual({
    type: "content",
    value: [
      { type: "text", text: 'A person changed the input before it ran: {"amount":80,"customer":"cus_42"}' },
      { type: "text", text: '{"refunded":80}' },
    ],
  });
});

test("a change that the tool would not take runs nothing", async () => {
  const strict = tool({ ...refund, inputSchema: z.object({ customer: z.string(), amount: z.number().refine((n) => n !== 80) }) });
  let id = "";
  const output = await told(gatedTools(server.client(), { refund: strict }), async () => {
    id = await server.decideNext({ payload: { ...REFUND, amount: 80 } });
  });
  expect(output).toEqual({ type: "error-text", value: "refund was not run: OtherPayload." });
  expect(ran).toEqual([]);
  expect((await server.look(id)).outcome).toEqual({ succeeded: false, note: "OtherPayload" });
});

test("what cannot be reached runs nothing, and tells the model no address", async () => {
  const away = server.client({ url: "http://127.0.0.1:9", patience: 0 });
  const output = await told(gatedTools(away, { refund }), async () => {});
  expect(output).toEqual({ type: "error-text", value: "refund was not run: Unreachable." });
});

test("a call that is repeated in a run attaches to its card, and runs once", async () => {
  const tools = gatedTools(server.client(), { refund }, { run: "chat-1" });
  const first = told(tools, async () => {});
  const second = told(tools, async () => {});
  await server.decideNext();
  const outputs = await Promise.all([first, second]);
  expect(ran).toEqual([REFUND]);
  expect(outputs).toContainEqual({ type: "json", value: { refunded: 120 } });
  expect(outputs.map((output) => (output as { type: string }).type).sort()).toEqual(["error-text", "json"]);
});

test("a tool that streams goes on streaming; one that throws is reported", async () => {
  const slow = tool({
    inputSchema: z.object({}),
    async *execute() {
      yield "one";
      yield "two";
      throw new TypeError("sk_live_1");
    },
  });
  const stream = streamText({ model: model("slow", {}), tools: gatedTools(server.client(), { slow }), prompt: "Go." });
  const parts: unknown[] = [];
  const read = (async () => {
    for await (const part of stream.fullStream) {
      if (part.type === "tool-result") parts.push(part.output);
      if (part.type === "tool-error") parts.push(String(part.error));
    }
  })();
  const id = await server.decideNext();
  await read;
  expect(parts).toEqual(["one", "two", "TypeError: sk_live_1"]);
  expect((await server.look(id)).outcome).toEqual({ succeeded: false, note: "TypeError" });
});

test("an aborted run withdraws what it has asked", async () => {
  const giveUp = new AbortController();
  const tools = gatedTools(server.client(), { refund }, { run: "chat-2" });
  const running = generateText({ model: model(), tools, prompt: "Go.", abortSignal: giveUp.signal }).catch(() => {});
  const id = await server.next();
  giveUp.abort();
  await running;
  expect((await server.look(id)).status).toBe("cancelled");
  expect(ran).toEqual([]);
});

test("a tool that runs elsewhere cannot be gated here", () => {
  const elsewhere = tool({ inputSchema: z.object({}), outputSchema: z.object({}) });
  expect(() => gatedTool(server.client(), "elsewhere", elsewhere)).toThrow(ConfigError);
});
