import { Address, Bytes, ethereum } from "@graphprotocol/graph-ts";

/** uint40 max: "no end". */
export const NEVER = "1099511627775";

/** Id of everything that one log gives: transaction hash and log index. */
export function logId(event: ethereum.Event): Bytes {
  return event.transaction.hash.concatI32(event.logIndex.toI32());
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
