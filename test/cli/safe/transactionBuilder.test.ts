import { expect } from "chai";

import { batchChecksum, transactionBatch, type Batch } from "../../../cli/support/safe/transactionBuilder.ts";
import { appAbi } from "../../../protocol/abi/app.ts";
import type { Address } from "../../../protocol/words/hex.ts";

const account = "0x49d4450977E2c95362C13D3a31a09311E0Ea26A6";
/** The Transaction Builder's own test vector (safe-wallet-monorepo, apps/tx-builder, `checksum.test.ts`). */
const vector = {
  version: "1.0",
  chainId: "4",
  createdAt: 1646321521061,
  meta: {
    name: "test batch file",
    txBuilderVersion: "1.4.0",
    checksum: "",
    createdFromSafeAddress: "0xDF8a1Ce35c9a6ACE153B4e0767942f1E2291a1Aa",
    createdFromOwnerAddress: account,
  },
  transactions: [
    {
      to: account,
      value: "0",
      contractMethod: {
        inputs: [{ internalType: "address", name: "paramAddress", type: "address" }],
        name: "testAddress",
        payable: false,
      },
      contractInputsValues: { paramAddress: account },
    },
    {
      to: account,
      value: "0",
      contractMethod: {
        inputs: [{ internalType: "bool", name: "paramBool", type: "bool" }],
        name: "testBool",
        payable: false,
      },
      contractInputsValues: { paramAddress: "", paramBool: "false" },
    },
    {
      to: account,
      value: "2000000000000000000",
      data: "0x42f4579000000000000000000000000049d4450977e2c95362c13d3a31a09311e0ea26a6",
    },
  ],
};
const CHECKSUM = "0x86c81826dbf7e8a37612153294cc85fdf5c81998dd0a44b86d945502a7eace7c";

describe("batchChecksum", () => {
  it("gives the Transaction Builder's own answer", () => {
    expect(batchChecksum(vector as unknown as Batch)).to.equal(CHECKSUM);
  });
});

describe("transactionBatch", () => {
  it("writes tuples as lists and long numbers as text", () => {
    const value = 2n ** 255n + 1n;
    const entry = { kind: 5, key: `0x${"ab".repeat(32)}`, value } as const;
    const call = { address: account as Address, abi: appAbi, functionName: "loosen", args: [[entry]] };
    const safe = `0x${"11".repeat(20)}` as Address;
    const origin = { chainId: 1, safe, owner: safe, name: "Loosen", description: "", now: 1_800_000_000 };
    const batch = transactionBatch(call, origin);
    const [transaction] = batch.transactions;
    expect(transaction?.contractInputsValues).to.deep.equal({
      changes: JSON.stringify([["5", entry.key, value.toString()]]),
    });
    expect(transaction?.contractMethod.inputs[0]?.components?.map(({ name }) => name)).to.deep.equal([
      ...["kind", "key", "value"],
    ]);
    expect(batch.createdAt).to.equal(1_800_000_000_000);
    expect(batch.meta.checksum).to.equal(batchChecksum(batch));
  });
});
