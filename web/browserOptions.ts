import { fileURLToPath } from "node:url";

import type { BuildOptions } from "esbuild";

const ABSENT = fileURLToPath(new URL("absent.ts", import.meta.url));

/** How everything that browsers run is bundled, on pages as in tests. */
export const browserOptions = {
  bundle: true,
  format: "esm",
  platform: "browser",
  target: "es2022",
  minify: true,
  // Named by the XML signature library beside what is used of it: Node's cryptography, and a query language.
  alias: { crypto: ABSENT, xpath: ABSENT },
  // Node's Buffer, which is used where it is there.
  define: { "globalThis.Buffer": "undefined" },
} as const satisfies BuildOptions;
