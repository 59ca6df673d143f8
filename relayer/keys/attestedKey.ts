import { DstackClient } from "@phala/dstack-sdk";
import { concat, keccak256, stringToHex } from "viem";
import type { PrivateKeyAccount } from "viem/accounts";
import { z } from "zod";

import { CharterError } from "../../protocol/errors/CharterError.ts";
import { toHex } from "../../protocol/words/hex.ts";
import type { Address, Hex } from "../../protocol/words/hex.ts";
import { localAccount } from "./localAccount.ts";

/** What a key inside of an instance signs. Each has a key of its own. */
export type AttestedPurpose = "outbox" | "lease" | "committee";

/** What governance checks before it lists an address. */
export interface AttestedQuote {
  readonly purpose: AttestedPurpose;
  readonly address: Address;
  readonly chainId: number;
  /** 64 bytes that the quote is over: `signerReportData` of the three above. */
  readonly reportData: Hex;
  readonly quote: Hex;
  /** JSON, as the guest agent writes it. */
  readonly eventLog: string;
  readonly vmConfig: string;
}

/** Evidence of this instance, without the block that it binds. */
export interface GuestQuote {
  readonly quote: Hex;
  /** JSON, as the guest agent writes it. */
  readonly eventLog: string;
  readonly vmConfig: string;
}

export interface AttestedKey {
  readonly account: PrivateKeyAccount;
  /** The app that this instance was started as; null unless the key is this instance's alone. */
  readonly app: Address | null;
  /** A fresh quote over 64 bytes. @throws CharterError `keys/agent-failed`, `keys/agent-malformed`. */
  readonly quote: (reportData: Hex) => Promise<GuestQuote>;
  /** A fresh quote over the account's address. @throws CharterError `keys/agent-failed`, `keys/agent-malformed`. */
  readonly attest: () => Promise<AttestedQuote>;
}

interface Options {
  readonly socket: string;
  readonly purpose: AttestedPurpose;
  readonly chainId: number;
}

const infoSchema = z.looseObject({
  app_id: z.string().regex(/^(?:0x)?[0-9a-fA-F]{40}$/),
  instance_id: z.string().regex(/^(?:0x)?[0-9a-fA-F]{40}$/),
});
const quoteSchema = z.looseObject({
  quote: z
    .string()
    .max(2 * 65_536)
    .regex(/^(?:[0-9a-fA-F]{2})+$/),
  event_log: z.string().max(1_048_576),
  vm_config: z.string().max(65_536).default(""),
});

/**
 * Report data of a signer's quote: keccak256("charter signer v1" ‖ purpose) ‖ 4 bytes of zero ‖ chain id (8 bytes) ‖
 * address (20 bytes). Its first half is no hash that other quotes of Charter begin with.
 */
export function signerReportData(purpose: AttestedPurpose, chainId: number, address: Address): Hex {
  return concat([
    keccak256(stringToHex(`charter signer v1 ${purpose}`)),
    "0x00000000",
    toHex(Uint8Array.from(Buffer.from(chainId.toString(16).padStart(16, "0"), "hex"))),
    address,
  ]);
}

/**
 * The key that dstack's guest agent gives this app for one purpose on one chain, and gives again after a restart: it is
 * derived inside of the TEE, from the app's own secret, and is never stored. A committee's key is this instance's alone:
 * it signs for the operator whose node it runs on, and replicas of the app run on others' too.
 * @throws CharterError `keys/agent-absent`, `keys/agent-failed`, `keys/agent-malformed`.
 */
export async function attestedKey({ socket, purpose, chainId }: Options): Promise<AttestedKey> {
  const agent = openAgent(socket);
  const instance = purpose === "committee" ? await instanceOf(agent) : null;
  const path = `charter/v1/${chainId}/${purpose}${instance === null ? "" : `/${instance.id}`}`;
  const { key } = await asked("GetKey", () => agent.getKey(path, `charter-${purpose}`));
  if (key.length !== 32) throw malformed("GetKey", `a key of 32 bytes, not ${key.length}`);
  const account = accountOf(key);
  const address = account.address.toLowerCase() as Address;
  const quote = (reportData: Hex): Promise<GuestQuote> => quoteOver(agent, reportData);
  return {
    account,
    app: instance === null ? null : instance.app,
    quote,
    attest: async () => {
      const reportData = signerReportData(purpose, chainId, address);
      return { purpose, address, chainId, reportData, ...(await quote(reportData)) };
    },
  };
}

/** What the agent says of its guest; that it is so is seen in the evidence. */
async function instanceOf(agent: DstackClient): Promise<{ readonly app: Address; readonly id: string }> {
  const parsed = infoSchema.safeParse(await asked("Info", () => agent.info()));
  if (!parsed.success) throw malformed("Info", "an app and an instance of 20 bytes each");
  const bare = (text: string): string => text.replace(/^0x/, "").toLowerCase();
  return { app: `0x${bare(parsed.data.app_id)}` as Address, id: bare(parsed.data.instance_id) };
}

async function quoteOver(agent: DstackClient, reportData: Hex): Promise<GuestQuote> {
  const bytes = Buffer.from(reportData.slice(2), "hex");
  const parsed = quoteSchema.safeParse(await asked("GetQuote", () => agent.getQuote(bytes)));
  if (!parsed.success)
    throw malformed("GetQuote", parsed.error.issues.map(({ path: at }) => at.join(".")).join(", "));
  const { quote, event_log: eventLog, vm_config: vmConfig } = parsed.data;
  const given: Hex = `0x${quote.toLowerCase()}`;
  // Where a quote says what it is over differs by its version; that it is over this is what matters here.
  if (!given.includes(reportData.slice(2))) throw malformed("GetQuote", "a quote over the report data");
  return { quote: given, eventLog, vmConfig };
}

function openAgent(socket: string): DstackClient {
  try {
    return new DstackClient(socket);
  } catch {
    throw new CharterError("keys/agent-absent", "no dstack guest agent at this socket", { socket });
  }
}

/** What the agent said is no one else's to read: it may hold the key. */
async function asked<T>(method: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch {
    throw new CharterError("keys/agent-failed", "dstack's guest agent did not answer", { method });
  }
}

function accountOf(key: Uint8Array): PrivateKeyAccount {
  try {
    return localAccount(toHex(key));
  } catch {
    throw malformed("GetKey", "a key of the curve"); // Without what it was.
  }
}

const malformed = (method: string, expected: string): CharterError =>
  new CharterError("keys/agent-malformed", `expected dstack's guest agent to give ${expected}`, { method });
