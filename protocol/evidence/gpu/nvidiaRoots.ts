import { fromHex } from "../../words/hex.ts";
import type { TrustedRoot } from "../chain/roots.ts";

/**
 * NVIDIA Device Identity CA, above the certificate of every GPU: `verifier_device_root.pem` of NVIDIA/nvtrust, and the
 * last certificate of every chain that a GPU gives.
 */
export const NVIDIA_DEVICE_ROOT: TrustedRoot = {
  name: "NVIDIA Device Identity CA",
  publicKey: fromHex(
    "0x0e4c14a33bf8a5626658db4129607e4cbf4519c4412716f4d0d917c4978005bdeabeaefd57bc66082d718a4f8b6052e1" +
      "516ee8a7c422b84de857071bb58fd395bea0cfa1c63ee7c80d6bd63901d91cbbd187d3857dc16b5cceaf238ff8c27dbd",
  ),
  simulated: false,
};

/** NVIDIA CoRIM signing Root CA, above the signers of RIMs: `verifier_RIM_root.pem` of NVIDIA/nvtrust. */
export const NVIDIA_RIM_ROOT: TrustedRoot = {
  name: "NVIDIA CoRIM signing Root CA",
  publicKey: fromHex(
    "0xb840b28bdbcd33e230da57d4cf2065747030682d4717b4c2829d7641c1325139b74da831c2be3c779e7e2b6548956608" +
      "0e4ecd94021075c57f15fedeb862c8f906ae8fddc7b12238597dbdf0fa56e78453833f6d0be43af3871a47f057584799",
  ),
  simulated: false,
};
