import { z } from "zod";

import { CharterError } from "../../../protocol/errors/CharterError.ts";
import { aborted, runProgram, say } from "../../program.ts";
import { createPcs } from "./pcs.ts";
import { loadOrCreateTestPki } from "./pki.ts";

const environmentSchema = z.object({
  CHARTER_SIM_DIR: z.string().min(1),
  HOST: z.string().min(1).default("127.0.0.1"),
  PORT: z.coerce.number().int().min(0).max(65_535).default(8081),
});

/** Program: makes the simulated vendor's PKI at first start, and serves its collateral. */
await runProgram(async (signal) => {
  const parsed = environmentSchema.safeParse(process.env);
  if (!parsed.success) {
    throw new CharterError("config/invalid", "the simulator's environment is not as expected", {
      issues: parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`),
    });
  }
  const { CHARTER_SIM_DIR: dir, HOST: host, PORT: port } = parsed.data;
  const pki = loadOrCreateTestPki(dir);
  const { server } = createPcs({ pki, now: () => Math.floor(Date.now() / 1000) });
  let url: string;
  try {
    url = await server.listen({ host, port });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EADDRINUSE") throw cause;
    throw new CharterError(
      "config/port-in-use",
      "another program listens there already",
      { host, port },
      { cause },
    );
  }
  say({ ready: true, url, root: `${dir}/root.pem` });
  await aborted(signal);
  await server.close();
});
