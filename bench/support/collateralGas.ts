/** What it costs to bring Intel's collateral onto the chain, exactly, in the sizes that Intel publishes and beyond. */
import { id, type ContractTransactionResponse } from "ethers";

import { splitPem } from "../../protocol/der/pem.ts";
import { fromHex, toHex } from "../../protocol/words/hex.ts";
import { issueCollateral } from "../../worker/tee/simulator/collateral.ts";
import { deployCollateral, put } from "../../test/contracts/attestation/dcap/support/collateral.ts";
import { datedAt, largeTcbInfo } from "../../test/contracts/attestation/dcap/support/largeTcbInfo.ts";
import {
  steadyCrl,
  steadyPki,
  steadySignature,
} from "../../test/contracts/attestation/dcap/support/steady.ts";
import { openChainAt } from "../../test/contracts/attestation/dcap/support/verifier.ts";
import { AT } from "../../test/protocol/evidence/simulated.ts";

/** Levels of TCB info: Intel's longest known has 11, and a few more come each year. */
const LEVELS = 16;
const MANY_LEVELS = 32;
/** Entries of the Platform CA's CRL: Intel's had 57 early in 2026. */
const ENTRIES = 64;
const MANY_ENTRIES = 1_000;

/** Whole transactions. */
export async function measureCollateral(): Promise<Readonly<Record<string, number>>> {
  const figures: Record<string, number> = {};
  const connection = await openChainAt(AT);
  try {
    const vendor = steadyPki({ notBefore: AT - 1000, secret: new Uint8Array(32).fill(7) });
    const [owner] = await connection.ethers.getSigners();
    const contract = await deployCollateral(connection, owner?.address ?? "", vendor.file.root);
    const take = async (name: string, sent: Promise<ContractTransactionResponse>): Promise<void> => {
      const receipt = await (await sent).wait();
      if (receipt?.status !== 1) throw new Error(`${name}: the transaction failed`);
      figures[name] = Number(receipt.gasUsed);
    };
    const crl = (issuer: typeof vendor.root, at: number, entries: number) =>
      put(contract, {
        functionName: "putCrl",
        args: [
          toHex(
            steadyCrl({
              issuer,
              number: at,
              thisUpdate: at,
              nextUpdate: at + 30 * 86_400,
              revokedSerials: Array.from({ length: entries }, (_, i) => serial(i)),
            }),
          ),
        ],
      });
    const certificate = (pem: string) =>
      put(contract, { functionName: "putCertificate", args: [toHex(splitPem(pem)[0] as Uint8Array)] });
    const document = (functionName: "putTcbInfo" | "putQeIdentity", text: string) => {
      const signature = toHex(steadySignature(vendor.signing.key, text));
      return put(contract, { functionName, args: [toHex(Buffer.from(text, "utf8")), signature] });
    };
    const at = AT - 60;
    await take("dcap.crl.root", crl(vendor.root, at, 0));
    await take("dcap.certificate", certificate(vendor.file.platformCa));
    await take("dcap.certificate.signer", certificate(vendor.file.signing));
    await take("dcap.crl", crl(vendor.platformCa, at, ENTRIES));
    await take("dcap.crl.again", crl(vendor.platformCa, at + 10, ENTRIES));
    await take("dcap.crl.oneMore", crl(vendor.platformCa, at + 20, ENTRIES + 1));
    await take("dcap.crl.thousand", crl(vendor.platformCa, at + 30, MANY_ENTRIES));
    const { qe_identity } = issueCollateral(vendor, { at });
    await take("dcap.qeIdentity", document("putQeIdentity", qe_identity));
    const levels = largeTcbInfo(LEVELS, "short");
    await take("dcap.tcbInfo", document("putTcbInfo", datedAt(levels, at)));
    await take("dcap.tcbInfo.again", document("putTcbInfo", datedAt(levels, at + 10)));
    await take("dcap.tcbInfo.large", document("putTcbInfo", datedAt(largeTcbInfo(MANY_LEVELS), at + 20)));
    return figures;
  } finally {
    await connection.close();
  }
}

/** 20 bytes without zeros, in no order. */
function serial(i: number): Uint8Array {
  for (let salt = 0; ; salt++) {
    const bytes = fromHex(id(`serial ${i} ${salt}`)).subarray(0, 20);
    if (!bytes.includes(0) && (bytes[0] as number) < 0x80) return bytes;
  }
}
