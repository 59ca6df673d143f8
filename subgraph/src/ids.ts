import { Address, Bytes, ethereum } from "@graphprotocol/graph-ts";

/** uint40 max: "no end". */
export const NEVER = "1099511627775";

/** Id of everything that one log gives: transaction hash and log index. */
export function logId(event: ethereum.Event): Bytes {
  return logIdAt(event, event.logIndex.toI32());
}

/** The same for another log of the event's transaction. */
export function logIdAt(event: ethereum.Event, logIndex: i32): Bytes {
  return event.transaction.hash.concatI32(logIndex);
}

export function releaseId(app: Address, number: i32): Bytes {
  return app.concatI32(number);
}

export function settingId(app: Address, kind: i32, key: Bytes): Bytes {
  return app.concatI32(kind).concat(key);
}

export function instanceId(app: Address, key: Address): Bytes {
  return app.concat(key);
}

/** Null for the zero address: "nobody" is not an account. */
export function orNull(account: Address): Bytes | null {
  return account.equals(Address.zero()) ? null : account;
}

export function toBytesArray(accounts: Address[]): Bytes[] {
  const bytes: Bytes[] = [];
  for (let i = 0; i < accounts.length; i++) bytes.push(accounts[i]);
  return bytes;
}
