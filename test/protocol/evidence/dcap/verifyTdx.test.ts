import { X509Certificate } from "node:crypto";
import { expect } from "chai";

import { nodeCrypto } from "../../../../protocol/crypto/node.ts";
import {
  EvidenceError,
  parseCollateral,
  testRootFromPem,
  verifyTdx,
} from "../../../../protocol/evidence/index.ts";
import { TcbStatus } from "../../../../protocol/words/enums.ts";
import { deriveKey } from "../../../../worker/tee/simulator/keys.ts";
import { createTestPki } from "../../../../worker/tee/simulator/pki.ts";
import { simulatedPlatform } from "../../../../worker/tee/simulator/platform.ts";
import {
  AT,
  failedCheck,
  issued,
  Offset,
  patched,
  patchedBody,
  patchedQeReport,
  pki,
  platform,
  quoteOf,
  reissued,
  root,
  verify,
} from "../simulated.ts";

const DAY = 86_400;
const hexPair = (text: string) => text.replace(/^../, (pair) => (pair === "00" ? "01" : "00"));

describe("verifyTdx", () => {
  it("accepts a quote under a configured root, and says that it is simulated", async () => {
    const verified = await verify(await quoteOf());
    expect(verified.status).to.equal(TcbStatus.UpToDate);
    expect(verified.simulated).to.equal(true);
    expect(verified.platformId).to.equal(platform.platformId);
    expect(verified.fmspc).to.equal(`0x${platform.fmspc.toLowerCase()}`);
    expect(verified.checks.every((check) => check.ok)).to.equal(true);
  });

  it("gives the intersection of all validity windows", async () => {
    const { validFrom, validUntil } = await verify(await quoteOf());
    expect([validFrom, validUntil]).to.deep.equal([AT, AT + 30 * DAY]);
  });

  it("refuses a test root that nobody configured", async () => {
    const collateral = parseCollateral(issued());
    const result = verifyTdx(await quoteOf(), { collateral, at: AT + 1, crypto: nodeCrypto });
    expect(await failedCheck(result)).to.equal("root-pinned");
  });

  it("allows nothing when the list of roots is empty", async () => {
    expect(await failedCheck(verify(await quoteOf(), issued(), AT + 1, []))).to.equal("root-pinned");
  });

  it("carries the checks that passed and the one that failed", async () => {
    try {
      await verify(await quoteOf({ debug: true }));
      expect.fail("a debug TD must be refused");
    } catch (error) {
      if (!(error instanceof EvidenceError)) throw error;
      expect(error.code).to.equal("evidence/td-debug");
      expect(error.checks.at(-1)).to.deep.include({ name: "td-debug", ok: false });
      expect(error.checks.slice(0, -1).every((check) => check.ok)).to.equal(true);
    }
  });

  describe("time", () => {
    it("refuses collateral past its next update, from that second on", async () => {
      const quote = await quoteOf();
      expect(await failedCheck(verify(quote, issued(), AT + 30 * DAY - 1))).to.equal("none");
      expect(await failedCheck(verify(quote, issued(), AT + 30 * DAY))).to.equal("validity");
    });

    it("refuses collateral that is not issued yet", async () => {
      expect(await failedCheck(verify(await quoteOf(), issued(), AT - 1))).to.equal("validity");
    });

    it("judges each document's dates by themselves", async () => {
      const early = issued();
      const late = issued({ at: AT + DAY });
      const at = AT + 30 * DAY;
      const quote = await quoteOf();
      expect(await failedCheck(verify(quote, late, at))).to.equal("none");
      const outdated = [
        { root_ca_crl: early.root_ca_crl },
        { pck_crl: early.pck_crl },
        { tcb_info: early.tcb_info, tcb_info_signature: early.tcb_info_signature },
        { qe_identity: early.qe_identity, qe_identity_signature: early.qe_identity_signature },
      ];
      for (const part of outdated) {
        const result = verify(quote, { ...late, ...part }, at);
        expect(await failedCheck(result), Object.keys(part)[0]).to.equal("validity");
      }
    });
  });

  describe("revocation", () => {
    it("refuses a revoked PCK certificate", async () => {
      const collateral = issued({ revokedPcks: [platform.pckSerial] });
      expect(await failedCheck(verify(await quoteOf(), collateral))).to.equal("pck-revoked");
    });

    it("refuses any revoked certificate under the root, and a root that revokes itself", async () => {
      for (const pem of [pki.file.platformCa, pki.file.signing, pki.file.root]) {
        const { serialNumber } = new X509Certificate(pem);
        const collateral = issued({ revokedCas: [Buffer.from(serialNumber, "hex")] });
        expect(await failedCheck(verify(await quoteOf(), collateral))).to.equal("ca-revoked");
      }
    });
  });

  describe("signatures and chains", () => {
    it("refuses a whole vendor under another root, and collateral of one vendor for a quote of another", async () => {
      const other = createTestPki({ notBefore: AT - 1000 });
      const theirs = await quoteOf({}, simulatedPlatform(other, { name: "one" }));
      expect(await failedCheck(verify(theirs))).to.equal("root-pinned");
      const both = [root, testRootFromPem(other.file.root)];
      expect(await failedCheck(verify(theirs, issued(), AT + 1, both))).to.equal("collateral-root");
    });

    it("refuses documents whose signature is not the signer's", async () => {
      for (const which of ["tcb_info", "qe_identity"] as const) {
        const name = `${which}_signature` as const;
        const own = issued();
        const collateral = { ...own, [name]: hexPair(own[name]) };
        const check = `${which.replace("_", "-")}-signature`;
        expect(await failedCheck(verify(await quoteOf(), collateral))).to.equal(check);
      }
    });

    it("refuses an attestation key that the quoting enclave did not bind", async () => {
      const stranger = deriveKey(pki.secret, "stranger");
      expect(await failedCheck(verify(await quoteOf({ signingKey: stranger })))).to.equal("quote-signature");
      const swapped = { ...platform, attestationKey: stranger };
      const quote = await quoteOf();
      const theirs = await quoteOf({}, swapped);
      const key = theirs.subarray(Offset.attestationKey, Offset.certification);
      expect(await failedCheck(verify(patched(quote, Offset.attestationKey, key)))).to.equal(
        "qe-report-data",
      );
    });

    it("refuses an attestation key off the curve without an exception", async () => {
      const quote = patched(await quoteOf(), Offset.attestationKey, new Uint8Array(64).fill(1));
      expect(await failedCheck(verify(quote))).to.equal("qe-report-data");
    });
  });

  describe("quoting enclave", () => {
    it("refuses another signer, product or masked attribute, and a debuggable enclave", async () => {
      const quote = await quoteOf();
      const cases = {
        miscSelect: [16, 1],
        attributes: [48, 0x17],
        mrSigner: [128, 1],
        isvProdId: [256, 9],
      } as const;
      for (const [name, [offset, value]] of Object.entries(cases)) {
        expect(await failedCheck(verify(patchedQeReport(quote, offset, [value]))), name).to.equal(
          "qe-identity",
        );
      }
    });

    it("lets bits outside the mask be", async () => {
      // attributesMask of byte 0 is 0xfb: bit 2 (MODE64BIT) may be either.
      expect(await failedCheck(verify(patchedQeReport(await quoteOf(), 48, [0x11])))).to.equal("none");
    });

    it("refuses an SVN below every level, and takes the status of the level that fits", async () => {
      const old = patchedQeReport(await quoteOf(), 258, [3]);
      expect(await failedCheck(verify(old))).to.equal("qe-tcb");
      const withOldLevel = reissued("qe_identity", (document) => {
        (document["tcbLevels"] as unknown[]).push({
          tcb: { isvsvn: 3 },
          tcbDate: "2020-01-01T00:00:00Z",
          tcbStatus: "OutOfDate",
          advisoryIDs: ["INTEL-SA-99999"],
        });
      });
      const verified = await verify(old, withOldLevel);
      expect(verified.status).to.equal(TcbStatus.OutOfDate);
      expect(verified.advisoryIds).to.include("INTEL-SA-99999");
    });
  });

  describe("the TD and its module", () => {
    it("refuses debug and every attribute that opens the TD", async () => {
      const quote = await quoteOf();
      expect(await failedCheck(verify(patchedBody(quote, Offset.tdAttributes, [1])))).to.equal("td-debug");
      // Another untrusted bit; MIGRATABLE (29); a reserved bit.
      for (const [offset, value] of [
        [0, 0x10],
        [3, 0x30],
        [5, 1],
      ] as const) {
        const open = patchedBody(quote, Offset.tdAttributes + offset, [value]);
        expect(await failedCheck(verify(open))).to.equal("td-attributes");
      }
    });

    it("refuses an XFAM without x87 and SSE", async () => {
      expect(await failedCheck(verify(patchedBody(await quoteOf(), Offset.xfam, [0xe4])))).to.equal(
        "td-xfam",
      );
    });

    it("refuses a module with another signer, other attributes or no identity", async () => {
      const quote = await quoteOf();
      for (const [offset, value] of [
        [Offset.mrSignerSeam, 1],
        [Offset.seamAttributes, 1],
        [Offset.body + 1, 9],
      ] as const) {
        expect(await failedCheck(verify(patchedBody(quote, offset, [value])))).to.equal("tdx-module");
      }
    });

    it("judges the module's SVN by its identity's levels", async () => {
      const quote = await quoteOf();
      expect(await failedCheck(verify(patchedBody(quote, Offset.body, [3])))).to.equal("tdx-module-tcb");
      const verified = await verify(patchedBody(quote, Offset.body, [4]));
      expect(verified.status).to.equal(TcbStatus.OutOfDate);
      expect(verified.advisoryIds).to.include("INTEL-SA-01036");
    });
  });

  describe("the platform", () => {
    it("is OutOfDate where its microcode lags behind", async () => {
      const lagging = simulatedPlatform(pki, { name: "old", outOfDate: true });
      const verified = await verify(await quoteOf({}, lagging));
      expect(verified.status).to.equal(TcbStatus.OutOfDate);
      expect(verified.advisoryIds).to.deep.equal([...verified.advisoryIds].sort());
    });

    it("is refused when no level fits", async () => {
      const collateral = reissued("tcb_info", (document) => {
        document["tcbLevels"] = (document["tcbLevels"] as unknown[]).slice(0, 1);
      });
      const lagging = simulatedPlatform(pki, { name: "old", outOfDate: true });
      expect(await failedCheck(verify(await quoteOf({}, lagging), collateral))).to.equal("platform-tcb");
    });

    it("is refused with TCB info of another family", async () => {
      const collateral = reissued("tcb_info", (document) => {
        document["fmspc"] = "000000000000";
      });
      expect(await failedCheck(verify(await quoteOf(), collateral))).to.equal("tcb-info-platform");
    });

    it("counts TDX components from index 2 where the module has a version, and all where it has none", async () => {
      // Version 0: bytes 0 and 1 count. The published levels want 5 at index 0.
      const collateral = reissued("tcb_info", (document) => {
        for (const level of document["tcbLevels"] as { tcb: { tdxtcbcomponents: { svn: number }[] } }[]) {
          (level.tcb.tdxtcbcomponents[0] as { svn: number }).svn = 7;
        }
      });
      const quote = await quoteOf(); // module SVN 6, version 1
      expect(await failedCheck(verify(quote, collateral))).to.equal("none");
      const unversioned = patchedBody(quote, Offset.body + 1, [0]);
      expect(await failedCheck(verify(unversioned, collateral))).to.equal("platform-tcb");
      expect(await failedCheck(verify(unversioned))).to.equal("none");
    });
  });
});
