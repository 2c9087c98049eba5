/** The types of the wire are those of the server's own description of it. */
import { readFileSync } from "node:fs";
import openapiTS, { astToString, COMMENT_HEADER } from "openapi-typescript";
import { expect, test } from "vitest";
import { server } from "./server.js";

test("src/wire.ts is what `npm run types` makes of a running server's /v1/openapi.json", async () => {
  const made = await openapiTS(new URL(`${server.url}/v1/openapi.json`), { defaultNonNullable: false });
  const written = readFileSync(new URL("../src/wire.ts", import.meta.url), "utf8");
  expect(written).toBe(COMMENT_HEADER + astToString(made));
});
