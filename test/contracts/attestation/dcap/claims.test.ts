import { expect } from "chai";
import { id, keccak256 } from "ethers";

import { encodeDirectProof } from "../../../../protocol/evidence/dcap/onchain/encodeClaim.ts";
import { encodeFirstQuote } from "../../../../protocol/evidence/dcap/onchain/encodeQuote.ts";
import { quoteDigest } from "../../../../protocol/evidence/dcap/quoteDigest.ts";
import { reportData, type Binding } from "../../../../protocol/evidence/reportData.ts";
import { ProofSystem, TcbStatus, TeeKind } from "../../../../protocol/words/enums.ts";
import {
  fromHex,
  parseAddress,
  parseBytes32,
  type Address,
  type Bytes32,
  type Hex,
} from "../../../../protocol/words/hex.ts";
import { PCK_SECONDS } from "../../../../worker/tee/simulator/platform.ts";
import { SimulatedSgx } from "../../../../worker/tee/simulator/SimulatedSgx.ts";
import type { SimulatedTdxOptions } from "../../../../worker/tee/simulator/SimulatedTdx.ts";
import { SimulatedTdx } from "../../../../worker/tee/simulator/SimulatedTdx.ts";
import { SIMULATED_IMAGE } from "../../../../worker/tee/simulator/measurements.ts";
import { pki, platform } from "../../../protocol/evidence/simulated.ts";
import { fieldsOf, withVerifier, ZERO, type VerifierOnDouble } from "./support/verifier.ts";

const APP = parseAddress(`0x${"a1".repeat(20)}`);
const OPERATOR = parseAddress(`0x${"0b".repeat(20)}`);
const KEY = parseAddress(`0x${"c3".repeat(20)}`);
const OTHER = parseAddress(`0x${"d4".repeat(20)}`);
const COMPOSE_HASH = parseBytes32(id("compose hash"));
const OS_IMAGE = parseBytes32(id("OS image"));
const GPU = parseBytes32(id("GPU evidence"));
const PADDING = "00".repeat(15);
const V1: Hex = `0x01${COMPOSE_HASH.slice(2)}${PADDING}`;
/** Compose hash, app, kind of key provider 2 (kms), its id. */
const preimageOf = (app: Address, providerId = "55".repeat(32)): Hex =>
  `0x${COMPOSE_HASH.slice(2)}${app.slice(2)}02${providerId}`;
const v2Of = (preimage: Hex): Hex => `0x02${keccak256(preimage).slice(2)}${PADDING}`;

interface Asked {
  readonly claim: Parameters<typeof encodeDirectProof>[0];
  readonly consumer: string;
}

/** Blocks that the chain knows, and who asks. */
async function bindingOn(on: VerifierOnDouble, change: Partial<Binding> = {}): Promise<Binding> {
  const { ethers, networkHelpers } = on.connection;
  await networkHelpers.mine(3);
  const block = await ethers.provider.getBlock((await ethers.provider.getBlockNumber()) - 2);
  const [consumer] = await ethers.getSigners();
  if (!block?.hash || !consumer) throw new Error("a chain with blocks and accounts");
  return {
    purpose: "instance",
    chainId: 31_337,
    consumer: parseAddress(consumer.address.toLowerCase()),
    subject: APP,
    key: KEY,
    blockNumber: BigInt(block.number),
    blockHash: block.hash as Bytes32,
    ...change,
  };
}

async function quoteFor(binding: Binding, options: SimulatedTdxOptions = {}): Promise<Uint8Array> {
  const { quote } = await new SimulatedTdx(platform, options).quote(fromHex(reportData(binding)));
  return fromHex(quote);
}

const instance = { osImageHash: OS_IMAGE };
const claimOf = ({ subject, key, blockNumber }: Binding): Asked["claim"] => ({
  subject,
  key,
  evidenceBlock: blockNumber,
});

describe("a direct proof", () => {
  it("of an instance gives its verdict, the record that it rests on, and until when", () =>
    withVerifier(async (on) => {
      const binding = await bindingOn(on, { gpuDigest: GPU });
      const quote = await quoteFor(binding, { mrConfigId: fromHex(V1) });
      const proof = encodeDirectProof({ ...claimOf(binding), instance }, encodeFirstQuote(quote));
      const answer = await on.verifier.verify.staticCall(proof);
      expect(fieldsOf(answer.verdict)).to.include({
        consumer: (await on.connection.ethers.getSigners())[0]?.address,
        evidenceBlock: binding.blockNumber,
        evidenceBlockHash: binding.blockHash,
        platformId: platform.platformId,
        composeHash: COMPOSE_HASH,
        osImageHash: OS_IMAGE,
        kind: BigInt(TeeKind.Tdx),
        status: BigInt(TcbStatus.UpToDate),
        advisoriesDigest: ZERO,
        evidenceDigest: quoteDigest(quote),
        gpuDigest: GPU,
        validUntil: BigInt(on.validUntil),
        simulated: true,
      });
      expect(parseAddress(answer.verdict.subject)).to.equal(APP);
      expect(parseAddress(answer.verdict.key)).to.equal(KEY);
      expect(answer.verdict.measurementDigest).to.equal(SIMULATED_IMAGE.measurementDigest);
      expect(answer.verdict.pinnedMeasurementDigest).to.equal(SIMULATED_IMAGE.pinnedMeasurementDigest);
      expect(answer.record).to.equal(1n);
      expect(answer.until).to.equal(BigInt(pki.file.notBefore + PCK_SECONDS));
      expect(await on.verifier.proofSystem()).to.equal(BigInt(ProofSystem.Direct));
    }));

  it("of an instance takes MRCONFIGID of version 2 with a preimage that names the app", () =>
    withVerifier(async (on) => {
      const binding = await bindingOn(on);
      for (const preimage of [preimageOf(APP), preimageOf(APP, ""), preimageOf(APP, "66".repeat(202))]) {
        const quote = encodeFirstQuote(await quoteFor(binding, { mrConfigId: fromHex(v2Of(preimage)) }));
        const proof = encodeDirectProof({ ...claimOf(binding), instance: { ...instance, preimage } }, quote);
        expect((await on.verifier.verify.staticCall(proof)).verdict.composeHash).to.equal(COMPOSE_HASH);
      }
    }));

  it("of a node has neither compose hash nor image, whatever MRCONFIGID says; an enclave may be one", () =>
    withVerifier(async (on) => {
      const binding = await bindingOn(on, { purpose: "node", subject: OPERATOR });
      const enclave = new SimulatedSgx(platform).quote(fromHex(reportData(binding)));
      for (const [kind, quote] of [
        [TeeKind.Tdx, await quoteFor(binding)],
        [TeeKind.Tdx, await quoteFor(binding, { mrConfigId: fromHex(V1) })],
        [TeeKind.Sgx, enclave],
      ] as const) {
        const proof = encodeDirectProof(claimOf(binding), encodeFirstQuote(quote));
        const { verdict } = await on.verifier.verify.staticCall(proof);
        expect(fieldsOf(verdict)).to.include({ kind: BigInt(kind), composeHash: ZERO, osImageHash: ZERO });
        expect(verdict.evidenceDigest).to.equal(quoteDigest(quote));
      }
    }));

  /** What a quote was made for, and what is claimed of it. */
  const replays: Readonly<
    Record<string, (binding: Binding) => { made?: Partial<Binding>; claimed?: Partial<Binding> }>
  > = {
    "another consumer": () => ({ made: { consumer: OTHER } }),
    "another chain": () => ({ made: { chainId: 1 } }),
    "another app": () => ({ claimed: { subject: OTHER } }),
    "another key": () => ({ claimed: { key: OTHER } }),
    "another block": ({ blockNumber }) => ({ claimed: { blockNumber: blockNumber - 1n } }),
    "another hash of its block": () => ({ made: { blockHash: parseBytes32(id("another fork")) } }),
    "a node": () => ({ made: { purpose: "node" } }),
  };
  for (const [title, change] of Object.entries(replays)) {
    it(`refuses a quote that was made for ${title}`, () =>
      withVerifier(async (on) => {
        const binding = await bindingOn(on);
        const { made = {}, claimed = {} } = change(binding);
        const quote = await quoteFor({ ...binding, ...made }, { mrConfigId: fromHex(V1) });
        const claim = { ...claimOf({ ...binding, ...claimed }), instance };
        await expect(
          on.verifier.verify(encodeDirectProof(claim, encodeFirstQuote(quote))),
        ).to.be.revertedWithCustomError(on.verifier, "ReportDataMismatch");
      }));
  }

  it("is refused by every caller but the consumer that its quote names", () =>
    withVerifier(async (on) => {
      const binding = await bindingOn(on);
      const quote = await quoteFor(binding, { mrConfigId: fromHex(V1) });
      const proof = encodeDirectProof({ ...claimOf(binding), instance }, encodeFirstQuote(quote));
      const [, stranger] = await on.connection.ethers.getSigners();
      if (!stranger) throw new Error("two accounts");
      await expect(on.verifier.connect(stranger).verify(proof)).to.be.revertedWithCustomError(
        on.verifier,
        "ReportDataMismatch",
      );
    }));

  it("is refused for blocks that the chain does not know: future ones and its own", () =>
    withVerifier(async (on) => {
      const binding = await bindingOn(on);
      const next = BigInt(await on.connection.ethers.provider.getBlockNumber()) + 1n;
      for (const blockNumber of [next, next + 1n, 2n ** 64n - 1n]) {
        const bound = { ...binding, blockNumber };
        const quote = encodeFirstQuote(await quoteFor(bound, { mrConfigId: fromHex(V1) }));
        await expect(on.verifier.verify(encodeDirectProof({ ...claimOf(bound), instance }, quote)))
          .to.be.revertedWithCustomError(on.verifier, "EvidenceBlockUnknown")
          .withArgs(blockNumber);
      }
    }));

  const unbound: Readonly<
    Record<string, { readonly id: Hex; readonly preimage?: Hex; readonly error?: string }>
  > = {
    "that is zero": { id: `0x${"00".repeat(48)}` },
    "of version 1 with a compose hash of zero": { id: `0x01${"00".repeat(47)}` },
    "of version 3": { id: `0x03${COMPOSE_HASH.slice(2)}${PADDING}` },
    "of version 255": { id: `0xff${COMPOSE_HASH.slice(2)}${PADDING}` },
    "of version 1 with something behind it": { id: `0x01${COMPOSE_HASH.slice(2)}01${"00".repeat(14)}` },
    "of version 1 with something at its end": { id: `0x01${COMPOSE_HASH.slice(2)}${"00".repeat(14)}01` },
    "of version 1 with a preimage": { id: V1, preimage: preimageOf(APP) },
    "of version 2 without its preimage": { id: v2Of(preimageOf(APP)) },
    "of version 2 with another preimage": { id: v2Of(preimageOf(APP)), preimage: preimageOf(APP, "56") },
    "of version 2 with something behind it": {
      id: `0x02${keccak256(preimageOf(APP)).slice(2)}${"00".repeat(14)}01`,
      preimage: preimageOf(APP),
    },
    "of version 2 that names another app": {
      id: v2Of(preimageOf(OTHER)),
      preimage: preimageOf(OTHER),
      error: "WrongApp",
    },
    "of version 2 with a short preimage": {
      id: v2Of(`0x${"11".repeat(52)}`),
      preimage: `0x${"11".repeat(52)}`,
      error: "BadClaim",
    },
  };
  for (const [title, { id: mrConfigId, preimage, error = "ComposeHashNotBound" }] of Object.entries(
    unbound,
  )) {
    it(`of an instance is refused with an MRCONFIGID ${title}`, () =>
      withVerifier(async (on) => {
        const binding = await bindingOn(on);
        const quote = encodeFirstQuote(await quoteFor(binding, { mrConfigId: fromHex(mrConfigId) }));
        const claim = { ...claimOf(binding), instance: { ...instance, ...(preimage ? { preimage } : {}) } };
        await expect(on.verifier.verify(encodeDirectProof(claim, quote))).to.be.revertedWithCustomError(
          on.verifier,
          error,
        );
      }));
  }

  it("of an instance is refused for an enclave: nothing measured its compose hash", () =>
    withVerifier(async (on) => {
      const binding = await bindingOn(on);
      const quote = encodeFirstQuote(new SimulatedSgx(platform).quote(fromHex(reportData(binding))));
      const proof = encodeDirectProof({ ...claimOf(binding), instance }, quote);
      await expect(on.verifier.verify(proof)).to.be.revertedWithCustomError(
        on.verifier,
        "ComposeHashNotBound",
      );
    }));

  it("is refused for another purpose, or cut off in its claim", () =>
    withVerifier(async (on) => {
      const binding = await bindingOn(on);
      const quote = encodeFirstQuote(await quoteFor(binding, { mrConfigId: fromHex(V1) }));
      const proof = encodeDirectProof({ ...claimOf(binding), instance }, quote);
      for (const bad of [
        `0x00${proof.slice(4)}`,
        `0x03${proof.slice(4)}`,
        "0x",
        proof.slice(0, 98),
        proof.slice(0, 164),
      ]) {
        await expect(on.verifier.verify(bad)).to.be.revertedWithCustomError(on.verifier, "BadClaim");
      }
    }));
});
