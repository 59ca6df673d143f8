import { createPublicKey } from "node:crypto";

import { expect } from "chai";

import { collateralCalls } from "../../../../protocol/evidence/dcap/onchain/collateralCalls.ts";
import { encodeFirstQuote } from "../../../../protocol/evidence/dcap/onchain/encodeQuote.ts";
import { toHex } from "../../../../protocol/words/hex.ts";
import type { DcapCollateral, DcapVerifier } from "../../../../types/typechain/index.ts";
import { issueCrl, type Issuer } from "../../../../worker/tee/simulator/certificate.ts";
import {
  issueCollateral,
  type CollateralOptions,
  type IssuedCollateral,
} from "../../../../worker/tee/simulator/collateral.ts";
import * as der from "../../../../worker/tee/simulator/der.ts";
import { signRaw } from "../../../../worker/tee/simulator/keys.ts";
import { SGX_EXTENSIONS } from "../../../../worker/tee/simulator/sgxExtensions.ts";
import { makeQuote } from "../../../protocol/evidence/dcap/defects/defect.ts";
import {
  certificate,
  chained,
  firstOf,
  keyOf,
  pckCertificate,
  reshaped,
  withExtensions,
} from "../../../protocol/evidence/dcap/forgery.ts";
import { AT, pki, platform, quoteOf, reissued } from "../../../protocol/evidence/simulated.ts";
import type { Connection } from "../../support/charter.ts";
import { deployCollateral, put, putAll } from "./support/collateral.ts";
import { openChainAt } from "./support/verifier.ts";

const CA = pki.file.platformCa;
const ROOT = pki.file.root;
const AUTHORITY_KEY_ID = "2.5.29.35";
const KEY_USAGE = "2.5.29.15";
const BASIC_CONSTRAINTS = "2.5.29.19";
const PROCESSOR = "Intel SGX PCK Processor CA";

interface Scene {
  readonly collateral: DcapCollateral;
  readonly verifier: DcapVerifier;
}
type Send = (on: Scene) => Promise<unknown>;

const issue = (options: Partial<CollateralOptions> = {}): IssuedCollateral =>
  issueCollateral(pki, { at: AT - 30, ...options });
const putCertificate =
  (bytes: Uint8Array): Send =>
  ({ collateral }) =>
    put(collateral, { functionName: "putCertificate", args: [toHex(bytes)] });
const putCrl =
  (bytes: Uint8Array): Send =>
  ({ collateral }) =>
    put(collateral, { functionName: "putCrl", args: [toHex(bytes)] });
const document =
  (functionName: "putTcbInfo" | "putQeIdentity", text: string, key = pki.signing.key): Send =>
  ({ collateral }) =>
    put(collateral, {
      functionName,
      args: [toHex(Buffer.from(text)), toHex(signRaw(key, Buffer.from(text)))],
    });
/** A first quote of a TD whose PCK certificate is this. */
const quoteUnder =
  (pck: Uint8Array): Send =>
  async ({ verifier }) =>
    verifier.verifyQuote(encodeFirstQuote(await quoteOf({}, chained(pck, CA, ROOT)), "whole"));
const crl = (issuer: Issuer): Buffer =>
  issueCrl({ issuer, number: AT, thisUpdate: AT - 20, nextUpdate: AT + 86_400, revokedSerials: [] });
const ca = (over: Parameters<typeof certificate>[0] | object = {}): Buffer =>
  certificate({ issuer: pki.root, ca: 0, notBefore: AT - 900, ...over });
const without = (id: string): Buffer =>
  withExtensions(ca(), pki.root.key, (list) => list.filter((each) => !each.includes(der.objectId(id))));
const twice = (signed: Uint8Array, key: Issuer["key"], id: string): Buffer =>
  withExtensions(signed, key, (list) => [
    ...list,
    list.find((each) => each.includes(der.objectId(id))) as Buffer,
  ]);
const withSerial = (signed: Uint8Array, key: Issuer["key"], ...serial: number[]): Buffer =>
  reshaped(signed, key, ([version, , ...rest]) => [version as Buffer, Buffer.from(serial), ...rest]);

/** An intermediate with the real CA's name, key ids and serial, but a forger's key and signature. */
function forgedCa(): Buffer {
  const forged = createPublicKey(keyOf("forged CA")).export({ type: "spki", format: "der" });
  return reshaped(firstOf(CA), keyOf("nobody"), (fields) => [
    ...fields.slice(0, 6),
    forged,
    fields[7] as Buffer,
  ]);
}

/** A leaf that says the real CA issued it, with that CA's key id, by a forger's key. */
function forgedLeaf(): Buffer {
  const bare = pckCertificate({ issuer: { ...pki.platformCa, key: keyOf("forged CA") } });
  const [theirs] = [pckCertificate()].map((one) => extensionOf(one, AUTHORITY_KEY_ID));
  return withExtensions(bare, keyOf("forged CA"), (list) =>
    list.map((each) => (each.includes(der.objectId(AUTHORITY_KEY_ID)) ? (theirs as Buffer) : each)),
  );
}
function extensionOf(signed: Uint8Array, id: string): Buffer {
  let found: Buffer | undefined;
  withExtensions(signed, pki.platformCa.key, (list) => {
    found = list.find((each) => each.includes(der.objectId(id)));
    return list;
  });
  if (!found) throw new Error(`no extension ${id}`);
  return found;
}

const text = (
  which: "tcb_info" | "qe_identity",
  change: (document: Record<string, unknown>) => void,
): string => reissued(which, change, issue())[which];

/** What anybody may try, by the attack's name; and the error that stops it. */
const ATTACKS: Readonly<Record<string, Readonly<Record<string, readonly [send: Send, error: string]>>>> = {
  "a forged intermediate with the real CA's key id": {
    "as a certificate": [putCertificate(forgedCa()), "BadSignature"],
    "as the issuer of a leaf": [quoteUnder(forgedLeaf()), "PckSignatureInvalid"],
  },
  "a leaf signed by a leaf": {
    "under the leaf's name": [
      quoteUnder(
        pckCertificate({
          issuer: { name: "Intel SGX PCK Certificate", key: platform.pckKey },
          key: keyOf("second"),
        }),
      ),
      "BadCertificate",
    ],
    "under the CA's name": [
      quoteUnder(pckCertificate({ issuer: { ...pki.platformCa, key: platform.pckKey } })),
      "PckSignatureInvalid",
    ],
    "the leaf as a CA": [putCertificate(pckCertificate()), "BadCertificate"],
    "a CA's certificate by the leaf": [
      putCertificate(ca({ issuer: { ...pki.root, key: platform.pckKey } })),
      "BadSignature",
    ],
  },
  "the CA flag missing": {
    "a leaf's constraints": [
      putCertificate(certificate({ issuer: pki.root, notBefore: AT - 900 })),
      "WrongSubject",
    ],
    "no constraints": [putCertificate(without(BASIC_CONSTRAINTS)), "BadCertificate"],
    "no key usage": [putCertificate(without(KEY_USAGE)), "BadCertificate"],
    "a PCK certificate that is a CA": [quoteUnder(pckCertificate({ ca: 0 })), "BadCertificate"],
    "a signer of documents that is a CA": [
      putCertificate(ca({ subject: pki.signing.name, key: pki.signing.key })),
      "WrongSubject",
    ],
  },
  "the wrong curve": {
    "a CA on P-384": [putCertificate(ca({ key: keyOf("CA", "P-384") })), "BadCertificate"],
    "a root on P-384": [
      putCertificate(ca({ issuer: { ...pki.root, key: keyOf("root", "P-384") } })),
      "BadCertificate",
    ],
    "a leaf on P-384": [quoteUnder(pckCertificate({ key: keyOf("PCK", "P-384") })), "BadCertificate"],
    "a CRL by P-384": [putCrl(crl({ ...pki.platformCa, key: keyOf("CA", "P-384") })), "BadCertificate"],
  },
  "extensions that stand twice": {
    "key usage of a CA": [putCertificate(twice(ca(), pki.root.key, KEY_USAGE)), "BadCertificate"],
    "constraints of a CA": [putCertificate(twice(ca(), pki.root.key, BASIC_CONSTRAINTS)), "BadCertificate"],
    "key usage of a leaf": [
      quoteUnder(twice(pckCertificate(), pki.platformCa.key, KEY_USAGE)),
      "BadCertificate",
    ],
    "SGX extensions": [
      quoteUnder(twice(pckCertificate(), pki.platformCa.key, SGX_EXTENSIONS)),
      "BadCertificate",
    ],
    "number of a CRL": [
      putCrl(
        reshaped(crl(pki.platformCa), pki.platformCa.key, (fields) => {
          const number = der.sequence(der.objectId("2.5.29.20"), der.octets(der.integer(AT)));
          return [...fields.slice(0, -1), der.tagged(0, der.sequence(number, number))];
        }),
      ),
      "BadCertificate",
    ],
  },
  "DER that is not minimal": {
    "serial of a CA": [putCertificate(withSerial(ca(), pki.root.key, 2, 2, 0, 0x41)), "BadCertificate"],
    "length in a CA": [putCertificate(withSerial(ca(), pki.root.key, 2, 0x81, 1, 0x41)), "BadCertificate"],
    "serial of a leaf": [
      quoteUnder(withSerial(pckCertificate(), pki.platformCa.key, 2, 2, 0, 0x41)),
      "BadCertificate",
    ],
    "length in a leaf": [
      quoteUnder(withSerial(pckCertificate(), pki.platformCa.key, 2, 0x81, 1, 0x41)),
      "BadCertificate",
    ],
    "version of a CRL": [
      putCrl(
        reshaped(crl(pki.platformCa), pki.platformCa.key, ([, ...rest]) => [
          Buffer.from([2, 2, 0, 1]),
          ...rest,
        ]),
      ),
      "BadCertificate",
    ],
  },
  "trailing bytes": {
    "behind a CA": [putCertificate(Buffer.concat([ca(), Buffer.of(0)])), "BadCertificate"],
    "behind a leaf": [quoteUnder(Buffer.concat([pckCertificate(), Buffer.of(0)])), "BadCertificate"],
    "behind a CRL": [putCrl(Buffer.concat([crl(pki.platformCa), Buffer.of(0)])), "BadCertificate"],
    "behind TCB info": [document("putTcbInfo", `${issue().tcb_info} `), "BadJson"],
    "behind a QE identity": [document("putQeIdentity", `${issue().qe_identity}\n`), "BadJson"],
  },
  // The chain takes DER: there is no text around a certificate that could say anything.
  PEM: {
    "a CA's": [putCertificate(Buffer.from(CA)), "BadCertificate"],
    "with a comment": [
      putCertificate(Buffer.from(`subject=CN = Intel SGX PCK Platform CA\n${CA}`)),
      "BadCertificate",
    ],
  },
  "a CRL of another issuer": {
    "of a CA that is none": [putCrl(crl({ ...pki.root, name: "Intel SGX Root" })), "WrongIssuer"],
    "the root's name by the CA's key": [
      putCrl(crl({ ...pki.root, key: pki.platformCa.key })),
      "BadSignature",
    ],
    "the CA's name by the root's key": [
      putCrl(crl({ ...pki.platformCa, key: pki.root.key })),
      "BadSignature",
    ],
    "of a CA that nobody brought": [
      putCrl(crl({ name: PROCESSOR, key: pki.platformCa.key })),
      "CollateralMissing",
    ],
  },
  "documents by another signer": {
    "TCB info by the PCK CA": [document("putTcbInfo", issue().tcb_info, pki.platformCa.key), "BadSignature"],
    "QE identity by the PCK CA": [
      document("putQeIdentity", issue().qe_identity, pki.platformCa.key),
      "BadSignature",
    ],
    "TCB info by a PCK": [document("putTcbInfo", issue().tcb_info, platform.pckKey), "BadSignature"],
    "TCB info by the root": [document("putTcbInfo", issue().tcb_info, pki.root.key), "BadSignature"],
    "QE identity in the place of TCB info": [document("putTcbInfo", issue().qe_identity), "BadJson"],
  },
  "a QE identity of the wrong kind": {
    "of the quote verification enclave": [
      document(
        "putQeIdentity",
        text("qe_identity", (identity) => {
          identity["id"] = "QVE";
        }),
      ),
      "BadJson",
    ],
    // It is kept as what it is: for enclaves, of which there is no TCB info here.
    "an enclave's quote by the TD quoting enclave's": [
      async ({ verifier }) => verifier.verifyQuote(encodeFirstQuote(await makeQuote("sgx3"))),
      "CollateralMissing",
    ],
  },
  "an old evaluation number": {
    "of TCB info": [
      document(
        "putTcbInfo",
        text("tcb_info", (info) => {
          info["tcbEvaluationDataNumber"] = 17;
        }),
      ),
      "EvaluationNumberTooLow",
    ],
    "of a QE identity": [
      document(
        "putQeIdentity",
        text("qe_identity", (identity) => {
          identity["tcbEvaluationDataNumber"] = 17;
        }),
      ),
      "EvaluationNumberTooLow",
    ],
  },
};

describe("attacks on chains of certificates, on chain", function () {
  this.timeout(60_000);
  let connection: Connection;
  let on: Scene;
  before(async () => {
    connection = await openChainAt(AT);
    const [owner] = await connection.ethers.getSigners();
    const collateral = await deployCollateral(connection, owner?.address ?? "", ROOT);
    await putAll(collateral, issueCollateral(pki, { at: AT - 60 }));
    const deployed = await connection.ethers.deployContract("DcapVerifier", [await collateral.getAddress()]);
    on = { collateral, verifier: deployed as unknown as DcapVerifier };
  });
  after(() => connection.close());

  it("startFromPiecesThatAreTaken_whenMadeHonestlyByTheSameMeans", async () => {
    const snapshot = await connection.networkHelpers.takeSnapshot();
    const honest: readonly Send[] = [
      putCertificate(ca()),
      putCrl(crl(pki.platformCa)),
      document(
        "putTcbInfo",
        text("tcb_info", () => undefined),
      ),
      document(
        "putQeIdentity",
        text("qe_identity", () => undefined),
      ),
      quoteUnder(pckCertificate()),
    ];
    for (const send of honest) await send(on);
    expect(await on.verifier.recordCount()).to.equal(1n);
    await snapshot.restore();
  });

  for (const [attack, ways] of Object.entries(ATTACKS)) {
    for (const [way, [send, error]] of Object.entries(ways)) {
      it(`${attack.replaceAll(" ", "_")}_${way.replaceAll(" ", "_")}_reverts${error}`, async () => {
        const contract = on.verifier.interface.getError(error) ? on.verifier : on.collateral;
        await expect(send(on)).to.be.revertedWithCustomError(contract, error);
        expect(await on.verifier.recordCount()).to.equal(0n);
      });
    }
  }

  it("aQuoteOfATd_withOnlyTheEnclavesIdentityKept_reverts", async () => {
    const [owner] = await connection.ethers.getSigners();
    const collateral = await deployCollateral(connection, owner?.address ?? "", ROOT);
    // Everything of a TD's but its quoting enclave's identity, which is that of enclaves.
    const [td, enclave] = [collateralCalls(issue()), collateralCalls(issue({ tee: "sgx" }))];
    for (const call of [...td.filter((one) => one.functionName !== "putQeIdentity"), ...enclave])
      await put(collateral, call);
    const deployed = await connection.ethers.deployContract("DcapVerifier", [await collateral.getAddress()]);
    const verifier = deployed as unknown as DcapVerifier;
    await verifier.verifyQuote(encodeFirstQuote(await makeQuote("sgx3")));
    await expect(verifier.verifyQuote(encodeFirstQuote(await quoteOf()))).to.be.revertedWithCustomError(
      collateral,
      "CollateralMissing",
    );
  });
});
