import { nodeCrypto } from "../../protocol/crypto/node.ts";
import { verifyRim } from "../../protocol/evidence/gpu/rim/verifyRim.ts";
import {
  NRAS_ISSUER,
  parseCollateral,
  testRootFromPem,
  type AnyCollateral,
  type Fact,
  type TrustedKeySet,
  type TrustedRoot,
  type VerifyAnyOptions,
} from "../../protocol/evidence/index.ts";
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
  readonly driverRim?: string;
  readonly vbiosRim?: string;
  readonly nrasKeys?: string;
  readonly nrasIssuer?: string;
  readonly at?: string;
  readonly root?: readonly string[];
  readonly reportData?: string;
  readonly maxAge?: string;
  readonly expect?: readonly string[];
}

/** Files and flags → the verifier's arguments. @throws CliError usage, CharterError of the parsers. */
export async function verifyOptions(options: EvidenceOptions): Promise<VerifyAnyOptions> {
  const at = options.at === undefined ? Math.floor(Date.now() / 1000) : parseTime(options.at);
  const roots = options.root?.map((path) => testRootFromPem(readText(path)));
  const facts = Object.fromEntries((options.expect ?? []).map(parseFact));
  return {
    at,
    crypto: nodeCrypto,
    ...(roots ? { roots } : {}),
    collateral: await anyCollateral(options, at, roots),
    expect: {
      ...(options.reportData === undefined
        ? {}
        : { reportData: parseHex(options.reportData, undefined, "--report-data") }),
      ...(options.maxAge === undefined ? {} : { maxAgeSeconds: parseSeconds(options.maxAge) }),
      facts,
    },
  };
}

async function anyCollateral(
  {
    collateral,
    amdCertificates: amdPem,
    amdCrl,
    driverRim,
    vbiosRim,
    nrasKeys,
    nrasIssuer = NRAS_ISSUER,
  }: EvidenceOptions,
  at: number,
  roots: readonly TrustedRoot[] | undefined,
): Promise<AnyCollateral> {
  if ((driverRim === undefined) !== (vbiosRim === undefined)) {
    throw new CliError(ExitCode.Usage, "cli/usage", "expected --driver-rim and --vbios-rim together");
  }
  const rim = (path: string) =>
    verifyRim(readText(path), { at, crypto: nodeCrypto, ...(roots ? { roots } : {}) });
  return {
    ...(collateral === undefined ? {} : { intel: parseCollateral(readJson(collateral)) }),
    amd: {
      ...(amdPem === undefined ? {} : { certificates: readText(amdPem) }),
      ...(amdCrl === undefined ? {} : { crls: amdCrl.map((path) => Uint8Array.from(readBytes(path))) }),
    },
    ...(driverRim === undefined || vbiosRim === undefined
      ? {}
      : { rims: { driver: await rim(driverRim), vbios: await rim(vbiosRim) } }),
    ...(nrasKeys === undefined ? {} : { nrasKeys: keySet(nrasKeys, nrasIssuer) }),
  };
}

/** A JSON web key set that the caller trusts; it is simulated unless it speaks for NVIDIA's own issuer. */
const keySet = (path: string, issuer: string): TrustedKeySet => ({
  name: issuer,
  issuer,
  keys: readJson(path) as TrustedKeySet["keys"],
  simulated: issuer !== NRAS_ISSUER,
});

/** `name=value`: a number or true/false where the value reads as one, else text. */
function parseFact(text: string): readonly [string, Fact] {
  const at = text.indexOf("=");
  if (at < 1) throw new CliError(ExitCode.Usage, "cli/usage", "expected --expect name=value", { text });
  const value = text.slice(at + 1);
  const isJson = /^(?:true|false|null|0|[1-9][0-9]{0,14})$/.test(value);
  return [text.slice(0, at), isJson ? (JSON.parse(value) as Fact) : value];
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
