import { expect } from "chai";

import { nodeCrypto } from "../../../../protocol/crypto/node.ts";
import { webCrypto } from "../../../../protocol/crypto/web.ts";
import { DerReader, Tag } from "../../../../protocol/der/DerReader.ts";
import { parseCertificate, type Certificate } from "../../../../protocol/der/certificate.ts";
import { ocspAnswers } from "../../../../protocol/evidence/gpu/ocsp/ocspAnswers.ts";
import { ocspRequest } from "../../../../protocol/evidence/gpu/ocsp/ocspRequest.ts";
import { readCertId } from "../../../../protocol/evidence/gpu/ocsp/certId.ts";
import { fromHex, toHex } from "../../../../protocol/words/hex.ts";
import { deriveKey } from "../../../../worker/tee/simulator/keys.ts";
import {
  issuerHashes,
  ocspResponder,
  refuseOcsp,
  type OcspOptions,
  type OcspState,
} from "../../../../worker/tee/simulator/gpu/ocsp.ts";
import { refusalOf } from "../../../support/refusal.ts";
import { random } from "../../../support/random.ts";
import { mutatedBytes } from "../../../support/mutation.ts";
import { failedCheck } from "../simulated.ts";
import {
  chain,
  issuer,
  issuerCertificate,
  judge,
  NONCE,
  otherIssuers,
  response,
  serial,
} from "./simulatedOcsp.ts";
import { AT, gpu, NONCE as GPU_NONCE, otherPki, pki, verify } from "./simulatedGpu.ts";

const DAY = 86_400;
const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31);
const serialBytes = fromHex(serial);
const states = (...all: OcspState[]): OcspOptions["states"] => all.map((state) => [serialBytes, state]);
const refusal = (defects: Partial<OcspOptions>, options: Parameters<typeof judge>[1] = {}): Promise<string> =>
  failedCheck(judge(response(defects), options));

describe("an OCSP response", () => {
  it("says good, revoked, on hold and unknown, with the time and the reason", async () => {
    const said = async (state: OcspState) => (await judge(response({ states: states(state) }))).answers[0];
    expect(await said("good")).to.include({ status: "good", serial, revokedAt: null, reason: null });
    expect(await said("revoked")).to.include({ status: "revoked", revokedAt: AT, reason: 5 });
    expect(await said("hold")).to.include({ status: "hold", revokedAt: AT, reason: 6 });
    expect(await said("unknown")).to.include({ status: "unknown", revokedAt: null, reason: null });
  });

  it("is verified alike in browsers, by the responder's name or key, and by the issuer itself", async () => {
    const byKey = response();
    const verified = await judge(byKey);
    expect(verified).to.include({ validFrom: AT, validUntil: AT + DAY });
    expect(await judge(byKey, { crypto: webCrypto })).to.deep.equal(verified);
    const itself = { name: issuer.name, key: issuer.key };
    for (const by of ["key", "name"] as const) {
      expect((await judge(response({ by }))).answers).to.deep.equal(verified.answers);
      expect((await judge(response({ by, responder: itself }))).answers).to.deep.equal(verified.answers);
      // The issuer's certificate may come along, needed or not.
      const along = response({ by, responder: { ...itself, certificate: issuerCertificate.raw } });
      expect((await judge(along)).answers).to.deep.equal(verified.answers);
    }
  });

  it("holds while it and its responder's certificate do", async () => {
    const bytes = response();
    expect((await judge(bytes, { at: AT + DAY - 1 })).answers[0]?.status).to.equal("good");
    expect(await failedCheck(judge(bytes, { at: AT + DAY }))).to.equal("ocsp-validity");
    expect(await failedCheck(judge(bytes, { at: AT - 1 }))).to.equal("ocsp-validity");
    const early = await judge(bytes, { at: AT - 60, leadSeconds: 60 });
    expect(early).to.include({ validFrom: AT - 60, validUntil: AT + DAY });
    expect(await failedCheck(judge(bytes, { at: AT - 61, leadSeconds: 60 }))).to.equal("ocsp-validity");
    const responder = ocspResponder(pki, issuer, { notAfter: AT + 60 });
    expect((await judge(response({ responder }))).validUntil).to.equal(AT + 60);
    expect(await refusal({ responder }, { at: AT + 60 })).to.equal("ocsp-validity");
  });

  it("without an end is refused: it could be shown for ever", async () => {
    expect(await refusal({ nextUpdate: null })).to.equal("ocsp-format");
  });

  it("is refused for another responder", async () => {
    const stranger = deriveKey(pki.secret, "stranger", "P-384");
    const cases: Record<string, [Partial<OcspOptions>, string]> = {
      "a signature by another key": [{ key: stranger }, "ocsp-signature"],
      "a signature by a key of another curve": [
        { key: deriveKey(pki.secret, "small", "P-256") },
        "ocsp-signature",
      ],
      "a responder's key of another curve": [
        {
          responder: ocspResponder(pki, issuer, { key: deriveKey(pki.secret, "small", "P-256") }),
        },
        "ocsp-signature",
      ],
      "no certificate of it": [{ responder: { name: "nobody", key: stranger } }, "ocsp-responder"],
      "a responder of another issuer, the root": [
        { responder: ocspResponder(pki, otherIssuers.root) },
        "ocsp-responder-issued",
      ],
      "a responder of another issuer, below": [
        { responder: ocspResponder(pki, otherIssuers.provisioner) },
        "ocsp-responder-issued",
      ],
      "another vendor's of the same names": [
        { responder: ocspResponder(otherPki, otherPki.cas[1]) },
        "ocsp-responder-issued",
      ],
      "a certificate for nothing": [
        { responder: ocspResponder(pki, issuer, { purposes: [] }) },
        "ocsp-responder-use",
      ],
      "a certificate for other purposes": [
        { responder: ocspResponder(pki, issuer, { purposes: ["1.3.6.1.5.5.7.3.1", "2.5.29.37.0"] }) },
        "ocsp-responder-use",
      ],
      "a CA that the issuer certified": [
        {
          responder: {
            ...otherIssuers.provisioner,
            certificate: (chain[2] as Certificate).raw,
          },
        },
        "ocsp-responder-use",
      ],
    };
    for (const [what, [defects, code]] of Object.entries(cases)) {
      expect(await refusal(defects), what).to.equal(code);
      expect(await refusal({ ...defects, by: "name" }), `${what}, by name`).to.equal(code);
    }
    const certificate = Buffer.from("3003020105", "hex");
    expect(await refusal({ certificates: [certificate] })).to.equal("ocsp-certificates");
    const five = Array.from({ length: 5 }, () => issuerCertificate.raw);
    expect(await refusal({ certificates: five })).to.equal("ocsp-format");
  });

  it("for another certificate, for another issuer's, for more or for fewer is no answer", async () => {
    const other = fromHex((chain[1] as Certificate).serial);
    expect(await refusal({ states: [[other, "good"]] })).to.equal("ocsp-certificate");
    expect(
      await refusal({
        states: [
          [serialBytes, "good"],
          [other, "good"],
        ],
      }),
    ).to.equal("ocsp-certificate");
    expect(await refusal({ states: states("good", "revoked") })).to.equal("ocsp-certificate");
    expect(await refusal({ states: [] })).to.equal("ocsp-certificate");
    // Signed by the right responder, about a certificate of this serial of another issuer.
    const responder = ocspResponder(pki, issuer);
    expect(await refusal({ issuer: otherIssuers.provisioner, responder })).to.equal("ocsp-certificate");
    // And to ask for nothing, or twice for one, is to learn nothing.
    expect(await refusal({ states: [] }, { serials: [] })).to.equal("ocsp-certificate");
    expect(await refusal({ states: states("good", "good") }, { serials: [serial, serial] })).to.equal(
      "ocsp-certificate",
    );
  });

  it("to another request is refused by its nonce", async () => {
    const nonce = new Uint8Array(32).fill(1);
    const none = response({ nonce: undefined } as unknown as Partial<OcspOptions>);
    expect(await refusal({ nonce })).to.equal("ocsp-nonce");
    expect(await refusal({ nonce }, { allowCached: true })).to.equal("ocsp-nonce");
    expect(await refusal({ nonce: NONCE.subarray(1) })).to.equal("ocsp-nonce");
    expect(await failedCheck(judge(none))).to.equal("ocsp-nonce");
    expect((await judge(none, { allowCached: true })).answers[0]?.status).to.equal("good");
  });

  it("that refuses to answer is named by its status", async () => {
    for (const [status, name] of [
      [1, "malformedRequest"],
      [3, "tryLater"],
      [6, "unauthorized"],
    ] as const) {
      const error = await judge(refuseOcsp(status)).catch((cause: unknown) => cause);
      expect(error).to.include({ code: "evidence/ocsp-status" });
      expect((error as { details: unknown }).details).to.deep.equal({ actual: name });
    }
  });

  it("is refused with bytes behind it, without its end, and where it is none", async () => {
    const bytes = response();
    const changed = [
      new Uint8Array(),
      Buffer.concat([bytes, Buffer.alloc(1)]),
      bytes.subarray(0, -1),
      Buffer.from("<html>", "latin1"),
      Buffer.from("300a0a0100", "hex"),
      Buffer.from("30030a0104", "hex"),
      Buffer.from("30030a0100", "hex"),
      new Uint8Array(100_000).fill(0x30),
    ];
    for (const one of changed) expect(await failedCheck(judge(one))).to.equal("ocsp-format");
  });

  it("is never good with any byte of it changed", async () => {
    // All of it is signed, or a signature, or a certificate that is signed, or DER that has one form.
    for (const state of ["good", "hold"] as const) {
      const bytes = response({ states: states(state) });
      for (let i = 0; i < bytes.length; i++) {
        for (const bit of [0x01, 0x80]) {
          const copy = Uint8Array.from(bytes);
          copy[i] = (copy[i] as number) ^ bit;
          expect(await failedCheck(judge(copy)), `byte ${i} ^ ${bit}`).to.match(/^ocsp-/);
        }
      }
    }
  }).timeout(120_000);

  it(`gives typed refusals whatever is cut, repeated or put in (SEED=${seed})`, async () => {
    const choose = random(seed);
    const bytes = response();
    for (let i = 0; i < 500; i++) {
      const copy = mutatedBytes(bytes, choose);
      if (Buffer.from(copy).equals(bytes)) continue;
      expect(await failedCheck(judge(copy)), `SEED=${seed} ${i}`).to.match(/^ocsp-/);
    }
  }).timeout(60_000);
});

describe("an OCSP request", () => {
  it("names the issuer by hashes, each certificate by its serial, and brings the nonce", async () => {
    const serials = [serial, "0x80", "0x00"];
    const bytes = await ocspRequest(issuerCertificate, serials, NONCE, nodeCrypto);
    const outer = new DerReader(bytes);
    const tbs = outer.enter(Tag.Sequence).enter(Tag.Sequence);
    outer.end();
    const list = tbs.enter(Tag.Sequence);
    const hashes = issuerHashes(issuer);
    for (const expected of serials) {
      const request = list.enter(Tag.Sequence);
      expect(readCertId(request)).to.deep.equal({
        nameHash: toHex(hashes.name),
        keyHash: toHex(hashes.key),
        serial: expected,
      });
      request.end();
    }
    list.end();
    const extensions = tbs.enter(0xa2).enter(Tag.Sequence).enter(Tag.Sequence);
    tbs.end();
    extensions.read(Tag.ObjectId);
    expect(toHex(extensions.read(Tag.OctetString).content)).to.equal(`0x0420${"77".repeat(32)}`);
    extensions.end();
  });

  it("asks for something, with a nonce", async () => {
    for (const [serials, nonce] of [
      [[], NONCE],
      [[serial], new Uint8Array()],
      [[serial], new Uint8Array(33)],
      [Array(17).fill(serial), NONCE],
    ] as const) {
      const error = await ocspRequest(issuerCertificate, serials, nonce, nodeCrypto).catch(
        (cause: unknown) => cause,
      );
      expect(error).to.be.instanceOf(RangeError);
    }
  });
});

describe("OCSP responses for a GPU's chain", () => {
  const issuers = [...pki.cas].reverse();
  /** One response per certificate between leaf and root, as the service gives them. */
  const answers = async (changed?: number, state: OcspState = "good", until = AT + DAY) =>
    ocspAnswers(
      await Promise.all(
        issuers.map((by, i) => {
          const subject = chain[i + 1] as Certificate;
          const bytes = response({
            issuer: by,
            responder: ocspResponder(pki, by),
            states: [[fromHex(subject.serial), i === changed ? state : "good"]],
            nextUpdate: i === changed ? until : AT + DAY,
          });
          return judge(bytes, { issuer: chain[i + 2] as Certificate, serials: [subject.serial] });
        }),
      ),
    );

  it("are what its verification takes, until the first of them ends", async () => {
    const verified = await verify(gpu.attest(GPU_NONCE), { ocsp: await answers(1, "good", AT + 500) });
    expect(verified).to.include({ revocation: "good", validUntil: AT + 500 });
  });

  it("refuse it where any certificate is revoked, on hold or unknown, and say which", async () => {
    for (const [i, state] of [
      [0, "revoked"],
      [1, "hold"],
      [2, "unknown"],
    ] as const) {
      const error = await verify(gpu.attest(GPU_NONCE), { ocsp: await answers(i, state) }).catch(
        (cause: unknown) => cause,
      );
      expect(error).to.include({ code: "evidence/gpu-revoked" });
      expect((error as { details: unknown }).details).to.deep.equal({
        bad: [{ serial: (chain[i + 1] as Certificate).serial, status: state }],
      });
    }
  });

  it("count for the worse where two issuers gave one serial", async () => {
    const one = await judge(response());
    const two = await judge(response({ states: states("revoked") }));
    expect(ocspAnswers([one, two]).status).to.deep.equal({ [serial]: "revoked" });
    expect(ocspAnswers([two, one]).status).to.deep.equal({ [serial]: "revoked" });
  });

  it("leave a responder's certificate, with its critical purpose, unreadable elsewhere", () => {
    const { certificate } = ocspResponder(pki, issuer);
    expect(refusalOf(() => parseCertificate(certificate as Uint8Array))).to.equal("der/malformed");
  });
});
