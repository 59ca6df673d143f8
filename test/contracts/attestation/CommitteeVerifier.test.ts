import { expect } from "chai";
import { Signature, toBeHex, ZeroAddress } from "ethers";

import type { Address } from "../../../protocol/words/hex.ts";
import { verdictDigest } from "../../../protocol/session/verdict.ts";
import type { VerdictMessage } from "../../../protocol/session/messages.ts";
import {
  ascending,
  COMMITTEE_EXPIRES_AT,
  COMMITTEE_NOTICE,
  deployContracts,
  openChain,
  walletOf,
} from "../support/charter.ts";
import { useCharter } from "../support/chains.ts";
import {
  askCommittee,
  COMMITTEE,
  encodeProof,
  nodeVerdict,
  prove,
  signaturesOf,
} from "../support/verdicts.ts";

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

describe("CommitteeVerifier", () => {
  const scene = useCharter(async (charter) => ({
    verifier: charter.committeeVerifier,
    key: walletOf("node"),
  }));

  it("constructor_firstCommittee_emitsWithoutOldMembers", async () => {
    const { charter, verifier } = await scene();
    const addresses = charter.members.map((member) => member.address);
    const deployment = await verifier.deploymentTransaction()?.getBlock();
    const since = BigInt(deployment?.timestamp ?? 0);
    await expect(verifier.deploymentTransaction())
      .to.emit(verifier, "CommitteeChanged")
      .withArgs(
        [],
        0,
        addresses,
        2,
        since,
        COMMITTEE_EXPIRES_AT,
        ZeroAddress,
        ZeroAddress,
        charter.governance.address,
      );
    expect(await verifier.committee()).to.deep.equal([
      addresses,
      2n,
      since,
      COMMITTEE_EXPIRES_AT,
      ZeroAddress,
      ZeroAddress,
    ]);
    expect((await verifier.nextCommittee()).effectiveAt).to.equal(0);
    expect(await verifier.proofSystem()).to.equal(COMMITTEE);
  });

  it("verdictDigest_sameVerdict_equalsTheTwinInProtocol", async () => {
    const { charter, verifier, key } = await scene();
    const verdict = await nodeVerdict(charter, key);
    const message = {
      ...verdict,
      evidenceBlock: Number(verdict.evidenceBlock),
      validUntil: Number(verdict.validUntil),
      kind: Number(verdict.kind),
      status: Number(verdict.status),
    } as unknown as VerdictMessage;
    expect(await verifier.verdictDigest(verdict)).to.equal(
      verdictDigest(Number(charter.chainId), (await verifier.getAddress()) as Address, message),
    );
  });

  it("verify_thresholdAndMore_accepts", async () => {
    const { charter, key } = await scene();
    const verdict = await nodeVerdict(charter, key);
    await askCommittee(charter, verdict, await prove(charter, verdict));
    const all = await signaturesOf(charter, verdict, charter.members);
    await askCommittee(charter, verdict, encodeProof(verdict, all));
  });

  it("verify_tooFewSignatures_reverts", async () => {
    const { charter, verifier, key } = await scene();
    const verdict = await nodeVerdict(charter, key);
    const one = await signaturesOf(charter, verdict, charter.members.slice(0, 1));
    await expect(askCommittee(charter, verdict, encodeProof(verdict, one)))
      .to.be.revertedWithCustomError(verifier, "NotEnoughSignatures")
      .withArgs(2, 1);
    await expect(askCommittee(charter, verdict, encodeProof(verdict, [])))
      .to.be.revertedWithCustomError(verifier, "NotEnoughSignatures")
      .withArgs(2, 0);
  });

  it("verify_emptyOrMalformedProof_reverts", async () => {
    const { charter, key } = await scene();
    const verdict = await nodeVerdict(charter, key);
    const { ethers } = charter.connection;
    await expect(askCommittee(charter, verdict, "0x")).to.be.revert(ethers);
    const proof = await prove(charter, verdict);
    await expect(askCommittee(charter, verdict, proof.slice(0, -64))).to.be.revert(ethers);
  });

  it("verify_sameSignerTwice_reverts", async () => {
    const { charter, verifier, key } = await scene();
    const verdict = await nodeVerdict(charter, key);
    const [one] = await signaturesOf(charter, verdict, charter.members);
    const signer = charter.members[0]?.address;
    await expect(askCommittee(charter, verdict, encodeProof(verdict, [one as string, one as string])))
      .to.be.revertedWithCustomError(verifier, "SeatsNotAscending")
      .withArgs(signer, signer);
  });

  it("verify_signersDescending_reverts", async () => {
    const { charter, verifier, key } = await scene();
    const verdict = await nodeVerdict(charter, key);
    const reversed = (await signaturesOf(charter, verdict, charter.members.slice(0, 2))).reverse();
    await expect(
      askCommittee(charter, verdict, encodeProof(verdict, reversed)),
    ).to.be.revertedWithCustomError(verifier, "SeatsNotAscending");
  });

  it("verify_strangerAmongSigners_reverts", async () => {
    const { charter, verifier, key } = await scene();
    const verdict = await nodeVerdict(charter, key);
    const stranger = walletOf("stranger");
    const signers = ascending([...charter.members, stranger]);
    await expect(
      askCommittee(charter, verdict, encodeProof(verdict, await signaturesOf(charter, verdict, signers))),
    )
      .to.be.revertedWithCustomError(verifier, "NotAMember")
      .withArgs(stranger.address);
  });

  it("verify_oneChangedField_reverts", async () => {
    const { charter, verifier, key } = await scene();
    const verdict = await nodeVerdict(charter, key);
    for (const field of Object.keys(verdict) as (keyof typeof verdict)[]) {
      const value = verdict[field];
      const other =
        typeof value === "boolean"
          ? !value
          : typeof value === "bigint"
            ? value ^ 1n
            : toBeHex(BigInt(value) ^ 1n, (value.length - 2) / 2);
      const changed = { ...verdict, [field]: other };
      await expect(
        askCommittee(charter, changed, await prove(charter, changed, verdict)),
        field,
      ).to.be.revertedWithCustomError(verifier, "NotAMember");
    }
  });

  it("verify_signedForAnotherChainOrVerifier_reverts", async () => {
    const { charter, verifier, key } = await scene();
    const verdict = await nodeVerdict(charter, key);
    for (const at of [{ chainId: 1 }, { verifier: walletOf("verifier").address as Address }]) {
      const signatures = await signaturesOf(charter, verdict, charter.members.slice(0, 2), at);
      await expect(
        askCommittee(charter, verdict, encodeProof(verdict, signatures)),
      ).to.be.revertedWithCustomError(verifier, "NotAMember");
    }
  });

  it("verify_malleableSignature_reverts", async () => {
    const { charter, verifier, key } = await scene();
    const verdict = await nodeVerdict(charter, key);
    const [first, second] = await signaturesOf(charter, verdict, charter.members.slice(0, 2));
    const { r, s, v } = Signature.from(first);
    const highS = ORDER - BigInt(s);
    const flipped = `0x${r.slice(2)}${toBeHex(highS, 32).slice(2)}${(v === 27 ? 28 : 27).toString(16)}`;
    await expect(askCommittee(charter, verdict, encodeProof(verdict, [flipped, second as string])))
      .to.be.revertedWithCustomError(verifier, "ECDSAInvalidSignatureS")
      .withArgs(toBeHex(highS, 32));
    // EIP-2098's compact form is 64 bytes: one signature has one form.
    await expect(
      askCommittee(
        charter,
        verdict,
        encodeProof(verdict, [Signature.from(first).compactSerialized, second as string]),
      ),
    ).to.be.revertedWithCustomError(verifier, "ECDSAInvalidSignatureLength");
  });

  it("verify_committeeExpired_reverts", async () => {
    const { charter, verifier, key } = await scene();
    const { time } = charter.connection.networkHelpers;
    const expiresAt = BigInt(await time.latest()) + COMMITTEE_NOTICE + 100n;
    const addresses = charter.members.map((member) => member.address);
    await verifier.proposeCommittee(addresses, 2, expiresAt, ZeroAddress, ZeroAddress);
    const verdict = await nodeVerdict(charter, key);
    const proof = await prove(charter, verdict);
    await time.increaseTo(expiresAt - 1n);
    await askCommittee(charter, verdict, proof);
    await time.increaseTo(expiresAt);
    await expect(askCommittee(charter, verdict, proof))
      .to.be.revertedWithCustomError(verifier, "CommitteeExpired")
      .withArgs(expiresAt, expiresAt);
  });

  it("verify_simulatedOnProductionChain_reverts", async () => {
    const connection = await openChain(1);
    try {
      const charter = await deployContracts(connection);
      const verdict = await nodeVerdict(charter, walletOf("node"), { simulated: true });
      await expect(askCommittee(charter, verdict, await prove(charter, verdict)))
        .to.be.revertedWithCustomError(charter.committeeVerifier, "SimulatedOnProductionChain")
        .withArgs(1);
      const real = { ...verdict, simulated: false };
      await askCommittee(charter, real, await prove(charter, real));
    } finally {
      await connection.close();
    }
  });
});
