import { parseDeployment } from "../../../protocol/deployment/deployment.ts";
import { parseCertificate } from "../../../protocol/der/certificate.ts";
import { parseCrl } from "../../../protocol/der/crl.ts";
import { commonName } from "../../../protocol/der/name.ts";
import { splitPem } from "../../../protocol/der/pem.ts";
import { parseCollateral } from "../../../protocol/evidence/dcap/collateral.ts";
import { parseQuote } from "../../../protocol/evidence/dcap/parseQuote.ts";
import { readPckExtensions } from "../../../protocol/evidence/dcap/pckExtensions.ts";
import { parseCcel } from "../../../protocol/evidence/eventlog/ccel.ts";
import { parseEventLog } from "../../../protocol/evidence/eventlog/eventLog.ts";
import { parseDetachedEat } from "../../../protocol/evidence/gpu/detachedEat.ts";
import { parseGpuEvidence } from "../../../protocol/evidence/gpu/gpuEvidence.ts";
import { parseNvattest } from "../../../protocol/evidence/gpu/nvattest.ts";
import { parseOpaqueData } from "../../../protocol/evidence/gpu/opaqueData.ts";
import { parseOcsp } from "../../../protocol/evidence/gpu/ocsp/parseOcsp.ts";
import { parseXml } from "../../../protocol/evidence/gpu/rim/parseXml.ts";
import { parseSpdmReport } from "../../../protocol/evidence/gpu/spdm.ts";
import { parseNitroDocument } from "../../../protocol/evidence/nitro/parseDocument.ts";
import { readEvidence } from "../../../protocol/evidence/verdict/readEvidence.ts";
import { parseComposeFile } from "../../../protocol/manifest/composeFile.ts";
import { parseManifest } from "../../../protocol/manifest/manifest.ts";
import { parseNote } from "../../../protocol/note/note.ts";
import { fromHex } from "../../../protocol/words/hex.ts";
import { parseStrictJson } from "../../../protocol/words/strictJson.ts";
import { makeEat } from "../../../worker/tee/simulator/gpu/eat.ts";
import { makeRim } from "../../../worker/tee/simulator/gpu/rim.ts";
import { SimulatedGpu } from "../../../worker/tee/simulator/gpu/SimulatedGpu.ts";
import { createNitroPki } from "../../../worker/tee/simulator/nitro/nitroPki.ts";
import { SimulatedNitro } from "../../../worker/tee/simulator/nitro/SimulatedNitro.ts";
import { SimulatedTdx } from "../../../worker/tee/simulator/SimulatedTdx.ts";
import { ccelLog } from "../evidence/eventlog/ccelLog.ts";
import { mutatedBytes, mutatedText } from "../../support/mutation.ts";
import type { Random } from "../../support/random.ts";
import { hasVectors, vector } from "../../support/vectors.ts";
import { makeQuote } from "../evidence/dcap/defects/defect.ts";
import * as gpu from "../evidence/gpu/simulatedGpu.ts";
import { response } from "../evidence/gpu/simulatedOcsp.ts";
import { AT, issued, pki, platform } from "../evidence/simulated.ts";
import { json, jsonBytes, mutatedCose, mutatedDerOrBytes as der } from "./mutations.ts";
import { snpTargets } from "./snpTargets.ts";
import { target, type Target } from "./target.ts";
import { verifierTargets } from "./verifierTargets.ts";

/** Collateral with one of its parts changed as what it is: PEM, a CRL in hex, a signed document, a signature. */
function collateral(input: Record<string, unknown>, random: Random): Record<string, unknown> {
  const [name, value] = random.pick(Object.entries(input));
  if (typeof value !== "string" || random.chance(0.1))
    return { ...input, [name]: random.pick([null, 1, {}]) };
  if (name.endsWith("crl"))
    return { ...input, [name]: Buffer.from(der(Buffer.from(value, "hex"), random)).toString("hex") };
  const isDocument = name === "tcb_info" || name === "qe_identity";
  return { ...input, [name]: isDocument ? json(value, random) : mutatedText(value, random) };
}

const COMPOSE = `services:
  web:
    image: nginx@sha256:${"ab".repeat(32)}
    ports: ["80:80", '443:443']
    environment: {A: "1", B: yes}
volumes:
  data: {}
`;
/** What the next level or value begins with, and what ends it: repeated, they are the most work for their length. */
const YAML_TOKENS = [
  "- ",
  "? ",
  "[",
  "{",
  "]",
  "}",
  ",",
  "[],",
  "{a: ",
  "a\n",
  "'\n",
  '"',
  "&a *a ",
  "|\n",
  "-\n",
  "\n",
];
const YAML_STARTS = [
  "",
  "services:\n  web:\n    a: ",
  "services: {",
  "services: [",
  "? ",
  "services:\n  - a: b\n",
];
/** Text of one token only, mostly short; sometimes as long as is looked at, or with an own key on every line. */
function filledYaml(_: string, random: Random): string {
  const length = random.chance(0.1) ? 262_144 : random.below(4096);
  const start = random.pick(YAML_STARTS);
  const token = random.pick(YAML_TOKENS);
  if (random.chance(0.9)) return start + token.repeat(Math.max(0, length - start.length) / token.length);
  return Array.from({ length: length / 8 }, (_each, i) => `k${i}: ${random.below(2)}\n`).join("");
}
const ADDRESS = `0x${"5f".repeat(20)}`;
const MANIFEST = JSON.stringify({
  manifest_version: 2,
  name: "hello",
  runner: "docker-compose",
  docker_compose_file: COMPOSE,
  allowed_envs: ["A"],
  charter: { lease_signers: [ADDRESS], max_lease_seconds: 60, persistent: true },
});
const NOTE = JSON.stringify({
  title: "One",
  description: "First",
  source: {
    repository: "https://example.org/r",
    commit: "ab".repeat(20),
    recipe: { manifest: "manifest.json" },
  },
  images: [{ service: "web", image: "nginx", digest: `sha256:${"cd".repeat(32)}` }],
  predecessor: `0x${"12".repeat(32)}`,
});
const DEPLOYMENT = JSON.stringify({
  chainId: 31_337,
  genesisHash: `0x${"34".repeat(32)}`,
  startBlock: 1,
  ...Object.fromEntries(
    ["appRegistry", "nodeRegistry", "attestationLedger", "committeeVerifier", "advisorySets", "endorsements"]
      .concat(["timelock", "governor", "votes"])
      .map((name) => [name, ADDRESS]),
  ),
});

async function dcapTargets(): Promise<Target[]> {
  const quotes = await Promise.all((["tdx4", "sgx3", "sgx4"] as const).map((kind) => makeQuote(kind)));
  const certificates = splitPem(platform.pckChain + pki.file.signing);
  const own = issued({ revokedPcks: [platform.pckSerial] });
  const tdx = new SimulatedTdx(platform);
  await tdx.extend("app-id", fromHex(ADDRESS));
  const { quote, eventLog, vmConfig } = await tdx.quote(new Uint8Array(64));
  const message = JSON.stringify({ kind: "tdx", quote, eventLog, vmConfig });
  return [
    target("parseQuote", quotes, mutatedBytes, parseQuote),
    target("parseCertificate", certificates, der, (input) => {
      const certificate = parseCertificate(input);
      return commonName(fromHex(certificate.subject));
    }),
    target("readPckExtensions", [certificates[0] as Uint8Array], der, (input) =>
      readPckExtensions(parseCertificate(input)),
    ),
    target(
      "parseCrl",
      [own.pck_crl, own.root_ca_crl].map((crl) => Buffer.from(crl, "hex")),
      der,
      parseCrl,
    ),
    target("splitPem", [platform.pckChain, `${platform.pckChain}\0`], mutatedText, splitPem),
    target<Record<string, unknown>>(
      "parseCollateral",
      [{ ...own }, { ...issued({ tee: "sgx" }) }],
      collateral,
      parseCollateral,
    ),
    target("parseEventLog", [eventLog], json, parseEventLog),
    target("readEvidence", [...quotes, Buffer.from(quote), Buffer.from(message)], jsonBytes, readEvidence),
  ];
}

function gpuTargets(): Target[] {
  const evidence = gpu.gpu.attest(gpu.NONCE);
  const { opaqueData } = parseSpdmReport(evidence.report);
  return [
    target("parseSpdmReport", [evidence.report], mutatedBytes, parseSpdmReport),
    target("parseOpaqueData", [opaqueData], mutatedBytes, parseOpaqueData),
    target("parseGpuEvidence", [SimulatedGpu.serialize([evidence, evidence])], json, parseGpuEvidence),
    target("parseDetachedEat", [makeEat(gpu.pki, { nonce: gpu.NONCE, at: AT })], json, parseDetachedEat),
    target("parseOcsp", [response(), response({ by: "name" })], der, parseOcsp),
    target("parseXml", [makeRim(gpu.pki, { kind: "driver" })], mutatedText, parseXml),
    ...(hasVectors
      ? [target("parseNvattest", [vector("gpu/nvattest-h100.json").toString()], json, parseNvattest)]
      : []),
  ];
}

const CCEL = ccelLog(
  [0, 1, 2, 3].map((index) => ({ index, type: 4, data: new Uint8Array(4 + index).fill(index) })),
);

function nitroTargets(): Target[] {
  const document = new SimulatedNitro(createNitroPki({ notBefore: AT })).attest({
    userData: new Uint8Array(64),
  });
  return [target("parseNitroDocument", [document], mutatedCose, parseNitroDocument)];
}

/** Every parser that reads what others wrote. */
export async function targets(): Promise<Target[]> {
  return [
    ...(await dcapTargets()),
    ...gpuTargets(),
    ...snpTargets(),
    ...nitroTargets(),
    ...verifierTargets(),
    target("parseCcel", [CCEL], mutatedBytes, parseCcel),
    target("parseStrictJson", [MANIFEST, DEPLOYMENT], json, (input) => parseStrictJson(input, "text")),
    target("parseManifest", [Buffer.from(MANIFEST)], jsonBytes, parseManifest),
    target("parseComposeFile", [COMPOSE], mutatedText, parseComposeFile),
    target("parseComposeFile of one token", [COMPOSE], filledYaml, parseComposeFile),
    target("parseNote", [Buffer.from(NOTE)], jsonBytes, parseNote),
    target("parseDeployment", [DEPLOYMENT], json, parseDeployment),
  ];
}
