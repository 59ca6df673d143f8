import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";
import { Wallet } from "ethers";
import { parseTransaction } from "viem";
import type { TransactionSerializedEIP1559 } from "viem";
import { privateKeyToAccount } from "viem/accounts";

import { isCharterError } from "../../../protocol/errors/CharterError.ts";
import type { Address } from "../../../protocol/words/hex.ts";
import type { UnsignedTransaction } from "../../../relayer/outbox/seams.ts";
import { openKeystore } from "../../../relayer/outbox/signers/keystore.ts";
import { localSigner } from "../../../relayer/outbox/signers/localSigner.ts";
import { remoteSigner } from "../../../relayer/outbox/signers/remoteSigner.ts";
import { startJsonRpc } from "../support/jsonRpc.ts";
import type { JsonRpc } from "../support/jsonRpc.ts";

const KEY = `0x${"11".repeat(32)}` as const;
const account = privateKeyToAccount(KEY);
const address = account.address.toLowerCase() as Address;

const transaction: UnsignedTransaction = {
  type: "eip1559",
  chainId: 31_337,
  nonce: 7,
  to: `0x${"aa".repeat(20)}` as Address,
  data: "0x1234",
  value: 0n,
  gas: 100_000n,
  maxFeePerGas: 30n,
  maxPriorityFeePerGas: 2n,
};

const codeOf = (run: Promise<unknown>): Promise<string> =>
  run.then(
    () => "signed",
    (error: unknown) => (isCharterError(error) ? error.code : String(error)),
  );

describe("an encrypted account's file", () => {
  let dir: string;
  const path = (name: string): string => join(dir, name);
  let file: Record<string, unknown>;
  before(() => {
    dir = mkdtempSync(join(tmpdir(), "charter-keystore-"));
    // Written by another library than the one that reads it.
    const text = new Wallet(KEY).encryptSync("correct horse");
    file = JSON.parse(text) as Record<string, unknown>;
    writeFileSync(path("key.json"), text);
    writeFileSync(path("password"), "correct horse\n");
    writeFileSync(path("wrong"), "wrong horse");
  });
  after(() => rmSync(dir, { recursive: true }));

  const code = (name: string, password = "password"): string => {
    try {
      return openKeystore(path(name), path(password)).address;
    } catch (error) {
      return isCharterError(error) ? `${error.code} ${JSON.stringify(error)}` : String(error);
    }
  };

  it("opens with its password", () => {
    expect(code("key.json")).to.equal(account.address);
  });

  it("refuses another password, and says nothing of either", () => {
    const said = code("key.json", "wrong");
    expect(said)
      .to.match(/^config\/keystore /)
      .and.not.to.contain("horse");
  });

  it("refuses files that are absent, no such file, or would take all memory", () => {
    expect(code("absent.json")).to.match(/^config\/keystore /);
    expect(code("key.json", "absent")).to.match(/^config\/keystore /);
    const crypto = (file.crypto ?? file.Crypto) as { kdfparams: object };
    const bad: Record<string, unknown> = {
      "text.json": "no JSON",
      "list.json": [],
      "version.json": { ...file, version: 1 },
      "cipher.json": { ...file, crypto: { ...crypto, cipher: "aes-128-cbc" } },
      "memory.json": { ...file, crypto: { ...crypto, kdfparams: { ...crypto.kdfparams, n: 2 ** 24 } } },
      "mac.json": { ...file, crypto: { ...crypto, mac: "00".repeat(32) } },
    };
    for (const [name, content] of Object.entries(bad)) {
      writeFileSync(
        path(name),
        typeof content === "string" ? content : JSON.stringify({ ...(content as object), Crypto: undefined }),
      );
      expect(code(name), name).to.match(/^config\/keystore /);
    }
  });
});

describe("a remote signer", () => {
  let rpc: JsonRpc;
  afterEach(() => rpc.stop());
  const sign = async (answer: unknown): Promise<string> => {
    rpc = await startJsonRpc({ eth_signTransaction: answer });
    return codeOf(remoteSigner({ url: rpc.url, address }).signTransaction(transaction));
  };

  it("is asked for exactly this transaction, and what it gives is what a local key gives", async () => {
    const expected = await localSigner(account).signTransaction(transaction);
    rpc = await startJsonRpc({ eth_signTransaction: expected });
    const raw = await remoteSigner({ url: rpc.url, address }).signTransaction(transaction);
    expect(raw).to.equal(expected);
    expect(parseTransaction(raw as TransactionSerializedEIP1559).nonce).to.equal(7);
    expect(rpc.calls[0]?.params).to.deep.equal([
      {
        from: address,
        to: transaction.to,
        data: "0x1234",
        chainId: "0x7a69",
        nonce: "0x7",
        value: "0x0",
        gas: "0x186a0",
        maxFeePerGas: "0x1e",
        maxPriorityFeePerGas: "0x2",
      },
    ]);
  });

  const other: Record<string, Partial<UnsignedTransaction>> = {
    "another chain": { chainId: 1 },
    "another nonce": { nonce: 8 },
    "another receiver": { to: `0x${"bb".repeat(20)}` as Address },
    "other data": { data: "0x1235" },
    "a value": { value: 1n },
    "more gas": { gas: 100_001n },
    "a higher fee": { maxFeePerGas: 31n },
    "a higher tip": { maxPriorityFeePerGas: 3n },
  };
  for (const [what, change] of Object.entries(other)) {
    it(`is not believed when it signs ${what}`, async () => {
      expect(await sign(await account.signTransaction({ ...transaction, ...change }))).to.equal(
        "outbox/signer-lies",
      );
    });
  }

  it("is not believed when another account signs, or nothing that is a transaction comes", async () => {
    const stranger = privateKeyToAccount(`0x${"22".repeat(32)}`);
    for (const answer of [
      await stranger.signTransaction(transaction),
      await account.signTransaction({
        type: "legacy",
        to: transaction.to,
        gas: 1n,
        gasPrice: 1n,
        chainId: 31_337,
      }),
      "0x",
      "0x02",
      `0x02${"00".repeat(40)}`,
      null,
      7,
    ]) {
      expect(await sign(answer)).to.equal("outbox/signer-lies");
      await rpc.stop();
    }
  });

  it("fails by its own code when it refuses or does not answer", async () => {
    expect(await sign({ error: { code: -32_000, message: "locked" } })).to.equal("outbox/signer-unreachable");
    await rpc.stop();
    const gone = remoteSigner({ url: rpc.url, address });
    expect(await codeOf(gone.signTransaction(transaction))).to.equal("outbox/signer-unreachable");
  });
});
