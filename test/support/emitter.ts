import { concatHex, encodeAbiParameters, encodeEventTopics } from "viem";
import type { Abi, AbiEvent } from "viem";

import type { Address, Hex } from "../../protocol/words/hex.ts";
import type { Anvil } from "./anvil.ts";

const push2 = (value: number) => `61${value.toString(16).padStart(4, "0")}`;

/**
 * Runtime code that emits one log as its call data says: a byte n (1 to 4), n topics, then the data. So a test gives
 * any address the events of a contract, without the contract.
 */
function emitterCode(): Hex {
  // One block per n, each reached by comparing the first byte.
  const block = (n: number) => {
    const start = 1 + 32 * n;
    const topics = Array.from({ length: n }, (_, i) => `${push2(1 + 32 * (n - 1 - i))}35`).join("");
    // size = calldatasize - start; calldatacopy(0, start, size); logN(0, size, topics…)
    return `5b${topics}${push2(start)}3603${"80"}${push2(start)}5f37${"5f"}a${n}00`;
  };
  const heads = 4;
  // dup1 push1 n eq push2 destination jumpi
  const headLength = heads * (1 + 2 + 1 + 3 + 1);
  const prefix = "5f355f1a";
  let at = prefix.length / 2 + headLength + 3;
  let dispatch = "";
  let blocks = "";
  for (let n = 1; n <= heads; n++) {
    dispatch += `8060${n.toString(16).padStart(2, "0")}14${push2(at)}57`;
    blocks += block(n);
    at += block(n).length / 2;
  }
  return `0x${prefix}${dispatch}5f5ffd${blocks}` as Hex;
}

/** Gives `address` code that emits what it is told to. */
export async function placeEmitter(anvil: Anvil, address: Address): Promise<void> {
  await anvil.rpc("anvil_setCode", address, emitterCode());
}

/** Makes `address` emit an event of a typed ABI, in the next block that is mined. */
export async function emit(
  anvil: Anvil,
  address: Address,
  abi: Abi,
  eventName: string,
  args: Record<string, unknown>,
): Promise<Hex> {
  const event = abi.find((item): item is AbiEvent => item.type === "event" && item.name === eventName);
  if (!event) throw new Error(`no event ${eventName}`);
  const topics = encodeEventTopics({ abi: [event], eventName, args });
  const inData = event.inputs.filter((input) => input.indexed !== true);
  const data = encodeAbiParameters(
    inData,
    inData.map((input) => args[input.name ?? ""]),
  );
  const [from] = await anvil.rpc<[Hex]>("eth_accounts");
  const count: Hex = `0x${topics.length.toString(16).padStart(2, "0")}`;
  return anvil.rpc<Hex>("eth_sendTransaction", {
    from,
    to: address,
    data: concatHex([count, ...(topics as Hex[]), data]),
    gas: "0x200000",
  });
}
