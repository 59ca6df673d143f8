import { toHex } from "../../../../protocol/words/hex.ts";
import { deriveKey } from "../../../../worker/tee/simulator/keys.ts";
import type { NitroDefects } from "../../../../worker/tee/simulator/nitro/SimulatedNitro.ts";
import { hasVectors } from "../../../support/vectors.ts";
import { AT, attest, FROM, nitroVector, otherPki, pki, VECTOR_TIMES } from "../nitro/simulatedNitro.ts";
import { base64 } from "./caseFiles.ts";
import type { EvidenceCase } from "./runCase.ts";

const userData = new Uint8Array(64).fill(3);

/** AWS Nitro documents: what passes, and one case of each thing that must not. */
export function nitroCases(): EvidenceCase[] {
  const file = (defects: NitroDefects = {}) => base64(attest(defects, { userData }));
  const base = { at: AT, roots: [pki.root], reportData: toHex(userData) };
  const key = deriveKey(pki.secret, "somebody", "P-384");
  return [
    { ...base, name: "a Nitro document", file: file(), expected: "accepted" },
    { ...base, name: "a Nitro document with its tag", file: file({ tagged: true }), expected: "accepted" },
    { ...base, name: "a debug enclave of AWS", file: file({ debug: true }), expected: "nitro-debug" },
    { ...base, name: "a Nitro document by another key", file: file({ key }), expected: "nitro-signature" },
    {
      ...base,
      name: "a Nitro document under another vendor",
      file: file(),
      roots: [otherPki.root],
      expected: "root-pinned",
    },
    { ...base, name: "a Nitro document too late", file: file(), at: FROM + 4 * 3_600, expected: "validity" },
    { ...base, name: "a Nitro leaf that is a CA", file: file({ leafIsCa: true }), expected: "nitro-chain" },
    {
      ...base,
      name: "other user data than expected",
      file: file(),
      reportData: `0x${"00".repeat(64)}`,
      expected: "expected-report-data",
    },
    ...(hasVectors
      ? (["attestation", "attestation-debug"] as const).map((name) => ({
          name: `nitro/${name}.bin`,
          file: base64(nitroVector(name)),
          at: VECTOR_TIMES[name] + 1,
          expected: name === "attestation" ? "accepted" : "nitro-debug",
        }))
      : []),
  ];
}
