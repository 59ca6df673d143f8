import { readFileSync } from "node:fs";

import { expect } from "chai";
import { sign } from "viem/accounts";

import {
  readSafeFile,
  withSignature,
  writeSafeFile,
  type SafeFile,
} from "../../../cli/support/safe/safeFile.ts";
import { safeTransaction, safeTxHash } from "../../../cli/support/safe/safeTransaction.ts";
import type { Address } from "../../../protocol/words/hex.ts";
import { devnetAccounts } from "../../../scripts/devnet/accounts.ts";
import { makeFolder, type Folder } from "../support/folder.ts";

const { owner, operator } = devnetAccounts;
const CHAIN = 31337;
const safe = `0x${"5a".repeat(20)}` as Address;
const to = `0x${"a1".repeat(20)}` as Address;

describe("readSafeFile", () => {
  let folder: Folder;
  let honest: SafeFile;

  before(async () => {
    folder = makeFolder();
    const transaction = safeTransaction({ to, value: 0n, data: "0x20c5429b" }, 3);
    const hash = safeTxHash(CHAIN, safe, transaction);
    const signature = await sign({ hash, privateKey: owner.key, to: "hex" });
    const file = { safe, chainId: CHAIN, transaction, safeTxHash: hash, signatures: {} };
    honest = withSignature(file, owner.address, signature);
  });
  after(() => folder.remove());

  const read = (content: unknown, expected = {}): Promise<SafeFile> =>
    readSafeFile(folder.file("file.json", typeof content === "string" ? content : JSON.stringify(content)), {
      chainId: CHAIN,
      safe: null,
      ...expected,
    });
  const refused = async (code: string, content: unknown, expected = {}): Promise<void> => {
    const outcome = await read(content, expected).catch((error: unknown) => error);
    expect(outcome, JSON.stringify(content)).to.have.property("code", code);
  };

  it("reads what was written", async () => {
    const path = folder.path("written.json");
    writeSafeFile(path, honest);
    expect(await readSafeFile(path, { chainId: CHAIN, safe })).to.deep.equal(honest);
    expect(readFileSync(path, "utf8")).to.match(/^\{\n {2}"safe"/);
  });

  it("computes the hash anew: no field of the transaction, chain or Safe can change under a signature", async () => {
    const { transaction } = honest;
    const other = `0x${"12".repeat(20)}`;
    await refused("safe/hash-mismatch", { ...honest, transaction: { ...transaction, to: other } });
    await refused("safe/hash-mismatch", { ...honest, transaction: { ...transaction, data: "0x20c5429c" } });
    await refused("safe/hash-mismatch", { ...honest, transaction: { ...transaction, nonce: 4 } });
    await refused("safe/hash-mismatch", { ...honest, safe: other });
    await refused("safe/hash-mismatch", { ...honest, safeTxHash: `0x${"12".repeat(32)}` });
  });

  it("recovers every signer", async () => {
    const { transaction, signatures } = honest;
    const signature = signatures[owner.address] ?? "0x";
    const moved = { ...transaction, nonce: 4 };
    const elsewhere = { ...honest, transaction: moved, safeTxHash: safeTxHash(CHAIN, safe, moved) };
    await refused("safe/signature-invalid", elsewhere);
    await refused("safe/signature-invalid", { ...honest, signatures: { [operator.address]: signature } });
    const flipped = `${signature.slice(0, 20)}${signature[20] === "0" ? "1" : "0"}${signature.slice(21)}`;
    await refused("safe/signature-invalid", { ...honest, signatures: { [owner.address]: flipped } });
  });

  it("is for the chain at hand, and for the Safe that was named", async () => {
    const abroad = { ...honest, chainId: 1, safeTxHash: safeTxHash(1, safe, honest.transaction) };
    await refused("safe/wrong-chain", abroad);
    await refused("safe/wrong-safe", honest, { safe: to });
  });

  it("takes plain calls only: no delegate call, no value, no refund, no gas limit of its own", async () => {
    const set = (change: object) => ({ ...honest, transaction: { ...honest.transaction, ...change } });
    for (const change of [
      { operation: 1 },
      { value: "1" },
      { refundReceiver: to },
      { gasToken: to },
      { gasPrice: "1" },
      { baseGas: "1" },
      { safeTxGas: "1" },
      { nonce: -1 },
      { nonce: 1.5 },
      { data: "0x1" },
      { more: 1 },
    ]) {
      await refused("safe/file-malformed", set(change));
    }
  });

  it("refuses what is no such file", async () => {
    const text = JSON.stringify(honest);
    const twice = text.replace("{", '{"safe":"0x00",');
    const cases = ["", "[]", "null", "{", twice, { ...honest, more: 1 }, { ...honest, signatures: [] }];
    for (const content of cases) await refused("safe/file-malformed", content);
    const short = { ...honest, signatures: { [owner.address]: "0x1b" } };
    await refused("safe/file-malformed", short);
    const prevalidated = `0x${"00".repeat(12)}${owner.address.slice(2)}${"00".repeat(32)}01`;
    await refused("safe/file-malformed", { ...honest, signatures: { [owner.address]: prevalidated } });
    const missing = await readSafeFile(folder.path("none.json"), { chainId: CHAIN, safe }).catch(
      (e: unknown) => e,
    );
    expect(missing).to.have.property("code", "cli/file-unreadable");
  });
});
