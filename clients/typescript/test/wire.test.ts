/** The types of the wire are those of the server's own description of it. */
import { fileURLToPath } from "node:url";
import openapiTS, { astToString, COMMENT_HEADER } from "openapi-typescript";
import { expect, test } from "vitest";
import { server } from "./server.js";

test("src/wire.ts is made of a running server's /v1/openapi.json; `npm run types` makes it anew", async () => {
  const made = await openapiTS(new URL(`${server.url}/v1/openapi.json`), { defaultNonNullable: false });
  const file = fileURLToPath(new URL("../src/wire.ts", import.meta.url));
  await expect(COMMENT_HEADER + astToString(made)).toMatchFileSnapshot(file);
});
