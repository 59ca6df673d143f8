import { expect } from "chai";

import {
  encodeFirstQuote,
  encodeKnownQuote,
} from "../../../../protocol/evidence/dcap/onchain/encodeQuote.ts";
import { fromHex, toHex } from "../../../../protocol/words/hex.ts";
import type { QuoteMutator } from "../../../../types/typechain/index.ts";
import { AT, quoteOf } from "../../../protocol/evidence/simulated.ts";
import { random } from "../../../support/random.ts";
import { clock, itOnVectors, vector } from "../../../support/vectors.ts";
import { caKeyOf, deployOnDouble, openChainAt } from "./support/verifier.ts";

const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31);
const isLong = process.env["CHARTER_FUZZ"] === "long";
/** Changed copies per call: a transaction has 2^24 gas (EIP-7825), a first use takes some 150,000. */
const GROUP = 64;

/** Quotes of each kind, each with a time at which its certificate is valid. */
const REAL = [
  ["TDX, version 4", "tdx/dcap-qvl-2025-06/quote.bin", "2025-07-01T00:00:00Z"],
  ["TDX, version 5", "tdx/dcap-qvl-out-of-date/quote.bin", "2026-02-25T00:00:00Z"],
  ["SGX, version 3", "sgx/dcap-qvl/quote.bin", "2025-06-21T10:56:11Z"],
] as const;

/**
 * Flips one random bit of every byte (all eight in the long profile) of a packed quote. The collateral takes every
 * platform, so signatures and strict reading alone refuse.
 */
async function expectNoneAccepted(quote: Uint8Array, at: number, simulated: boolean): Promise<void> {
  console.log(`      seed: SEED=${seed}`);
  const source = random(seed);
  const connection = await openChainAt(at);
  try {
    const { verifier } = await deployOnDouble(connection, { at, caKey: caKeyOf(quote), simulated });
    const first = encodeFirstQuote(quote);
    await verifier.verifyQuote(first);
    const mutator = (await connection.ethers.deployContract("QuoteMutator")) as unknown as QuoteMutator;
    const whole = encodeFirstQuote(quote, "whole");
    expect(whole.slice(0, 4) + first.slice(0, 4)).to.equal("0x010x03");
    for (const packed of [whole, first, encodeKnownQuote(quote, 1)].map((each) => fromHex(each))) {
      await verifier.verifyQuote.staticCall(packed);
      let tried = 0;
      for (let round = 0; round < (isLong ? 8 : 1); round++) {
        const masks = Uint8Array.from(packed, () => 1 << (isLong ? round : source.below(8)));
        for (let from = 0; from < packed.length; from += GROUP) {
          const group = toHex(masks.subarray(from, from + GROUP));
          const answer = await mutator.flip.staticCall(verifier, packed, from, group);
          expect([...answer.accepted], `offsets of bytes that nothing checks, SEED=${seed}`).to.deep.equal(
            [],
          );
          tried += Number(answer.tried);
        }
      }
      expect(tried).to.equal(packed.length * (isLong ? 8 : 1));
    }
  } finally {
    await connection.close();
  }
}

describe("a packed quote with one bit flipped", function () {
  this.timeout(isLong ? 1_800_000 : 120_000);

  for (const [kind, path, iso] of REAL) {
    itOnVectors(`is refused whichever byte it is in: ${kind}`, () =>
      expectNoneAccepted(vector(path), clock(iso), false),
    );
  }

  it("is refused whichever byte it is in: simulated", async () =>
    expectNoneAccepted(await quoteOf(), AT, true));
});
