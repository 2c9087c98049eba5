/** One server.py for all tests, and what it is told to do. It ends with this process, whose end its input tells. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Signoff, type Settings } from "../src/index.js";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const PYTHON = process.env["PYTHON"] ?? `${ROOT}.venv/bin/python`;

export interface Row {
  status: string;
  outcome: { succeeded: boolean; note: string } | null;
  request: Record<string, unknown>;
  spent_by: string | null;
}

class Server {
  url = "";
  token = "";
  other = "";
  spend = "";
  verify_key = "";
  readonly #child = spawn(PYTHON, [fileURLToPath(new URL("server.py", import.meta.url))], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  readonly #lines = createInterface(this.#child.stdout)[Symbol.asyncIterator]();

  async started(): Promise<this> {
    for (const handle of [this.#child, this.#child.stdin, this.#child.stdout] as { unref(): void }[]) handle.unref();
    return Object.assign(this, await this.#told());
  }

  /** A client of this server. */
  client(settings: Settings = {}): Signoff {
    return new Signoff({ ...this.settings, ...settings });
  }

  get settings() {
    return { url: this.url, token: this.token, agent: "billing-bot", verifyKey: this.verify_key };
  }

  async decide(request_id: string, said: { vote?: string; payload?: object; reason?: string } = {}): Promise<void> {
    await this.#do("decide", { request_id, ...said });
  }

  /** Answers the next question that waits, and gives its id. */
  async answerNext(said: object): Promise<string> {
    const request_id = await this.next();
    await this.#do("answer", { request_id, ...said });
    return request_id;
  }

  /** Asks the agent about what waits → the question's id. */
  question(request_id: string, text: string): Promise<string> {
    return this.#do("question", { request_id, text }) as Promise<string>;
  }

  /** Stops the agent → the stop's id. */
  halt(said: object = {}): Promise<string> {
    return this.#do("halt", said) as Promise<string>;
  }

  async resume(stop_id: string): Promise<void> {
    await this.#do("resume", { stop_id });
  }

  known(stop_id: string): Promise<{ void: number; unconfirmed: number; spent: number }> {
    return this.#do("known", { stop_id }) as Promise<{ void: number; unconfirmed: number; spent: number }>;
  }

  async note(request_id: string, text: string): Promise<void> {
    await this.#do("note", { request_id, text });
  }

  talk(talk_id: string): Promise<{ state: string; answer: string | null }> {
    return this.#do("talk", { talk_id }) as Promise<{ state: string; answer: string | null }>;
  }

  /** Has what ran undone → the undo's id. */
  undo(request_id: string): Promise<string> {
    return this.#do("undo", { request_id }) as Promise<string>;
  }

  async felt(request_id: string, answer: string, text = ""): Promise<void> {
    await this.#do("felt", { request_id, answer, text });
  }

  undoers(): Promise<{ action: string; passed: boolean; fault: string | null }[]> {
    return this.#do("undoers") as Promise<{ action: string; passed: boolean; fault: string | null }[]>;
  }

  /** Asks the agent for its own test of an undo → the test's id. */
  undoTest(action: string): Promise<string> {
    return this.#do("undo_test", { action }) as Promise<string>;
  }

  /** The id of the next request that waits, whosoever it is. */
  async next(): Promise<string> {
    for (;;) {
      const [first] = (await this.#do("waiting")) as string[];
      if (first) return first;
    }
  }

  /** Decides the next request that waits, and gives its id. */
  async decideNext(said: { vote?: string; payload?: object; reason?: string } = {}): Promise<string> {
    const id = await this.next();
    await this.decide(id, said);
    return id;
  }

  async expire(request_id: string): Promise<void> {
    await this.#do("expire", { request_id });
  }

  look(request_id: string): Promise<Row> {
    return this.#do("look", { request_id }) as Promise<Row>;
  }

  async follow(text: string): Promise<void> {
    await this.#do("follow", { text });
  }

  /** Nothing waits any more. */
  async clear(): Promise<void> {
    await this.#do("clear");
  }

  async stop(): Promise<void> {
    await this.#do("stop");
  }

  async restart(): Promise<void> {
    await this.#do("start");
  }

  async #do(name: string, said: object = {}): Promise<unknown> {
    this.#child.stdin.write(`${JSON.stringify({ do: name, ...said })}\n`);
    const answer = (await this.#told()) as { done?: unknown; error?: string };
    if (answer.error) throw new Error(answer.error);
    return answer.done;
  }

  async #told(): Promise<object> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error("The server has ended.");
    return JSON.parse(value);
  }
}

if (!existsSync(PYTHON)) throw new Error(`There is no ${PYTHON}: make .venv/.installed`);
// Test files share this process (vitest.config.ts), and so the server.
const shared = globalThis as { server?: Promise<Server> };
export const server = await (shared.server ??= new Server().started());
