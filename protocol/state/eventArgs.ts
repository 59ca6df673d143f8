import type { Abi, ContractEventName, DecodeEventLogReturnType } from "viem";

/** What an event of a typed ABI carries, every argument present. Addresses and hashes are lower case by decodeLog. */
export type EventArgs<A extends Abi, Name extends ContractEventName<A>> = DecodeEventLogReturnType<
  A,
  Name
>["args"];
