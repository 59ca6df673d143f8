import { fromHex } from "../../../../protocol/words/hex.ts";
import { clock, vector, vectorJson } from "../../../support/vectors.ts";
import { dstackVector } from "../dstackVector.ts";

/** The automata vector keeps its collateral as separate files: put together as the vendor's library has it. */
function automataCollateral(): Record<string, string> {
  const file = (name: string) => vector(`tdx/automata-v4/${name}`);
  const pem = (name: string) =>
    `-----BEGIN CERTIFICATE-----\n${file(name).toString("base64")}\n-----END CERTIFICATE-----\n`;
  /** `{"<key>":<document>,"signature":"<hex>"}`: the document's exact text is what was signed. */
  const signed = (name: string, key: string) => {
    const text = file(name).toString("utf8").trim();
    const end = text.lastIndexOf(',"signature":"');
    return { text: text.slice(key.length + 4, end), signature: text.slice(end + 14, end + 142) };
  };
  const tcb = signed("tcb_info_v3_with_tdx_module.json", "tcbInfo");
  const qe = signed("qe_identity.json", "enclaveIdentity");
  return {
    pck_crl_issuer_chain: pem("platform.der") + pem("root.der"),
    root_ca_crl: file("intel_root_ca_crl.der").toString("hex"),
    pck_crl: file("pck_platform_crl.der").toString("hex"),
    tcb_info_issuer_chain: pem("signing.der") + pem("root.der"),
    tcb_info: tcb.text,
    tcb_info_signature: tcb.signature,
    qe_identity_issuer_chain: pem("signing.der") + pem("root.der"),
    qe_identity: qe.text,
    qe_identity_signature: qe.signature,
  };
}

/** TDX quotes of real hardware that pass, with Intel's collateral of their time and when to judge. */
export const REAL_TDX = {
  "dcap-qvl-2025-06": () => ({
    quote: vector("tdx/dcap-qvl-2025-06/quote.bin"),
    collateral: vectorJson("tdx/dcap-qvl-2025-06/collateral.json"),
    at: clock("2025-07-01T00:00:00Z"),
  }),
  "dstack-2026-02": () => {
    const { evidence, collateral, at } = dstackVector();
    return { quote: fromHex(`0x${evidence.quote}`), collateral, at };
  },
  "automata-v4": () => ({
    quote: vector("tdx/automata-v4/quote_tdx.bin"),
    collateral: automataCollateral(),
    at: clock("2025-07-20T00:00:00Z"),
  }),
};
