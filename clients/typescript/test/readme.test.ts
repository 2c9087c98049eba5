/** What README.md and docs/http.md show of TypeScript is right by its types. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { expect, test } from "vitest";

const FOLDER = fileURLToPath(new URL("../", import.meta.url));
/** What the examples take from around them. */
const AROUND = `
declare const payments: { refund(payload: { customer: string; amount: number }): Promise<string> };
declare const tasks: { resume(id: string): Promise<void> };
declare const git: { remove(payload: object): Promise<void> };
declare const find: (q: string) => Promise<string[]>;
declare const model: import("ai").LanguageModel;
declare const chatId: string, prompt: string, executorToken: string;
`;

test("the examples are right by their types, and a wrong one is told", () => {
  const readme = readFileSync(`${FOLDER}README.md`, "utf8");
  const examples = [...readme.matchAll(/```ts\n(.*?)```/gs)].map((found) => found[1]);
  expect(examples).toHaveLength(9);
  const wrong = 'await refund({ customer: "cus_42" });';
  expect(faults([AROUND, ...examples, wrong].join("\n"))).toEqual([expect.stringContaining("'amount' is missing")]);
});

function faults(text: string): string[] {
  const name = `${FOLDER}example.ts`;
  const read = ts.readConfigFile(`${FOLDER}tsconfig.json`, ts.sys.readFile).config as { compilerOptions: object };
  const paths = { signoff: ["./src/index.ts"], "signoff/ai": ["./src/ai.ts"] };
  const { options } = ts.convertCompilerOptionsFromJson({ ...read.compilerOptions, paths }, FOLDER);
  const host = ts.createCompilerHost(options);
  const files = host.getSourceFile.bind(host);
  host.getSourceFile = (file, language) =>
    file === name ? ts.createSourceFile(file, text, language) : files(file, language);
  const found = ts.getPreEmitDiagnostics(ts.createProgram([name], options, host));
  return found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));
}
