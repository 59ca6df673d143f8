import { mnemonicToAccount } from "viem/accounts";

import { toHex, type Address, type Hex } from "../../protocol/words/hex.ts";

/** anvil's and Hardhat's public development mnemonic: these keys are known to everybody. */
export const DEVNET_MNEMONIC = "test test test test test test test test test test test junk";

export interface DevnetAccount {
  readonly address: Address;
  readonly key: Hex;
}

const account = (index: number): DevnetAccount => {
  const hd = mnemonicToAccount(DEVNET_MNEMONIC, { addressIndex: index });
  return {
    address: hd.address.toLowerCase() as Address,
    key: toHex(hd.getHdKey().privateKey as Uint8Array),
  };
};

/** Who is who on the devnet. Committee members are sorted by address, as CommitteeVerifier wants them. */
export const devnetAccounts = {
  deployer: account(0),
  owner: account(1),
  operator: account(2),
  outbox: account(3),
  lease: account(4),
  committee: [account(5), account(6), account(7)].sort((a, b) => (a.address < b.address ? -1 : 1)),
  guardian: account(8),
} as const;
