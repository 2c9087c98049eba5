import { defineConfig } from "vitest/config";

// One process for all files, so that they share one server.
export default defineConfig({
  test: { include: ["test/*.test.ts"], fileParallelism: false, isolate: false, testTimeout: 60_000, silent: "passed-only" },
});
