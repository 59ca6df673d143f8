import { hkdfSync } from "node:crypto";

import { fromHex, type Address } from "../../protocol/words/hex.ts";
import type { KeyUse } from "./KeySource.ts";

/** HKDF-SHA256 (RFC 5869) of a source's secret, bound to app and use: 32 bytes. */
export const deriveAppKey = (secret: Uint8Array, app: Address, use: KeyUse): Uint8Array =>
  new Uint8Array(hkdfSync("sha256", secret, fromHex(app), `charter-key-v1/${use}`, 32));
