import { fromHex } from "../../words/hex.ts";
import type { TrustedRoot } from "../chain/roots.ts";

/**
 * Root of AWS Nitro Enclaves' attestation PKI, G1, CN aws.nitro-enclaves: the key of the certificate that AWS publishes at
 * https://aws-nitro-enclaves.amazonaws.com/AWS_NitroEnclaves_Root-G1.zip (SHA-256 of it
 * 641A0321A3E244EFE456463195D606317ED7CDCC3C1756E09893F3C68F79BB5B).
 */
export const AWS_NITRO_ROOT: TrustedRoot = {
  name: "AWS Nitro Enclaves Root G1",
  publicKey: fromHex(
    "0xfc0254eba608c1f36870e29ada90be46383292736e894bfff672d989444b5051e534a4b1f6dbe3c0bc581a32b7b17607" +
      "0ede12d69a3fea211b66e752cf7dd1dd095f6f1370f4170843d9dc100121e4cf63012809664487c9796284304dc53ff4",
  ),
  simulated: false,
};
