/**
 * Tools of the Vercel AI SDK (package `ai`) that ask before they run.
 *
 *     const tools = { ...reads, ...gatedTools(signoff, { refund, deploy }, { run: chatId }) };
 *
 * `execute` gets what was approved. Where it may not run the model is told so, and why, as the tool's error; where a
 * person changed the input, that stands before the output.
 */
import { asSchema, type Tool, type ToolExecutionOptions, type ToolSet } from "ai";
import { canonical, digest, type JsonObject } from "./canonical.js";
import type { Signoff } from "./client.js";
import { ConfigError, NotApproved, OtherPayload } from "./errors.js";
import { explain } from "./explanation.js";
import type { ApprovedReceipt } from "./receipts.js";
import type { Ask } from "./request.js";

/** What the model is told of a call that did not run; `cause` is why. */
export class NotRun extends Error {
  override readonly name = "NotRun";

  /** The SDK shows this to the model. */
  override toString(): string {
    return this.message;
  }
}

/** What is said with every call. `run` names the conversation: with it a call that is repeated attaches to its card. */
export interface ToolOptions extends Omit<Ask, "key" | "schema" | "signal"> {
  /** Tool → action; its name, if not said. */
  actions?: Record<string, string> | undefined;
}

const MAX_REASON = 4000;
const MAX_KEY = 255;
/** Calls that an edit is remembered of, for the model to be told. */
const MOST_EDITS = 1000;

/** All tools of a set, each to ask first. Throws ConfigError where one runs elsewhere. */
export function gatedTools<TOOLS extends ToolSet>(signoff: Signoff, tools: TOOLS, options: ToolOptions = {}): TOOLS {
  const gated = Object.entries(tools).map(([name, one]) => [name, gatedTool(signoff, name, one as Tool, options)]);
  return Object.fromEntries(gated) as TOOLS;
}

/** A tool that asks before it runs; `name` is its name in the set. Throws ConfigError where it runs elsewhere. */
export function gatedTool<TOOL extends Tool>(signoff: Signoff, name: string, tool: TOOL, options: ToolOptions = {}): TOOL {
  const { execute } = tool;
  if (typeof execute !== "function")
    throw new ConfigError(`The tool ${name} has no execute here: Signoff cannot ask before it runs elsewhere.`);
  const { actions = {}, ...said } = options;
  const action = Object.hasOwn(actions, name) ? (actions[name] as string) : name;
  const edits = new Map<string, string>();

  const approved = async (input: object, { toolCallId, abortSignal }: ToolExecutionOptions<unknown>): Promise<ApprovedReceipt> => {
    try {
      const schema = asSchema(tool.inputSchema);
      const described = typeof tool.description === "string" ? tool.description.slice(0, MAX_REASON) : undefined;
      const receipt = await signoff.ask(action, input as JsonObject, {
        reason: described,
        ...said,
        key: options.run === undefined ? undefined : await keyOf(options.run, toolCallId),
        schema: await schema.jsonSchema,
        signal: abortSignal,
      });
      if (receipt.edited) {
        await checkEdit(schema.validate, receipt.payload).catch(async (error: unknown) => {
          await report(receipt, error);
          throw error;
        });
        if (edits.size >= MOST_EDITS) edits.clear();
        edits.set(toolCallId, `A person changed the input before it ran: ${canonical(receipt.payload)}`);
      }
      return receipt;
    } catch (error) {
      abortSignal?.throwIfAborted();
      // The model reads the message, so no address is in it.
      const text = error instanceof NotApproved ? explain(error) : `${action} was not run: ${kindOf(error)}.`;
      throw new NotRun(text, { cause: error });
    }
  };
  const report = async (receipt: ApprovedReceipt, error?: unknown): Promise<void> => {
    await signoff.report(receipt.id, error === undefined, error === undefined ? "" : kindOf(error)).catch(() => {});
  };
  return { ...tool, execute: gatedExecute(execute, approved, report), toModelOutput: noted(tool, edits) };
}

type Execute = (input: any, options: ToolExecutionOptions<any>) => unknown;

/** `execute`, after the approval; a generator stays one, so that its parts are seen as they come. */
function gatedExecute(
  execute: Execute,
  approved: (input: object, options: ToolExecutionOptions<unknown>) => Promise<ApprovedReceipt>,
  report: (receipt: ApprovedReceipt, error?: unknown) => Promise<void>,
): Execute {
  async function* parts(input: object, options: ToolExecutionOptions<unknown>): AsyncGenerator<unknown> {
    const receipt = await approved(input, options);
    try {
      const found = await execute(receipt.payload, options);
      if (isIterable(found)) yield* found;
      else yield found;
    } catch (error) {
      await report(receipt, error ?? "nothing");
      throw error;
    }
    await report(receipt);
  }
  if (execute.constructor.name === "AsyncGeneratorFunction") return parts;
  return async (input: object, options: ToolExecutionOptions<unknown>) => {
    let last: unknown;
    for await (const part of parts(input, options)) last = part;
    return last;
  };
}

/** Throws OtherPayload where the tool's schema does not take what a person made of the input, or would change it. */
async function checkEdit(validate: ReturnType<typeof asSchema>["validate"], payload: JsonObject): Promise<void> {
  const found = await validate?.(payload);
  if (found && !(found.success && canonical(found.value) === canonical(payload)))
    throw new OtherPayload("What a person made of the input is not what the tool takes.");
}

/** The tool's output for the model, and before it what a person changed. */
function noted(tool: Tool, edits: Map<string, string>): NonNullable<Tool["toModelOutput"]> {
  return async (call) => {
    const { output, toolCallId } = call;
    const own = (await tool.toModelOutput?.(call)) ?? plain(output);
    const edit = edits.get(toolCallId);
    if (edit === undefined) return own;
    const note = { type: "text" as const, text: edit };
    if (own.type === "content") return { ...own, value: [note, ...own.value] };
    const text = "value" in own ? (typeof own.value === "string" ? own.value : JSON.stringify(own.value)) : own.type;
    return { type: "content", value: [note, { type: "text", text }] };
  };
}

/** As the SDK itself hands an output on, where the tool does not say how. */
function plain(output: unknown): Awaited<ReturnType<NonNullable<Tool["toModelOutput"]>>> {
  return typeof output === "string"
    ? { type: "text", value: output }
    : { type: "json", value: (output === undefined ? null : output) as never };
}

async function keyOf(run: string, toolCallId: string): Promise<string> {
  const key = `ai-sdk:${run}:${toolCallId}`;
  return key.length <= MAX_KEY ? key : digest(key);
}

function isIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}

function kindOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}
