import type { Address } from "../../protocol/words/hex.ts";

const LABEL = /^(?:0x)?([0-9a-f]{40})$/;

/** The app that a name below the gateway's domain stands for: `<app>.<domain>`, the app with or without 0x; else null. */
export function appOfName(name: string, domain: string): Address | null {
  if (!name.endsWith(`.${domain}`)) return null;
  const label = LABEL.exec(name.slice(0, -domain.length - 1));
  return label ? (`0x${label[1]}` as Address) : null;
}
