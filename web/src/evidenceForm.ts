import { CharterError } from "../../protocol/errors/CharterError.ts";
import {
  readCollateral,
  readEvidence,
  readKeySet,
  readTcbFloors,
  testRootFromPem,
  webCrypto,
  withBootLog,
  type GivenFiles,
} from "../../protocol/evidence/browser.ts";
import { expectedFact } from "../../protocol/evidence/verdict/expectedFact.ts";
import type {
  AmdCollateral,
  AnyCollateral,
  Expectation,
  Fact,
  VerifyAnyOptions,
} from "../../protocol/evidence/verdict/Verdict.ts";
import { parseHex } from "../../protocol/words/hex.ts";

export const element = (id: string): HTMLElement => document.getElementById(id) as HTMLElement;

const input = (id: string): HTMLInputElement => element(id) as HTMLInputElement;
const textOf = (id: string): string => input(id).value.trim();
const filesOf = (id: string): File[] => [...(input(id).files ?? [])];
const fileOf = (id: string): File | undefined => filesOf(id)[0];
const bytesOf = async (file: File): Promise<Uint8Array> => new Uint8Array(await file.arrayBuffer());
const allBytes = (id: string): Promise<Uint8Array[]> => Promise.all(filesOf(id).map(bytesOf));

/** What the form says. @throws CharterError for evidence, a time, hex, root or collateral that does not read. */
export async function readForm(): Promise<{ files: GivenFiles; options: VerifyAnyOptions }> {
  const [evidence, ccel, gpu] = ["evidence", "ccel", "gpu"].map(fileOf);
  if (!evidence) throw unreadable("expected a file with evidence");
  const read = readEvidence(await bytesOf(evidence));
  const roots = await Promise.all(filesOf("root").map(async (root) => testRootFromPem(await root.text())));
  return {
    files: {
      evidence: ccel ? withBootLog(read, await bytesOf(ccel)) : read,
      ...(gpu ? { gpu: readEvidence(await bytesOf(gpu)) } : {}),
      ...(await nvidiaFiles()),
    },
    options: {
      at: parseTime(textOf("at")),
      crypto: webCrypto,
      ...(roots.length > 0 ? { roots } : {}),
      collateral: await readAnyCollateral(),
      expect: readExpectation(),
    },
  };
}

async function nvidiaFiles(): Promise<Pick<GivenFiles, "rims" | "ocsp">> {
  const [driver, vbios] = ["driver-rim", "vbios-rim"].map(fileOf);
  if (!driver !== !vbios) throw unreadable("expected the manifests of driver and VBIOS together");
  const ocsp = await allBytes("ocsp");
  return {
    ...(driver && vbios ? { rims: { driver: await driver.text(), vbios: await vbios.text() } } : {}),
    ...(ocsp.length > 0 ? { ocsp } : {}),
  };
}

async function readAnyCollateral(): Promise<AnyCollateral> {
  const [intel, keys] = ["collateral", "nras-keys"].map(fileOf);
  const issuer = textOf("nras-issuer");
  return {
    ...(intel ? { intel: await readCollateral(await jsonOf(intel)) } : {}),
    amd: await amdCollateral(),
    ...(keys ? { nrasKeys: await readKeySet(await jsonOf(keys), issuer === "" ? undefined : issuer) } : {}),
  };
}

async function amdCollateral(): Promise<AmdCollateral> {
  const [certificates, floors] = ["amd-certificates", "amd-minimum-tcb"].map(fileOf);
  const crls = await allBytes("amd-crl");
  return {
    ...(certificates ? { certificates: await certificates.text() } : {}),
    ...(crls.length > 0 ? { crls } : {}),
    ...(floors ? { minimumTcb: await readTcbFloors(await jsonOf(floors)) } : {}),
  };
}

function readExpectation(): Expectation {
  const [reportData, maxAge, facts] = ["report-data", "max-age", "expect"].map(textOf) as [
    string,
    string,
    string,
  ];
  if (!/^[0-9]{0,9}$/.test(maxAge)) throw unreadable("expected an age in whole seconds", maxAge);
  const lines = facts.split("\n").filter((line) => line.trim() !== "");
  return {
    ...(reportData === "" ? {} : { reportData: parseHex(reportData, undefined, "report data") }),
    ...(maxAge === "" ? {} : { maxAgeSeconds: Number(maxAge) }),
    facts: Object.fromEntries(lines.map(parseFact)),
  };
}

function parseFact(line: string): readonly [string, Fact] {
  const fact = expectedFact(line.trim());
  if (!fact) throw unreadable("expected facts as name=value", line);
  return fact;
}

function parseTime(text: string): number {
  if (text === "") return Math.floor(Date.now() / 1000);
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw unreadable("expected an ISO time", text);
  return Math.floor(time / 1000);
}

async function jsonOf(file: File): Promise<unknown> {
  try {
    return JSON.parse(await file.text()) as unknown;
  } catch {
    throw new CharterError("collateral/malformed", `expected JSON in ${file.name}`);
  }
}

const unreadable = (message: string, text?: string): CharterError =>
  new CharterError("evidence/unknown-form", message, text === undefined ? {} : { text });
