import { expect } from "chai";
import { sha256, toUtf8Bytes } from "ethers";

import type { GatewayDouble, ZkVerifier } from "../../../../types/typechain/index.ts";
import { issueCollateral, type IssuedCollateral } from "../../../../worker/tee/simulator/collateral.ts";
import { AT, pki } from "../../../protocol/evidence/simulated.ts";
import type { Connection } from "../../support/charter.ts";
import { deployCollateral, putAll } from "../dcap/support/collateral.ts";
import { openChainAt } from "../dcap/support/verifier.ts";
import {
  encodeJournal,
  encodeZkProof,
  gatewayCall,
  PLATFORM_CA,
  PROGRAM,
  zkVerdict,
} from "./support/journal.ts";

/** The digests that a program commits to: of the documents as the vendor gave them out. */
const documentsOf = (issued: IssuedCollateral) => ({
  tcbInfo: sha256(toUtf8Bytes(issued.tcb_info)),
  qeIdentity: sha256(toUtf8Bytes(issued.qe_identity)),
  pckCrl: sha256(`0x${issued.pck_crl.replace(/^0x/, "")}`),
  rootCrl: sha256(`0x${issued.root_ca_crl.replace(/^0x/, "")}`),
});

describe("ZkVerifier over DcapCollateral", () => {
  let connection: Connection;
  before(async () => {
    connection = await openChainAt(AT);
  });
  after(async () => connection.close());

  async function scene() {
    const { ethers, networkHelpers } = connection;
    const [governance] = await ethers.getSigners();
    if (!governance) throw new Error("no account");
    const collateral = await deployCollateral(connection, governance.address, pki.file.root);
    const verifier = (await ethers.deployContract("ZkVerifier", [
      governance.address,
      await collateral.getAddress(),
      0,
    ])) as unknown as ZkVerifier;
    const gateway = (await ethers.deployContract("GatewayDouble")) as unknown as GatewayDouble;
    const adapter = await (
      await ethers.deployContract("Sp1Adapter", [await gateway.getAddress()])
    ).getAddress();
    await verifier.addProgram(adapter, PROGRAM);
    /** Brings a verdict that was judged by these documents. */
    const bring = async (issued: IssuedCollateral) => {
      const now = BigInt(await networkHelpers.time.latest());
      const { fmspc } = JSON.parse(issued.tcb_info) as { fmspc: string };
      const journal = encodeJournal({
        verdict: zkVerdict(governance.address, now, { simulated: true }),
        provenAt: now,
        fmspc: `0x${fmspc.toLowerCase()}`,
        ca: PLATFORM_CA,
        documents: documentsOf(issued),
      });
      await gateway.accept(gatewayCall("sp1", journal));
      return verifier.verify(encodeZkProof(adapter, journal));
    };
    return { collateral, verifier, bring };
  }

  it("verify_judgedByWhatIsKept_countsUntilItEndsOrIsReplaced", async () => {
    const { collateral, verifier, bring } = await scene();
    const { time } = connection.networkHelpers;
    const first = issueCollateral(pki, { at: AT - 600 });
    await expect(bring(first)).to.be.revertedWithCustomError(collateral, "CollateralMissing");
    await putAll(collateral, first);
    const [verdict, , until] = await bring(first);
    expect(verdict.simulated).to.equal(true);
    expect(until).to.be.at.most(verdict.validUntil);

    // Equal content, signed anew: what a program judged by before is no longer what is kept.
    const again = issueCollateral(pki, { at: (await time.latest()) - 1 });
    await putAll(collateral, again);
    await expect(bring(first)).to.be.revertedWithCustomError(verifier, "DocumentsMismatch");
    await bring(again);

    await time.increase(40 * 86_400);
    await expect(bring(again)).to.be.revertedWithCustomError(collateral, "CollateralExpired");
  });
});
