import { readFileSync } from "node:fs";

import { expect } from "chai";
import hre from "hardhat";

import { toHex } from "../../../../protocol/words/hex.ts";
import type { DcapCollateral } from "../../../../types/typechain/index.ts";
import { issueCollateral } from "../../../../worker/tee/simulator/collateral.ts";
import { signRaw } from "../../../../worker/tee/simulator/keys.ts";
import { AT, pki } from "../../../protocol/evidence/simulated.ts";
import { hasVectors, itOnVectors } from "../../../support/vectors.ts";
import type { Connection } from "../../support/charter.ts";
import { deployDirect, type DirectCharter } from "../../support/direct.ts";
import { deployCollateral, put, putAll } from "./support/collateral.ts";
import { datedAt, largeTcbInfo } from "./support/largeTcbInfo.ts";
import { vectorDocuments, VECTOR_NAMES } from "./support/tcbVectors.ts";
import { openChainAt } from "./support/verifier.ts";

/** EIP-7825. */
const TRANSACTION_GAS_LIMIT = 16_777_216n;
const TCB_INFO_TARGET = 4_000_000n;
/** The longest TCB info of Intel's that we have, in bytes; where the vectors are, a test holds this. */
const INTELS_LONGEST = 4_900;

/** Every contract that can be deployed, by name. */
const sizes = JSON.parse(
  readFileSync(new URL("../../snapshots/size.json", import.meta.url), "utf8"),
) as Record<string, number>;

describe("one transaction is enough (EIP-7825)", function () {
  this.timeout(120_000);
  let connection: Connection;
  beforeEach(async () => {
    connection = await openChainAt(AT);
  });
  afterEach(() => connection.close());

  const kept = async (): Promise<DcapCollateral> => {
    const [owner] = await connection.ethers.getSigners();
    const collateral = await deployCollateral(connection, owner?.address ?? "", pki.file.root);
    await putAll(collateral, issueCollateral(pki, { at: AT - 60 }));
    return collateral;
  };
  const bring = async (collateral: DcapCollateral, text: string): Promise<bigint> => {
    const signature = toHex(signRaw(pki.signing.key, Buffer.from(text, "utf8")));
    const sent = await put(collateral, {
      functionName: "putTcbInfo",
      args: [toHex(Buffer.from(text, "utf8")), signature],
    });
    return (await sent.wait())?.gasUsed ?? 0n;
  };

  // Upserts are one call each: no half of a document is ever kept. What that admits, measured:
  const SIZES = [
    { levels: 16, form: "short", times: 2, most: TCB_INFO_TARGET },
    { levels: 32, form: "explained", times: 10, most: TCB_INFO_TARGET },
    { levels: 96, form: "short", times: 14, most: TRANSACTION_GAS_LIMIT },
    { levels: 96, form: "explained", times: 30, most: TRANSACTION_GAS_LIMIT },
  ] as const;
  for (const { levels, form, times, most } of SIZES) {
    it(`putTcbInfo_${levels}LevelsIn${form === "short" ? "ShortForm" : "FullForm"}_fits`, async () => {
      const text = datedAt(largeTcbInfo(levels, form), AT - 30);
      const gas = await bring(await kept(), text);
      const [size, all] = [text.length, gas].map((n) => n.toLocaleString("en"));
      console.log(
        `      ${size} bytes, ${(text.length / INTELS_LONGEST).toFixed(1)} × Intel's longest: ${all} gas`,
      );
      expect(gas <= most, `${gas}`).to.equal(true);
      expect(text.length).to.be.greaterThan(times * INTELS_LONGEST);
    });
  }

  itOnVectors("intelsLongestTcbInfo_isAsLongAsWeSay", () => {
    const lengths = VECTOR_NAMES.map((name) => vectorDocuments(name).tcbInfo.length);
    expect(hasVectors).to.equal(true);
    expect(Math.max(...lengths)).to.be.within(INTELS_LONGEST - 500, INTELS_LONGEST);
  });

  it("deployments_each_fitsATransaction", async () => {
    const charter: DirectCharter = await deployDirect(connection, AT);
    const deployed = [
      charter.advisorySets,
      charter.endorsements,
      charter.appRegistry,
      charter.nodeRegistry,
      charter.committeeVerifier,
      charter.attestationLedger,
      charter.collateral,
      charter.dcapVerifier,
    ];
    for (const contract of deployed) {
      const receipt = await contract.deploymentTransaction()?.wait();
      const gas = receipt?.gasUsed ?? TRANSACTION_GAS_LIMIT;
      expect(gas < TRANSACTION_GAS_LIMIT, `${await contract.getAddress()}: ${gas}`).to.equal(true);
    }
    // Of all others what is certain: 16 gas a byte of call data, 200 a byte of code. Constructors that write little remain.
    for (const name of Object.keys(sizes)) {
      const { bytecode, deployedBytecode } = await hre.artifacts.readArtifact(name);
      const [sent, stored] = [bytecode, deployedBytecode].map((hex) => BigInt((hex.length - 2) / 2));
      const certain = 53_000n + 18n * (sent ?? 0n) + 200n * (stored ?? 0n);
      expect(certain < TRANSACTION_GAS_LIMIT / 2n, `${name}: ${certain}`).to.equal(true);
    }
  });
});
