import { expect } from "chai";

import { classifySendRefusal } from "../../../relayer/outbox/nodeTexts.ts";
import type { SendRefusal } from "../../../relayer/outbox/nodeTexts.ts";

interface Client {
  /** Where the client's own source has these texts. */
  readonly source: string;
  readonly texts: readonly (readonly [string, SendRefusal])[];
}

const CLIENTS: Readonly<Record<string, Client>> = {
  geth: {
    source: "go-ethereum core/txpool/errors.go, core/error.go",
    texts: [
      ["already known", "known"],
      ["nonce too low: next nonce 5, tx nonce 4", "nonce-used"],
      ["transaction underpriced: tip needed 1, tip permitted 0", "underpriced"],
      ["replacement transaction underpriced", "underpriced"],
      ["max fee per gas less than block base fee: address 0x1, maxFeePerGas: 1, baseFee: 7", "underpriced"],
      ["insufficient funds for gas * price + value: balance 0, tx cost 1, overshot 1", "funds"],
      ["exceeds block gas limit", "never"],
      ["intrinsic gas too low: gas 20000, minimum needed 21000", "never"],
      ["oversized data: transaction size 131073, limit 131072", "never"],
      ["transaction type not supported", "never"],
      ["invalid sender", "never"],
      ["account limit exceeded", "other"],
      ["future transaction tries to replace pending", "other"],
      ["authority nonce too low", "other"],
      ["txpool is full", "other"],
      ["tx fee (2.00 ether) exceeds the configured cap (1.00 ether)", "other"],
    ],
  },
  Erigon: {
    source: "erigon txnprovider/txpool/txpoolcfg/txpoolcfg.go, DiscardReason.String",
    texts: [
      ["already known", "known"],
      ["INTERNAL_ERROR: existing tx with same hash", "known"],
      ["existing txn with same hash", "known"],
      ["nonce too low", "nonce-used"],
      ["INTERNAL_ERROR: could not replace existing tx", "underpriced"],
      ["fee too low", "underpriced"],
      ["underpriced", "underpriced"],
      ["replacement transaction underpriced", "underpriced"],
      ["replaced by transaction with higher tip", "underpriced"],
      ["insufficient funds", "funds"],
      ["gas limit is too high", "never"],
      ["IntrinsicGas", "never"],
      ["RLPTooLong", "never"],
      ["oversized data", "never"],
      ["fork supporting this transaction type is not activated yet", "never"],
      ["pending sub-pool is full", "other"],
      ["baseFee sub-pool is full", "other"],
      ["queued sub-pool is full", "other"],
      ["spammer", "other"],
    ],
  },
  Nethermind: {
    source: "nethermind Nethermind.TxPool/AcceptTxResult.cs: its own names, newer versions geth's texts",
    texts: [
      ["AlreadyKnown", "known"],
      ["already known", "known"],
      ["OldNonce, Current nonce: 5, nonce of rejected tx: 4.", "nonce-used"],
      ["nonce too low", "nonce-used"],
      ["ReplacementNotAllowed", "underpriced"],
      ["replacement transaction underpriced", "underpriced"],
      ["FeeTooLow, MaxFeePerGas too low. MaxFeePerGas: 1, BaseFee: 7", "underpriced"],
      ["FeeTooLowToCompete", "underpriced"],
      ["InsufficientFunds, Account balance: 0, cumulative cost: 1", "funds"],
      ["GasLimitExceeded, Gas limit: 1, gas limit of rejected tx: 2", "never"],
      ["MaxTxSizeExceeded", "never"],
      ["NotSupportedTxType", "never"],
      ["NonceGap, Future nonce. Expected nonce: 5", "other"],
      ["NonceTooFarInFuture", "other"],
      ["Syncing", "other"],
    ],
  },
  Besu: {
    source: "besu ethereum/api/.../jsonrpc/internal/response/RpcErrorType.java",
    texts: [
      ["Known transaction", "known"],
      ["Nonce too low", "nonce-used"],
      ["Replacement transaction underpriced", "underpriced"],
      ["Gas price below configured minimum gas price", "underpriced"],
      ["Gas price below current base fee", "underpriced"],
      ["Upfront cost exceeds account balance", "funds"],
      ["Transaction gas limit exceeds block gas limit", "never"],
      ["Transaction gas limit cap exceeded", "never"],
      ["Intrinsic gas exceeds gas limit", "never"],
      ["Invalid transaction type", "never"],
      ["Invalid signature", "never"],
      ["Wrong chainId", "never"],
      ["Transaction nonce is too distant from current sender nonce", "other"],
      ["An invalid transaction with a lower nonce exists", "other"],
      ["Transaction fee cap exceeded", "other"],
      ["Initial sync is still in progress", "other"],
    ],
  },
  Reth: {
    source: "reth crates/rpc/rpc-eth-types/src/error/mod.rs, RpcPoolError and RpcInvalidTransactionError",
    texts: [
      ["already known", "known"],
      ["nonce too low: next nonce 5, tx nonce 4", "nonce-used"],
      ["transaction underpriced", "underpriced"],
      ["replacement transaction underpriced", "underpriced"],
      ["max fee per gas less than block base fee", "underpriced"],
      ["insufficient funds for gas * price + value: have 0 want 1", "funds"],
      ["exceeds block gas limit", "never"],
      ["exceeds max transaction gas limit", "never"],
      ["intrinsic gas too low", "never"],
      ["oversized data: transaction size 200000, limit 131072", "never"],
      ["transaction type not supported", "never"],
      ["txpool is full", "other"],
      ["address already reserved", "other"],
    ],
  },
  anvil: {
    source: "foundry crates/anvil/src/eth/error.rs",
    texts: [
      ["transaction already imported", "known"],
      ["Tx: [0xab] already Imported", "known"],
      ["nonce too low", "nonce-used"],
      ["replacement transaction underpriced", "underpriced"],
      ["Tx: [0xab] insufficient gas price to replace existing transaction", "underpriced"],
      ["max fee per gas less than block base fee", "underpriced"],
      ["Insufficient funds for gas * price + value", "funds"],
      ["intrinsic gas too high -- CallerGasLimitMoreThanBlock", "never"],
      ["intrinsic gas too low", "never"],
      [
        "Transaction gas limit is greater than the block gas limit, gas_limit: 40000000, cap: 30000000",
        "never",
      ],
      ["invalid chain id for signer", "never"],
      ["Nonce too high", "other"],
    ],
  },
};

describe("classifySendRefusal", () => {
  for (const [client, { source, texts }] of Object.entries(CLIENTS)) {
    it(`knows what ${client} says (${source})`, () => {
      const wrong = texts.filter(([text, kind]) => classifySendRefusal(text) !== kind);
      expect(wrong.map(([text, kind]) => [text, kind, classifySendRefusal(text)])).to.deep.equal([]);
    });
  }

  it("classifySendRefusal_textsOfSomethingElse_areRefusals", () => {
    for (const text of ["", "internal error", "execution aborted (timeout = 5s)", "rate limit reached"]) {
      expect(classifySendRefusal(text), text).to.equal("other");
    }
  });
});
