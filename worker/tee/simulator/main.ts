import { z } from "zod";

import { CharterError } from "../../../protocol/errors/CharterError.ts";
import { aborted, runProgram, say } from "../../program.ts";
import { loadOrCreateTestPki } from "./pki.ts";
import { loadOrCreateAmdPki } from "./snp/amdPkiFile.ts";
import { writeRoots } from "./vendorPkis.ts";
import { createVendorServer, OCSP_PATH } from "./vendorServer.ts";

const environmentSchema = z.object({
  CHARTER_SIM_DIR: z.string().min(1),
  /** Names of the machines with SEV-SNP, separated by commas: with any, AMD is simulated too (its keys take seconds to make). */
  CHARTER_SIM_SNP_MACHINES: z
    .string()
    .default("")
    .transform((text) => text.split(",").filter((name) => name !== "")),
  HOST: z.string().min(1).default("127.0.0.1"),
  PORT: z.coerce.number().int().min(0).max(65_535).default(8081),
});

/** Program: makes the simulated vendors' PKIs at first start, and serves their collateral. */
await runProgram(async (signal) => {
  const parsed = environmentSchema.safeParse(process.env);
  if (!parsed.success) {
    throw new CharterError("config/invalid", "the simulator's environment is not as expected", {
      issues: parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`),
    });
  }
  const { CHARTER_SIM_DIR: dir, CHARTER_SIM_SNP_MACHINES: machines, HOST: host, PORT: port } = parsed.data;
  const pki = loadOrCreateTestPki(dir);
  const roots = writeRoots(dir, pki);
  const amd = machines.length === 0 ? undefined : loadOrCreateAmdPki(dir, { notBefore: pki.file.notBefore });
  const server = await createVendorServer({
    pki,
    now: () => Math.floor(Date.now() / 1000),
    ...(amd === undefined ? {} : { amd: { pki: amd, machines } }),
  });
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
  say({
    ready: true,
    url,
    ocspUrl: `${url}${OCSP_PATH}`,
    root: `${dir}/root.pem`,
    roots: { ...roots, ...(amd === undefined ? {} : { amd: `${dir}/amd-root.pem` }) },
  });
  await aborted(signal);
  await server.close();
});
