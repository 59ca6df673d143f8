import { splitPem } from "../../../der/pem.ts";
import { toHex, type Hex } from "../../../words/hex.ts";
import type { CollateralMessage } from "../collateral.ts";

/** One call of DcapCollateral (contracts/interfaces/IDcapCollateral.sol). */
export type CollateralCall =
  | { readonly functionName: "putCertificate" | "putCrl"; readonly args: readonly [der: Hex] }
  | {
      readonly functionName: "putQeIdentity" | "putTcbInfo";
      readonly args: readonly [json: Hex, signature: Hex];
    };

/**
 * What brings collateral onto the chain, in the order that the contract needs: the root's CRL before certificates under
 * the root, these before what they sign. Bytes are passed on as the vendor signed them; the contract judges them.
 */
export function collateralCalls(message: CollateralMessage): readonly CollateralCall[] {
  const certificate = (pem: string): CollateralCall => ({
    functionName: "putCertificate",
    args: [toHex(splitPem(pem)[0] as Uint8Array)],
  });
  const crl = (hex: string): CollateralCall => ({
    functionName: "putCrl",
    args: [`0x${hex.replace(/^0x/, "").toLowerCase()}`],
  });
  const text = (json: string): Hex => toHex(new TextEncoder().encode(json));
  return [
    crl(message.root_ca_crl),
    certificate(message.pck_crl_issuer_chain),
    certificate(message.tcb_info_issuer_chain),
    crl(message.pck_crl),
    {
      functionName: "putQeIdentity",
      args: [text(message.qe_identity), `0x${message.qe_identity_signature}`],
    },
    { functionName: "putTcbInfo", args: [text(message.tcb_info), `0x${message.tcb_info_signature}`] },
  ];
}
