import { expect } from "chai";
import { AbiCoder, id, keccak256 } from "ethers";

import { reportData, type Binding } from "../../../protocol/evidence/index.ts";
import { parseAddress, parseBytes32 } from "../../../protocol/words/hex.ts";

const binding: Binding = {
  purpose: "instance",
  chainId: 31_337,
  consumer: parseAddress(`0x${"01".repeat(20)}`),
  subject: parseAddress(`0x${"02".repeat(20)}`),
  key: parseAddress(`0x${"03".repeat(20)}`),
  blockNumber: 7n,
  blockHash: parseBytes32(`0x${"04".repeat(32)}`),
};

describe("reportData", () => {
  it("is keccak256(abi.encode(…)) as Solidity computes it, for instances and nodes", () => {
    for (const purpose of ["instance", "node"] as const) {
      const encoded = AbiCoder.defaultAbiCoder().encode(
        ["bytes32", "uint256", "address", "address", "address", "uint64", "bytes32"],
        [
          id(`charter.${purpose}.v1`),
          binding.chainId,
          binding.consumer,
          binding.subject,
          binding.key,
          binding.blockNumber,
          binding.blockHash,
        ],
      );
      expect(reportData({ ...binding, purpose })).to.equal(`${keccak256(encoded)}${"00".repeat(32)}`);
    }
  });

  it("differs with every field that it binds", () => {
    const other = parseAddress(`0x${"09".repeat(20)}`);
    const changed: Binding[] = [
      { ...binding, purpose: "node" },
      { ...binding, chainId: 1 },
      { ...binding, consumer: other },
      { ...binding, subject: other },
      { ...binding, key: other },
      { ...binding, blockNumber: 8n },
      { ...binding, blockHash: parseBytes32(`0x${"05".repeat(32)}`) },
    ];
    expect(new Set([binding, ...changed].map((each) => reportData(each))).size).to.equal(changed.length + 1);
  });

  it("carries the GPU digest in its second half", () => {
    const gpuDigest = parseBytes32(`0x${"06".repeat(32)}`);
    const data = reportData({ ...binding, gpuDigest });
    expect(data.slice(0, 66)).to.equal(reportData(binding).slice(0, 66));
    expect(data.slice(66)).to.equal("06".repeat(32));
  });
});
