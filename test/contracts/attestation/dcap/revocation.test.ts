import { expect } from "chai";
import { id } from "ethers";

import {
  encodeFirstQuote,
  encodeKnownQuote,
} from "../../../../protocol/evidence/dcap/onchain/encodeQuote.ts";
import { fromHex, toHex, type Hex } from "../../../../protocol/words/hex.ts";
import type { DcapVerifier } from "../../../../types/typechain/index.ts";
import { issueCrl } from "../../../../worker/tee/simulator/certificate.ts";
import { issueCollateral } from "../../../../worker/tee/simulator/collateral.ts";
import { AT, pki, platform, quoteOf } from "../../../protocol/evidence/simulated.ts";
import { random } from "../../../support/random.ts";
import type { Connection } from "../../support/charter.ts";
import { deployCollateral, put, putAll } from "./support/collateral.ts";
import { openChainAt } from "./support/verifier.ts";

const CA_PLATFORM = 1;
const FAMILY = (1 << 2) | CA_PLATFORM;
const TRANSACTION_GAS_LIMIT = 16_777_216n;
/** In one CRL, and of one issuer: what one contract's code holds. */
const [MOST_ENTRIES, MOST_SERIALS] = [1_200, 1_228];
const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31);

const serialOf = (name: string): Uint8Array => fromHex(id(`serial ${name}`)).subarray(0, 20);
const serials = (from: number, to: number): Uint8Array[] =>
  Array.from({ length: to - from }, (_, i) => serialOf(String(from + i)));

describe("revocations on chain", function () {
  this.timeout(120_000);
  let connection: Connection;
  let number = 0;
  beforeEach(async () => {
    connection = await openChainAt(AT);
  });
  afterEach(() => connection.close());

  async function scene() {
    const [owner] = await connection.ethers.getSigners();
    const collateral = await deployCollateral(connection, owner?.address ?? "", pki.file.root);
    await putAll(collateral, issueCollateral(pki, { at: AT - 60 }));
    const deployed = await connection.ethers.deployContract("DcapVerifier", [await collateral.getAddress()]);
    const verifier = deployed as unknown as DcapVerifier;
    const bring = async (revokedSerials: readonly Uint8Array[]): Promise<bigint> => {
      const der = issueCrl({
        issuer: pki.platformCa,
        number: AT + ++number,
        thisUpdate: AT - 50,
        nextUpdate: AT + 30 * 86_400,
        revokedSerials,
      });
      const receipt = await (await put(collateral, { functionName: "putCrl", args: [toHex(der)] })).wait();
      return receipt?.gasUsed ?? 0n;
    };
    const isRevoked = (serial: Uint8Array) => collateral.isRevoked(CA_PLATFORM, toHex(serial));
    const hasTag = (serial: Uint8Array) => collateral.isTagRevoked(CA_PLATFORM, toHex(serial.subarray(0, 4)));
    return { collateral, verifier, bring, isRevoked, hasTag };
  }

  it("putCrl_aThousandEntriesInNoOrder_revokesEachAndNoOther", async () => {
    const { bring, isRevoked, hasTag } = await scene();
    const listed = serials(0, 1_000);
    const gas = await bring(listed);
    console.log(`      1,000 entries: ${gas.toLocaleString("en")} gas`);
    expect(gas < 9_000_000n, String(gas)).to.equal(true);
    for (const serial of listed.filter((_, i) => i % 37 === 0 || i === 999)) {
      expect(await isRevoked(serial), toHex(serial)).to.equal(true);
      expect(await hasTag(serial), toHex(serial)).to.equal(true);
    }
    for (const serial of serials(1_000, 1_040)) {
      expect(await isRevoked(serial), toHex(serial)).to.equal(false);
      expect(await hasTag(serial), toHex(serial)).to.equal(false);
    }
    const neighbour = (serial: Uint8Array, by: bigint): Hex =>
      `0x${(BigInt(toHex(serial)) + by).toString(16).padStart(40, "0")}`;
    for (const by of [-1n, 1n]) {
      expect(await isRevoked(fromHex(neighbour(listed[5] as Uint8Array, by)))).to.equal(false);
    }
  });

  it("verifyQuote_underACrlOfAThousandEntries_costsNoMoreThanItMay", async () => {
    const { verifier, bring } = await scene();
    await bring(serials(0, 1_000));
    const quote = await quoteOf();
    const gasOf = async (packed: Hex): Promise<bigint> =>
      (await (await verifier.verifyQuote(packed)).wait())?.gasUsed ?? 0n;
    // The first record of all also makes the counter's slot.
    await gasOf(encodeFirstQuote(quote));
    const first = await gasOf(encodeFirstQuote(quote));
    const repeat = await gasOf(encodeKnownQuote(quote, 2));
    // The list changed: judged anew, without new signatures of the platform's.
    await bring(serials(0, 1_001));
    const stale = await verifier.standing.estimateGas(2);
    const judged = await gasOf(encodeKnownQuote(quote, 2));
    console.log(
      `      first ${first}, repeat ${repeat}, judged anew ${judged}, standing while stale ${stale}`,
    );
    expect(first <= 200_000n, `first: ${first}`).to.equal(true);
    expect(repeat <= 60_000n, `repeat: ${repeat}`).to.equal(true);
    expect(judged <= 120_000n, `judged anew: ${judged}`).to.equal(true);
    expect(stale <= 60_000n, `standing: ${stale}`).to.equal(true);
  });

  it("verifyQuote_itsSerialAmongAThousand_reverts", async () => {
    const { collateral, verifier, bring } = await scene();
    const quote = await quoteOf();
    await verifier.verifyQuote(encodeFirstQuote(quote));
    await bring([...serials(0, 600), platform.pckSerial, ...serials(600, 999)]);
    for (const packed of [encodeFirstQuote(quote), encodeKnownQuote(quote, 1)]) {
      await expect(verifier.verifyQuote(packed)).to.be.revertedWithCustomError(
        collateral,
        "CertificateRevoked",
      );
    }
    expect((await verifier.standing(1)).revoked).to.equal(true);
  });

  it("putCrl_thatLeavesOutWhatOneOnceNamed_keepsItRevoked", async () => {
    const { collateral, verifier, bring, isRevoked } = await scene();
    await bring([platform.pckSerial, ...serials(0, 3)]);
    const { epoch } = await collateral.familyStanding(FAMILY);
    for (const later of [serials(0, 3), []]) {
      await bring(later);
      expect(await isRevoked(platform.pckSerial)).to.equal(true);
      expect((await collateral.familyStanding(FAMILY)).epoch, "nothing was added").to.equal(epoch);
    }
    await expect(verifier.verifyQuote(encodeFirstQuote(await quoteOf()))).to.be.revertedWithCustomError(
      collateral,
      "CertificateRevoked",
    );
    await bring(serials(3, 4));
    expect((await collateral.familyStanding(FAMILY)).epoch).to.equal(epoch + 1n);
    for (const serial of [platform.pckSerial, ...serials(0, 4)])
      expect(await isRevoked(serial)).to.equal(true);
  });

  it("putCrl_sameSerialsInAnotherOrderOrTwice_raisesNoEpoch", async () => {
    const { collateral, bring } = await scene();
    await bring(serials(0, 30));
    const { epoch } = await collateral.familyStanding(FAMILY);
    await bring(serials(0, 30).reverse());
    await bring([...serials(0, 30), ...serials(10, 20)]);
    expect((await collateral.familyStanding(FAMILY)).epoch).to.equal(epoch);
  });

  it("putCrl_listsAtRandom_keepsTheirUnion", async () => {
    console.log(`      seed: SEED=${seed}`);
    const { collateral, bring } = await scene();
    const source = random(seed);
    const all = new Set<Hex>();
    // Of few bytes, so that they repeat, with the lowest and the highest among them.
    const pool = Array.from({ length: 60 }, (_, i) => Uint8Array.of(1 + (i % 5), i, source.below(256)));
    pool.push(Uint8Array.of(1), new Uint8Array(20).fill(0xff));
    for (let round = 0; round < 12; round++) {
      const listed = Array.from({ length: source.below(40) }, () => source.pick(pool));
      await bring(listed);
      for (const serial of listed) all.add(toHex(serial));
      const [kept] = (await collateral.queryFilter(collateral.filters.CrlKept())).slice(-1);
      expect(kept?.args.count).to.equal(BigInt(all.size));
      const code = (await connection.ethers.provider.getCode(kept?.args.blob ?? "")).slice(4);
      const expected = [...all].map((serial) => serial.slice(2).padStart(40, "0")).sort();
      expect(code, `SEED=${seed}`).to.equal(expected.join(""));
    }
    for (const serial of pool) {
      expect(await collateral.isRevoked(CA_PLATFORM, toHex(serial))).to.equal(all.has(toHex(serial)));
    }
  });

  it("putCrl_asManyAsThereIsRoomFor_fitsATransaction_andOneMoreIsRefusedWhole", async () => {
    const { collateral, verifier, bring, isRevoked } = await scene();
    await expect(bring(serials(0, MOST_ENTRIES + 1))).to.be.revertedWithCustomError(
      verifier,
      "BadCertificate",
    );
    const whole = await bring(serials(0, MOST_ENTRIES));
    // The dearest there is: a list as long as may be, of which little is new, so that both are read and all is written.
    const rest = MOST_SERIALS - MOST_ENTRIES;
    const dearest = await bring(serials(rest, MOST_SERIALS));
    console.log(`      ${MOST_ENTRIES} entries: ${whole} gas, ${MOST_SERIALS} serials: ${dearest} gas`);
    for (const gas of [whole, dearest])
      expect(gas < (TRANSACTION_GAS_LIMIT * 3n) / 4n, String(gas)).to.equal(true);
    expect(await isRevoked(serialOf("0"))).to.equal(true);
    await expect(bring(serials(MOST_SERIALS, MOST_SERIALS + 1))).to.be.revertedWithCustomError(
      collateral,
      "BlobNotKept",
    );
    expect(await isRevoked(serialOf(String(MOST_SERIALS)))).to.equal(false);
  });
});
