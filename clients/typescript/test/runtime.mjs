/**
 * What runs on every runtime: the vectors, with the built package, and where SIGNOFF_WEB_URL is set one request.
 *
 *     node test/runtime.mjs; deno run --allow-all test/runtime.mjs; a browser imports `agreed`
 */

/** How many of docs/vectors this package agrees with, and how many there are; `read` gives a file's JSON. */
export async function agreed({ bind, canonical, parse, pinned, verify }, read) {
  const holds = {
    receipts: async (one) => {
      const taken = { keys: pinned(one.keys.join()), agent: one.agent, deployment: one.issuer };
      await bind(await verify(one.token, taken), one.action, parse(one.payload));
    },
    canonical: async (one) => {
      if (canonical(parse(one.text)) !== one.canonical) throw new Error("another text");
    },
  };
  let [right, all] = [0, 0];
  for (const [kind, check] of Object.entries(holds))
    for (const one of await read(`${kind}.json`)) {
      const found = await check(one).then(() => "ok", (error) => ("detail" in error ? "refused" : String(error)));
      right += Number(found === one.expects);
      all++;
    }
  return [right, all];
}

if (typeof document === "undefined") {
  const { readFile } = await import("node:fs/promises");
  const signoff = await import("../dist/index.js");
  const folder = new URL("../../../docs/vectors/", import.meta.url);
  const [right, all] = await agreed(signoff, async (name) => JSON.parse(await readFile(new URL(name, folder), "utf8")));
  const ran = await new signoff.Signoff().withApproval("refund.create", ({ amount }) => amount)({ amount: 120 });
  console.log(JSON.stringify({ right, all, ran }));
}
