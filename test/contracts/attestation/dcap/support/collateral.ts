import { parseCertificate } from "../../../../../protocol/der/certificate.ts";
import { splitPem } from "../../../../../protocol/der/pem.ts";
import {
  collateralCalls,
  type CollateralCall,
} from "../../../../../protocol/evidence/dcap/onchain/collateralCalls.ts";
import { toHex } from "../../../../../protocol/words/hex.ts";
import type { DcapCollateral } from "../../../../../types/typechain/index.ts";
import type { IssuedCollateral } from "../../../../../worker/tee/simulator/collateral.ts";
import type { Connection } from "../../../support/charter.ts";

/** Deploys the contract under a test root, or (no PEM) under Intel's. */
export async function deployCollateral(
  connection: Connection,
  owner: string,
  rootPem?: string,
): Promise<DcapCollateral> {
  const key = rootPem && parseCertificate(splitPem(rootPem)[0] as Uint8Array).publicKey;
  const zero = `0x${"00".repeat(32)}`;
  const [x, y] = key ? [toHex(key.subarray(0, 32)), toHex(key.subarray(32))] : [zero, zero];
  const contract = await connection.ethers.deployContract("DcapCollateral", [owner, x, y]);
  return contract as unknown as DcapCollateral;
}

/** Sends one call. */
export const put = (collateral: DcapCollateral, { functionName, args }: CollateralCall) =>
  collateral.getFunction(functionName).send(...args);

/** Brings all of it onto the chain; gas of each call, in order. */
export async function putAll(
  collateral: DcapCollateral,
  issued: IssuedCollateral,
): Promise<readonly { readonly name: CollateralCall["functionName"]; readonly gas: bigint }[]> {
  const sent = [];
  for (const call of collateralCalls(issued)) {
    const receipt = await (await put(collateral, call)).wait();
    sent.push({ name: call.functionName, gas: receipt?.gasUsed ?? 0n });
  }
  return sent;
}
