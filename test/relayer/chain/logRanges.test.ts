import { expect } from "chai";
import { HttpRequestError, ResponseBodyTooLargeError, RpcRequestError, TimeoutError } from "viem";

import { CharterError } from "../../../protocol/errors/CharterError.ts";
import { LogRanges } from "../../../relayer/chain/LogRanges.ts";
import { isRangeRefusal } from "../../../relayer/chain/rangeRefusal.ts";
import { asChainError } from "../../../relayer/chain/rpc.ts";

const url = "http://127.0.0.1:1";
const body = {};
const rpcError = (message: string, code = -32_005): Error =>
  new RpcRequestError({ body, url, error: { code, message } });
/** As the follower sees a failure. */
const asSeen = (error: Error): Promise<unknown> =>
  asChainError("logs", Promise.reject(error)).catch((seen: unknown) => seen);

/** In the words of geth, Infura, Reth, Nethermind, Besu, Erigon, Alchemy, QuickNode, Ankr, dRPC, Chainstack. */
const REFUSALS = [
  "query returned more than 10000 results",
  "exceed maximum block range: 5000",
  "query exceeds max block range 100000",
  "query exceeds max results 20000, retry with the range 100-200",
  "Too many logs requested. Max logs per response is 20000.",
  "Requested range exceeds maximum RPC range limit",
  "query timeout exceeded",
  "block range greater than 10000 max",
  "Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range",
  "eth_getLogs is limited to a 10,000 range",
  "block range is too wide",
  "ranges over 10000 blocks are not supported on freetier",
  "Block range limit exceeded",
];

describe("ranges of a question for logs", () => {
  for (const text of REFUSALS) {
    it(`are halved on "${text}"`, async () => {
      expect(isRangeRefusal(rpcError(text))).to.equal(true);
      const ranges = new LogRanges(1_000n);
      expect(ranges.failed(1_000n, await asSeen(rpcError(text)))).to.equal(true);
      expect(ranges.size).to.equal(500n);
    });
  }

  it("are halved on HTTP's own status, and on a refusal in unknown words", async () => {
    for (const error of [new HttpRequestError({ body, url, status: 413 }), rpcError("computer says no")]) {
      const ranges = new LogRanges(1_000n);
      expect(ranges.failed(1_000n, await asSeen(error))).to.equal(true);
      expect(ranges.size).to.equal(500n);
    }
  });

  it("are halved on an answer that is longer than is read, which is no silence", async () => {
    const error = new ResponseBodyTooLargeError({ maxSize: 1, size: 2 });
    expect(isRangeRefusal(error)).to.equal(true);
    expect(isRangeRefusal(await asSeen(error))).to.equal(true);
  });

  it("are quartered when the answer takes too long or endpoints disagree", async () => {
    const disagreement = new CharterError("chain/endpoints-disagree", "too few endpoints say the same");
    for (const error of [new TimeoutError({ body, url }), disagreement]) {
      const ranges = new LogRanges(1_000n);
      expect(ranges.failed(1_000n, await asSeen(error))).to.equal(true);
      expect(ranges.size).to.equal(250n);
    }
  });

  it("stay where the node is away or the chain moved, and where one block is too much", async () => {
    const moved = new CharterError("chain/moved", "the chain changed while it was read");
    for (const error of [new HttpRequestError({ body, url }), moved]) {
      const ranges = new LogRanges(1_000n);
      expect(ranges.failed(1_000n, await asSeen(error))).to.equal(false);
      expect(ranges.size).to.equal(1_000n);
    }
    expect(new LogRanges(1n).failed(1n, await asSeen(rpcError("block range is too wide")))).to.equal(false);
  });

  it("grow by an eighth with each whole answer, up to the bound", async () => {
    const ranges = new LogRanges(1_000n);
    ranges.failed(1_000n, await asSeen(rpcError("block range is too wide")));
    ranges.answered(3n);
    expect(ranges.size).to.equal(500n);
    ranges.answered(500n);
    expect(ranges.size).to.equal(563n);
    for (let i = 0; i < 20; i++) ranges.answered(ranges.size);
    expect(ranges.size).to.equal(1_000n);
  });
});
