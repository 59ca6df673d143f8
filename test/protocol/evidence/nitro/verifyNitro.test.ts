import { expect } from "chai";

import { webCrypto } from "../../../../protocol/crypto/web.ts";
import { parseNitroDocument } from "../../../../protocol/evidence/nitro/parseDocument.ts";
import type { VerifyNitroOptions } from "../../../../protocol/evidence/nitro/verifyNitro.ts";
import { toHex } from "../../../../protocol/words/hex.ts";
import { issueCertificate } from "../../../../worker/tee/simulator/certificate.ts";
import { deriveKey } from "../../../../worker/tee/simulator/keys.ts";
import * as cbor from "../../../../worker/tee/simulator/nitro/cbor.ts";
import {
  NITRO_IMAGE,
  SimulatedNitro,
  type NitroDefects,
} from "../../../../worker/tee/simulator/nitro/SimulatedNitro.ts";
import { hasVectors, itOnVectors } from "../../../support/vectors.ts";
import { failedCheck } from "../simulated.ts";
import { AT, attest, FROM, nitroVector, otherPki, pki, VECTOR_TIMES, verify } from "./simulatedNitro.ts";

const userData = new Uint8Array(64).fill(3);
const refusedBy = (defects: NitroDefects, options: Parameters<typeof verify>[1] = {}): Promise<string> =>
  failedCheck(verify(attest(defects, { userData }), options));

describe("a simulated enclave's document", () => {
  it("is accepted under its test root, with what is bound in it", async () => {
    const nonce = new Uint8Array(20).fill(4);
    const publicKey = new Uint8Array(91).fill(5);
    const verified = await verify(attest({}, { userData, nonce, publicKey }));
    expect(verified).to.include({ kind: "nitro", platformId: null, simulated: true, validFrom: FROM });
    expect(verified.validUntil).to.equal(FROM + 3 * 3_600);
    const { document } = verified;
    expect(
      [document.userData, document.nonce, document.publicKey].map((one) => one && toHex(one)),
    ).to.deep.equal([userData, nonce, publicKey].map(toHex));
    expect([0, 1, 2].map((i) => toHex(document.pcrs.get(i) ?? new Uint8Array()))).to.deep.equal(
      NITRO_IMAGE.map(toHex),
    );
    expect(document.moduleId).to.match(/^i-[0-9a-f]+-enc[0-9a-f]+$/);
  });

  it("gives the same answer on WebCrypto, and with COSE's tag before it", async () => {
    const document = attest();
    expect(await verify(document, { crypto: webCrypto })).to.deep.equal(await verify(document));
    expect((await verify(attest({ tagged: true }))).kind).to.equal("nitro");
  });

  it("is refused as debug where its PCRs are zero, and where the image's are missing", async () => {
    expect(await refusedBy({ debug: true })).to.equal("nitro-debug");
    expect(await refusedBy({ pcrs: [[3, new Uint8Array(48).fill(1)]] })).to.equal("nitro-pcrs");
  });

  it("is refused under another root, though the names are the same", async () => {
    expect(await refusedBy({}, { roots: [] })).to.equal("root-pinned");
    const theirs = new SimulatedNitro(otherPki).attest();
    expect(await failedCheck(verify(theirs))).to.equal("root-pinned");
    // Real root behind a forged region: the key of the forger, the name of the CA.
    const [rootDer] = pki.cabundle as readonly [Uint8Array];
    expect(await refusedBy({ cabundle: [rootDer, ...otherPki.cabundle.slice(1)] })).to.equal(
      "nitro-chain-signatures",
    );
  });

  it("is refused by another key, and with any part of its chain missing, swapped or of another curve", async () => {
    expect(await refusedBy({ key: deriveKey(pki.secret, "somebody", "P-384") })).to.equal("nitro-signature");
    const [first, second, third, fourth] = pki.cabundle as readonly [
      Uint8Array,
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ];
    for (const cabundle of [
      [first, second, fourth],
      [first, third, second, fourth],
      [second, third, fourth],
      [first, second, third, fourth, fourth],
      [first],
    ]) {
      expect(await refusedBy({ cabundle })).to.be.oneOf(["nitro-chain", "root-pinned"]);
    }
    const p256 = issueCertificate({
      issuer: { name: "aws.nitro-enclaves", key: deriveKey(pki.secret, "aws.nitro-enclaves", "P-384") },
      subject: "d3c9df74fdeb2ba5.us-east-1.aws.nitro-enclaves",
      key: deriveKey(pki.secret, "small"),
      serial: Uint8Array.of(7),
      notBefore: FROM,
      notAfter: FROM + 86_400,
      ca: 2,
    });
    expect(await refusedBy({ cabundle: [first, p256, third, fourth] })).to.equal("nitro-chain");
    expect(await refusedBy({ leafIsCa: true })).to.equal("nitro-chain");
  });

  it("is refused before and after its certificates, too old for the caller, and from the future", async () => {
    expect(await refusedBy({}, { at: FROM - 1 })).to.equal("validity");
    expect(await refusedBy({}, { at: FROM + 3 * 3_600 })).to.equal("validity");
    expect(await refusedBy({}, { maxAgeSeconds: 3_598 })).to.equal("nitro-age");
    expect(await refusedBy({}, { maxAgeSeconds: 3_599 })).to.equal("none");
    expect(await refusedBy({ timestamp: (AT + 61) * 1000 })).to.equal("nitro-time");
    expect(await refusedBy({ timestamp: (AT + 60) * 1000 })).to.equal("none");
    expect(await refusedBy({ timestamp: (FROM - 1) * 1000 })).to.equal("nitro-time");
  });

  it("is refused in any form but AWS's", async () => {
    const defects: NitroDefects[] = [
      { header: Buffer.from("a10126", "hex") }, // ES256
      { header: Buffer.from("a0", "hex") },
      { header: Buffer.from("a20138220140", "hex") },
      { unprotected: Buffer.from("a1013822", "hex") },
      { extra: [["module_id", cbor.text("another")]] },
      { extra: [["digest", cbor.text("SHA384")]] },
      { extra: [["more", cbor.uint(1)]] },
      ...["module_id", "digest", "timestamp", "pcrs", "certificate", "cabundle"].map((name) => ({
        without: [name],
      })),
      { pcrs: [[0, new Uint8Array(32)]] },
      { pcrs: [[32, new Uint8Array(48)]] },
      {
        pcrs: [
          [0, new Uint8Array(48)],
          [0, new Uint8Array(48)],
        ],
      },
      { cabundle: [] },
      { cabundle: Array.from({ length: 10 }, () => pki.cabundle[0] as Uint8Array) },
    ];
    for (const [i, defect] of defects.entries()) {
      expect(await refusedBy(defect), `defect ${i}`).to.equal("nitro-format");
    }
    expect(await failedCheck(verify(attest({}, { userData: new Uint8Array(513) })))).to.equal("nitro-format");
    expect(await failedCheck(verify(Buffer.concat([attest(), Buffer.alloc(1)])))).to.equal("nitro-format");
    expect(await failedCheck(verify(Buffer.alloc(20_000, 0x84)))).to.equal("nitro-format");
  });

  it("is refused cut off anywhere, and with any byte flipped", async function () {
    this.timeout(60_000);
    const document = attest({}, { userData });
    for (let length = 0; length < document.length; length++) {
      expect(() => parseNitroDocument(document.subarray(0, length)))
        .to.throw()
        .with.property("check", "nitro-format");
    }
    // Every byte of the real document below, where it is there; else every byte of this one.
    await requireFlips(document, hasVectors ? 13 : 1, {});
  });
});

describe("real Nitro documents", () => {
  itOnVectors("the production enclave is accepted under AWS's root", async () => {
    const document = nitroVector("attestation");
    const verified = await verify(document, { at: VECTOR_TIMES.attestation + 1, roots: undefined as never });
    expect(verified).to.include({ simulated: false, root: "AWS Nitro Enclaves Root G1" });
    expect(toHex(verified.document.userData ?? new Uint8Array())).to.equal(`0x${"00".repeat(64)}`);
    const onWeb = await verify(document, {
      at: VECTOR_TIMES.attestation + 1,
      roots: undefined as never,
      crypto: webCrypto,
    });
    expect(onWeb).to.deep.equal(verified);
  });

  itOnVectors("the debug enclave is refused as debug", async () => {
    const at = VECTOR_TIMES["attestation-debug"] + 1;
    const result = verify(nitroVector("attestation-debug"), { at, roots: undefined as never });
    expect(await failedCheck(result)).to.equal("nitro-debug");
  });

  it("no flipped byte of the production enclave's document is accepted", async function () {
    if (!hasVectors) return this.skip();
    this.timeout(60_000);
    const document = nitroVector("attestation");
    const options = { at: VECTOR_TIMES.attestation + 1, roots: undefined as never };
    await requireFlips(document, 1, options);
  });
});

/**
 * COSE_Sign1 (RFC 9052 §4.2) is an array of protected header, unprotected header, payload and signature: what each byte's
 * range may be refused by. A byte of the payload may be a certificate's, which then does not read, link or hold.
 */
async function requireFlips(
  document: Uint8Array,
  step: number,
  options: Partial<VerifyNitroOptions>,
): Promise<void> {
  const signature = document.length - 96;
  const payload = ["nitro-format", "nitro-chain", "nitro-chain-signatures", "root-pinned", "nitro-signature"];
  for (let offset = 0; offset < document.length; offset += step) {
    const flipped = Uint8Array.from(document);
    flipped[offset] = (flipped[offset] as number) ^ 1;
    const isHead = offset < 10 || (offset >= signature - 2 && offset < signature);
    const checks = isHead ? ["nitro-format"] : offset >= signature ? ["nitro-signature"] : payload;
    expect(await failedCheck(verify(flipped, options)), `byte ${offset}`).to.be.oneOf(checks);
  }
}
