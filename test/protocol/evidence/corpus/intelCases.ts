import { parseAddress, parseComposeHash, toHex } from "../../../../protocol/words/hex.ts";
import { measureBoot } from "../../../../worker/tee/measureBoot.ts";
import { deriveKey } from "../../../../worker/tee/simulator/keys.ts";
import { createTestPki } from "../../../../worker/tee/simulator/pki.ts";
import { simulatedPlatform } from "../../../../worker/tee/simulator/platform.ts";
import { SimulatedSgx } from "../../../../worker/tee/simulator/SimulatedSgx.ts";
import { SimulatedTdx, type SimulatedTdxOptions } from "../../../../worker/tee/simulator/SimulatedTdx.ts";
import { AT, issued, Offset, patched, pki, platform, quoteOf } from "../simulated.ts";
import { base64, realCase } from "./caseFiles.ts";
import type { EvidenceCase } from "./runCase.ts";

const DAY = 86_400;
const base = { at: AT + 1, roots: [pki.file.root], collateral: issued() };

async function guest(options: SimulatedTdxOptions = {}, logChange = (log: string) => log): Promise<string> {
  const tdx = new SimulatedTdx(platform, options);
  await measureBoot(tdx, {
    app: parseAddress(`0x${"11".repeat(20)}`),
    composeHash: parseComposeHash(`0x${"22".repeat(32)}`),
    instanceId: `0x${"33".repeat(20)}`,
  });
  const { quote, eventLog, vmConfig } = await tdx.quote(new Uint8Array(64).fill(5));
  return base64(JSON.stringify({ kind: "tdx", quote, eventLog: logChange(eventLog), vmConfig }));
}

/** TDX and SGX: what passes, and one case of each thing that must not. */
export async function intelCases(): Promise<EvidenceCase[]> {
  const quote = await quoteOf();
  const good = base64(quote);
  const sgx = issued({ tee: "sgx" });
  const enclave = (options = {}) => base64(new SimulatedSgx(platform, options).quote(new Uint8Array(64)));
  const old = simulatedPlatform(pki, { name: "old", outOfDate: true });
  const stranger = createTestPki({ notBefore: AT - 1000, secret: new Uint8Array(32).fill(8) });
  const signingKey = deriveKey(pki.secret, "a stranger");
  const flipped = [0, 2, 4, 8, 12, 28, 48, 200, 520, 633, 640, 700, 770, 1154, 1220, 1252].map((offset) => ({
    offset,
    file: base64(patched(quote, offset, [(quote[offset] as number) ^ 1])),
  }));
  return [
    { ...base, name: "a TD's quote", file: good, expected: "accepted" },
    { ...base, name: "a TD with its event log", file: await guest(), expected: "accepted" },
    {
      ...base,
      name: "a TD whose MRCONFIGID is the compose hash",
      file: await guest({ composeHash: parseComposeHash(`0x${"22".repeat(32)}`) }),
      expected: "accepted",
    },
    {
      ...base,
      name: "a TD whose MRCONFIGID is another compose hash",
      file: await guest({ composeHash: parseComposeHash(`0x${"23".repeat(32)}`) }),
      expected: "mr-config-id",
    },
    {
      ...base,
      name: "a log that claims another compose hash",
      file: await guest({}, (log) => log.replace("22".repeat(32), "24".repeat(32))),
      expected: "rtmr-replay",
    },
    { ...base, name: "an old platform", file: base64(await quoteOf({}, old)), expected: "accepted" },
    { ...base, name: "a debug TD", file: base64(await quoteOf({ debug: true })), expected: "td-debug" },
    {
      ...base,
      name: "another key's signature",
      file: base64(await quoteOf({ signingKey })),
      expected: "quote-signature",
    },
    { ...base, name: "a root that nobody named", file: good, roots: [], expected: "root-pinned" },
    { ...base, name: "another test root", file: good, roots: [stranger.file.root], expected: "root-pinned" },
    { ...base, name: "expired collateral", file: good, at: AT + 31 * DAY, expected: "validity" },
    {
      ...base,
      name: "a revoked platform",
      file: good,
      collateral: issued({ revokedPcks: [platform.pckSerial] }),
      expected: "pck-revoked",
    },
    {
      ...base,
      name: "another report data than expected",
      file: good,
      reportData: toHex(new Uint8Array(64).fill(6)),
      expected: "expected-report-data",
    },
    { ...base, name: "an enclave's quote", file: enclave(), collateral: sgx, expected: "accepted" },
    {
      ...base,
      name: "an enclave's quote of version 4",
      file: enclave({ version: 4 }),
      collateral: sgx,
      expected: "accepted",
    },
    {
      ...base,
      name: "a debug enclave",
      file: enclave({ flags: 7 }),
      collateral: sgx,
      expected: "enclave-debug",
    },
    { ...base, name: "a TD's documents for an enclave", file: enclave(), expected: "qe-identity-kind" },
    { ...base, name: "a cut quote", file: base64(quote.subarray(0, 700)), expected: "quote-format" },
    ...flipped.map(({ offset, file }) => ({
      ...base,
      name: `a flipped byte at ${offset}`,
      file,
      expected: checkAt(offset),
    })),
    ...realCase("tdx/dcap-qvl-2025-06/quote.bin", "2025-07-01T00:00:00Z"),
    ...realCase("tdx/dstack-2026-02/quote-report.json", "2026-02-18T11:58:51Z"),
    ...realCase("tdx/dcap-qvl-out-of-date/quote.bin", "2026-02-25T00:00:00Z", "platform-tcb"),
    ...realCase("sgx/dcap-qvl/quote.bin", "2025-06-21T10:56:11Z"),
  ];
}

/** Which check refuses a quote whose byte at this offset is another. */
function checkAt(offset: number): string {
  if (offset < 2) return "quote-format";
  if (offset < 4) return "quote-header";
  if (offset < 8) return "quote-format";
  if (offset < 12) return "quote-signature";
  if (offset < 28) return "quote-header";
  if (offset < Offset.signatureLength) return "quote-signature";
  if (offset < Offset.signature) return "quote-format";
  if (offset < Offset.attestationKey) return "quote-signature";
  if (offset < Offset.certification) return "qe-report-data";
  if (offset < Offset.authLength) return "qe-report-signature";
  if (offset < Offset.chainHeader) return "qe-report-data";
  return "quote-format";
}
