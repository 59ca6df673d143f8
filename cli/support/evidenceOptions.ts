import { nodeCrypto } from "../../protocol/crypto/node.ts";
import {
  parseCollateral,
  parseKeySet,
  parseTcbFloors,
  testRootFromPem,
  type AnyCollateral,
  type Fact,
  type GivenFiles,
  type VerifyAnyOptions,
} from "../../protocol/evidence/index.ts";
import { expectedFact } from "../../protocol/evidence/verdict/expectedFact.ts";
import { parseHex } from "../../protocol/words/hex.ts";
import { CliError } from "./CliError.ts";
import { readBytes, readText } from "./context.ts";
import { ExitCode } from "./exitCodes.ts";
import { readJson } from "./jsonFile.ts";

/** What `charter verify` takes beside the evidence: files only, nothing is fetched. */
export interface EvidenceOptions {
  readonly collateral?: string;
  readonly amdCertificates?: string;
  readonly amdCrl?: readonly string[];
  readonly amdMinimumTcb?: string;
  readonly driverRim?: string;
  readonly vbiosRim?: string;
  readonly ocsp?: readonly string[];
  readonly nrasKeys?: string;
  readonly nrasIssuer?: string;
  readonly at?: string;
  readonly root?: readonly string[];
  readonly reportData?: string;
  readonly maxAge?: string;
  readonly expect?: readonly string[];
}

/** Files and flags → the verifier's arguments. @throws CliError usage, CharterError of the parsers. */
export function verifyOptions(options: EvidenceOptions): VerifyAnyOptions {
  const at = options.at === undefined ? Math.floor(Date.now() / 1000) : parseTime(options.at);
  const roots = options.root?.map((path) => testRootFromPem(readText(path)));
  const facts = Object.fromEntries((options.expect ?? []).map(parseFact));
  return {
    at,
    crypto: nodeCrypto,
    ...(roots ? { roots } : {}),
    collateral: anyCollateral(options),
    expect: {
      ...(options.reportData === undefined
        ? {}
        : { reportData: parseHex(options.reportData, undefined, "--report-data") }),
      ...(options.maxAge === undefined ? {} : { maxAgeSeconds: parseSeconds(options.maxAge) }),
      facts,
    },
  };
}

/** NVIDIA's files: `verifyFiles` verifies them. @throws CliError usage. */
export function gpuFiles({ driverRim, vbiosRim, ocsp }: EvidenceOptions): Pick<GivenFiles, "rims" | "ocsp"> {
  if ((driverRim === undefined) !== (vbiosRim === undefined)) {
    throw new CliError(ExitCode.Usage, "cli/usage", "expected --driver-rim and --vbios-rim together");
  }
  return {
    ...(driverRim === undefined || vbiosRim === undefined
      ? {}
      : { rims: { driver: readText(driverRim), vbios: readText(vbiosRim) } }),
    ...(ocsp ? { ocsp: ocsp.map((path) => Uint8Array.from(readBytes(path))) } : {}),
  };
}

function anyCollateral(options: EvidenceOptions): AnyCollateral {
  const { collateral, amdCertificates: amdPem, amdCrl, amdMinimumTcb, nrasKeys, nrasIssuer } = options;
  return {
    ...(collateral === undefined ? {} : { intel: parseCollateral(readJson(collateral)) }),
    amd: {
      ...(amdPem === undefined ? {} : { certificates: readText(amdPem) }),
      ...(amdCrl === undefined ? {} : { crls: amdCrl.map((path) => Uint8Array.from(readBytes(path))) }),
      ...(amdMinimumTcb === undefined ? {} : { minimumTcb: parseTcbFloors(readJson(amdMinimumTcb)) }),
    },
    ...(nrasKeys === undefined ? {} : { nrasKeys: parseKeySet(readJson(nrasKeys), nrasIssuer) }),
  };
}

function parseFact(text: string): readonly [string, Fact] {
  const fact = expectedFact(text);
  if (!fact) throw new CliError(ExitCode.Usage, "cli/usage", "expected --expect name=value", { text });
  return fact;
}

function parseSeconds(text: string): number {
  if (!/^[0-9]{1,9}$/.test(text))
    throw new CliError(ExitCode.Usage, "cli/usage", "expected --max-age in whole seconds", { text });
  return Number(text);
}

function parseTime(text: string): number {
  const time = Date.parse(text);
  if (Number.isNaN(time))
    throw new CliError(ExitCode.Usage, "cli/usage", "expected --at as an ISO time", { at: text });
  return Math.floor(time / 1000);
}
