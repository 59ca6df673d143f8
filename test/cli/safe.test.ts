import { readFileSync } from "node:fs";

import { expect } from "chai";
import Fastify from "fastify";
import {
  createWalletClient,
  encodeAbiParameters,
  encodeFunctionData,
  http,
  parseAbi,
  type Abi,
  type Hex,
} from "viem";
import { privateKeyToAccount } from "viem/accounts";

import { appAbi } from "../../protocol/abi/app.ts";
import type { Address } from "../../protocol/words/hex.ts";
import { devnetAccounts, type DevnetAccount } from "../../scripts/devnet/accounts.ts";
import { deploySafeContracts, type SafeContracts } from "../../scripts/devnet/safeContracts.ts";
import { batchChecksum, type Batch } from "../../cli/support/safe/transactionBuilder.ts";
import type { SafeFile } from "../../cli/support/safe/safeFile.ts";
import { safeTransaction, safeTxHash } from "../../cli/support/safe/safeTransaction.ts";
import { startGovernedChain, type GovernedChain } from "./support/governedChain.ts";
import { runCharter, type Run } from "./support/runCharter.ts";

const { owner, operator, guardian, outbox, deployer, lease } = devnetAccounts;
const NOTICE = 100;
type SignedFile = SafeFile & { signed: string[]; missing: string[]; isEnough: boolean };

describe("charter --safe, against the real Safe 1.5.0", function () {
  this.timeout(180_000);
  let chain: GovernedChain;
  let safes: SafeContracts;
  let contracts: string;
  let salt = 0;
  let files = 0;

  before(async () => {
    chain = await startGovernedChain();
    safes = await deploySafeContracts(chain.anvil.url, deployer);
    contracts = chain.folder.file(
      "safe-contracts.json",
      JSON.stringify({ [chain.deployment.chainId]: safes.addresses }),
    );
  });
  after(() => chain.stop());

  const run = (account: DevnetAccount, ...args: string[]): Promise<Run> =>
    chain.as(account, "--safe-contracts", contracts, ...args);
  const done = async <T = Record<string, unknown>>(account: DevnetAccount, ...args: string[]): Promise<T> => {
    const ended = await run(account, ...args);
    expect(ended.stderr, args.join(" ")).to.equal("");
    expect(ended.exitCode).to.equal(0);
    return ended.result<T>();
  };
  const refused = async (
    code: string,
    account: DevnetAccount,
    ...args: string[]
  ): Promise<Record<string, unknown>> => {
    const ended = await run(account, ...args);
    expect(ended.error().code, ended.stderr).to.equal(code);
    expect(ended.exitCode).to.be.oneOf([1, 2]);
    return ended.error().details;
  };
  const newFile = (): string => chain.folder.path(`safe-${++files}.json`);
  const compose = (image: string, environment = ""): string[] => {
    const text = `services:\n  web:\n    image: ${image}\n${environment}`;
    const file = chain.folder.file(`${image.replace(/\W/g, "-")}.yml`, text);
    return ["--compose", file, "--name", "hello", "--lease-signer", lease.address];
  };
  const control = async (app: Address) => done<{ owner: string; level: string }>(owner, "control", app);

  const create = async (...more: string[]): Promise<Address> => {
    const unique = `0x${(++salt).toString(16).padStart(64, "0")}`;
    const rules = ["--notice", String(NOTICE), "--salt", unique, ...more];
    return (await done<{ app: Address }>(owner, "app", "create", ...compose("busybox:1.36"), ...rules)).app;
  };
  const twoOfThree = (): Promise<Address> =>
    safes.createSafe([owner.address, operator.address, guardian.address], 2);
  /** An app that a 2-of-3 Safe owns from its first block; `as` begins the Safe's transaction. */
  const governed = async (): Promise<{ safe: Address; app: Address; as: string[] }> => {
    const safe = await twoOfThree();
    return { safe, app: await create("--owner", safe), as: ["--safe", safe, "--safe-tx"] };
  };

  it("becomes an app's owner by two of three, and the former owner can do nothing alone", async () => {
    const safe = await twoOfThree();
    const app = await create();
    await done(owner, "owner", "transfer", app, safe);
    const accept = ["--safe", safe, "--safe-tx", newFile(), "owner", "accept", app];
    await done(owner, ...accept);
    expect((await control(app)).owner.toLowerCase()).to.equal(owner.address);
    await done(operator, "--execute", ...accept);
    expect((await control(app)).owner.toLowerCase()).to.equal(safe);
    const alone = await refused("chain/refused", owner, "release", "revoke", app, "1");
    expect(alone).to.include({ error: "NotOwnerOrGuardian" });
  });

  it("proposes a release by two of three: propose, sign, execute", async () => {
    const { safe, app, as } = await governed();
    const file = newFile();
    const args = [...as, file, "release", "propose", app, ...compose("busybox:1.37", "    ports: [80:80]\n")];
    const proposed = await done<SignedFile>(owner, ...args, "--title", "Listen");
    expect(proposed).to.include({ safe, chainId: chain.deployment.chainId, isEnough: false });
    expect(proposed.signed).to.deep.equal([owner.address]);
    expect(proposed.missing).to.have.members([operator.address, guardian.address]);
    expect(JSON.parse(readFileSync(file, "utf8"))).to.have.all.keys(
      ...["safe", "chainId", "transaction", "safeTxHash", "signatures"],
    );

    const shown = await runCharter(
      ["--safe-contracts", contracts, "safe", "show", file],
      chain.environment(outbox),
    );
    expect(shown.stderr).to.equal("");
    expect(shown.stdout).to.include(`app ${app}: propose\n`).and.include("  expectedPredecessor 1\n");
    expect(shown.stdout).to.include("\nnote Listen\n").and.include("needed        2 of 3 owners\n");
    expect(shown.stdout).to.include("  changed service web: image: busybox:1.36 -> busybox:1.37\n");
    expect(shown.stdout).to.include("  added service web: ports: 80:80");

    const signed = await done<SignedFile>(operator, "safe", "sign", file);
    expect(signed).to.include({ isEnough: true });
    // Anyone may pay for it.
    await done(outbox, "safe", "execute", file);
    const { releases } = await done<{ releases: object[] }>(owner, "release", "list", app);
    expect(releases).to.have.length(2);
    const again = await refused("safe/nonce-used", outbox, "safe", "execute", file);
    expect(again).to.include({ expected: 1, actual: 0 });
  });

  it("gives the command's own result where the last signature executes", async () => {
    const { app, as } = await governed();
    const args = [...as, newFile(), "release", "propose", app, ...compose("busybox:1.38")];
    await done(owner, ...args);
    // The relayer knows one publisher; the bytes are there already.
    const file = args[3] as string;
    const early = await refused(
      "safe/too-few-signatures",
      owner,
      ...args.slice(0, 4),
      "--execute",
      ...args.slice(4),
    );
    expect(early).to.deep.include({ expected: 2, actual: 1, missing: [operator.address, guardian.address] });
    await done(guardian, "safe", "sign", file);
    const result = await done(owner, ...args.slice(0, 4), "--execute", ...args.slice(4));
    expect(result).to.include({ app, release: 2 });
  });

  it("renounces by Safe, and says what that forbids", async () => {
    const { app, as } = await governed();
    const renounce = [...as, newFile(), "renounce", app, "--to", "Sealed", "--yes"];
    const first = await runCharter(["--safe-contracts", contracts, ...renounce], chain.environment(operator));
    expect(first.stderr)
      .to.include("Sealed forbids from now on:")
      .and.include(`app ${app}: raiseLevel\n  level Sealed`);
    expect((await control(app)).level).to.equal("Open");
    const result = await done(guardian, "--execute", ...renounce);
    expect(result).to.include({ level: "Sealed" });
    expect((await control(app)).level).to.equal("Sealed");
  });

  it("executes nothing with one signature too few", async () => {
    const { app, as } = await governed();
    const file = newFile();
    await done(owner, ...as, file, "release", "revoke", app, "1");
    // Not even when an owner sends it, whose sending would count as an approval to the Safe.
    const details = await refused("safe/too-few-signatures", operator, "safe", "execute", file);
    expect(details).to.include({ expected: 2, actual: 1 });
    const { releases } = await done<{ releases: { revoked: boolean }[] }>(owner, "release", "list", app);
    expect(releases[0]).to.include({ revoked: false });
  });

  it("counts an owner's approval on chain, as an owner that is a contract gives it", async () => {
    const { safe, app, as } = await governed();
    const file = newFile();
    const { safeTxHash: hash } = await done<SignedFile>(owner, ...as, file, "release", "revoke", app, "1");
    const approver = createWalletClient({
      account: privateKeyToAccount(guardian.key),
      transport: http(chain.anvil.url),
    });
    await approver.writeContract({
      chain: null,
      address: safe,
      abi: parseAbi(["function approveHash(bytes32 hashToApprove)"]),
      functionName: "approveHash",
      args: [hash],
    });
    const shown = await done<SignedFile & { approved: string[] }>(outbox, "safe", "show", file);
    expect(shown).to.deep.include({ approved: [guardian.address], isEnough: true });
    await done(outbox, "safe", "execute", file);
    const { releases } = await done<{ releases: { revoked: boolean }[] }>(owner, "release", "list", app);
    expect(releases[0]).to.include({ revoked: true });
  });

  it("counts today's owners only, and signs for nobody else", async () => {
    const { safe, app, as } = await governed();
    const file = newFile();
    await refused("safe/not-an-owner", outbox, ...as, file, "release", "revoke", app, "1");
    await done(owner, ...as, file, "release", "revoke", app, "1");
    await refused("safe/not-an-owner", outbox, "safe", "sign", file);
    const stranger = await safes.createSafe([operator.address, guardian.address], 2);
    const moved = JSON.parse(readFileSync(file, "utf8")) as SafeFile;
    const { transaction, signatures } = moved;
    const hash = safeTxHash(chain.deployment.chainId, stranger, transaction);
    const forged = chain.folder.file(
      "forged.json",
      JSON.stringify({ ...moved, safe: stranger, safeTxHash: hash }),
    );
    await refused("safe/signature-invalid", operator, "safe", "sign", forged);
    await refused("safe/wrong-safe", operator, "--safe", stranger, "safe", "sign", file);
    expect(Object.keys(signatures)).to.deep.equal([owner.address]);
    expect(safe).to.not.equal(stranger);
  });

  it("refuses a file that was tampered with, or is for another chain, at every step", async () => {
    const { safe, app, as } = await governed();
    const file = newFile();
    await done(owner, ...as, file, "release", "revoke", app, "1");
    const honest = JSON.parse(readFileSync(file, "utf8")) as SafeFile;
    const raise = encodeFunctionData({ abi: appAbi, functionName: "raiseLevel", args: [4] });
    const tampered = { ...honest, transaction: { ...honest.transaction, data: raise } };
    const path = chain.folder.file("tampered.json", JSON.stringify(tampered));
    for (const step of ["show", "sign", "execute"]) {
      await refused("safe/hash-mismatch", operator, "safe", step, path);
    }
    const chainId = chain.deployment.chainId + 1;
    const foreign = { ...honest, chainId, safeTxHash: safeTxHash(chainId, safe, honest.transaction) };
    const abroad = chain.folder.file("foreign.json", JSON.stringify(foreign));
    await refused("safe/wrong-chain", operator, "safe", "sign", abroad);
  });

  it("signs no release whose bytes are others than its hashes say, or that its note does not tell of", async () => {
    const { app, as } = await governed();
    const file = newFile();
    await done(owner, ...as, file, "release", "propose", app, ...compose("busybox:1.39"));
    const liar = Fastify();
    liar.get("/ipfs/:cid", () => "other bytes");
    const url = await liar.listen({ host: "127.0.0.1", port: 0 });
    await refused("ipfs/hash-mismatch", operator, "--relayer", url, "safe", "sign", file);
    await refused("ipfs/hash-mismatch", operator, "--relayer", url, "safe", "show", file);
    await liar.close();
    expect(Object.keys((JSON.parse(readFileSync(file, "utf8")) as SafeFile).signatures)).to.have.length(1);

    const images = [{ service: "web", image: "busybox:1.0", digest: null }];
    const note = chain.folder.file("note.json", JSON.stringify({ title: "Other", images }));
    const args = ["release", "propose", app, ...compose("busybox:1.40"), "--note", note];
    const details = await refused("release/note-disagrees", owner, ...as, newFile(), ...args);
    expect(details.disagreements).to.deep.equal([
      "image of web: busybox:1.0 in the note, busybox:1.40 in the manifest",
    ]);
    const older = chain.folder.file(
      "older.json",
      JSON.stringify({ title: "Older", predecessor: `0x${"12".repeat(32)}` }),
    );
    await refused(
      "release/note-disagrees",
      owner,
      "--safe-tx",
      newFile(),
      ...as.slice(0, 2),
      ...args.slice(0, -1),
      older,
    );
  });

  it("signs no call that it cannot put in words, nor code by its hash alone", async () => {
    const { safe, app } = await governed();
    const { chainId } = chain.deployment;
    const addComposeHash = encodeFunctionData({
      abi: appAbi,
      functionName: "addComposeHash",
      args: [`0x${"11".repeat(32)}`],
    });
    const calls: [Address, Hex][] = [
      [outbox.address, "0x"],
      [app, "0xdeadbeef"],
      [app, addComposeHash],
    ];
    for (const [to, data] of calls) {
      const transaction = safeTransaction({ to, value: 0n, data }, 0);
      const content = {
        safe,
        chainId,
        transaction,
        safeTxHash: safeTxHash(chainId, safe, transaction),
        signatures: {},
      };
      const file = chain.folder.file("strange.json", JSON.stringify(content));
      expect((await run(operator, "safe", "show", file)).exitCode).to.equal(0);
      await refused("safe/not-understood", operator, "safe", "sign", file);
    }
  });

  it("refuses before anyone signs what the contract would refuse, with the contract's own error", async () => {
    const { app, as } = await governed();
    const missing = await refused("chain/refused", owner, ...as, newFile(), "release", "revoke", app, "9");
    expect(missing).to.have.property("error");
    // A later place in the queue cannot be tried yet; it is when its turn comes.
    const file = newFile();
    const veto = ["--safe-nonce", "1", ...as, file, "release", "veto", app, "2"];
    await done(owner, ...veto);
    await done(operator, ...veto);
    const early = await refused("safe/nonce-not-next", outbox, "safe", "execute", file);
    expect(early).to.include({ expected: 0, actual: 1 });
    const guardianSet = [...as, newFile(), "guardian", "set", app, guardian.address];
    await done(owner, ...guardianSet);
    await done(operator, "--execute", ...guardianSet);
    const refusal = await refused("chain/refused", outbox, "safe", "execute", file);
    expect(refusal).to.have.property("error");
  });

  it("puts one transaction in one file", async () => {
    const { app, as } = await governed();
    const file = newFile();
    await done(owner, ...as, file, "release", "revoke", app, "1");
    await refused("safe/file-differs", operator, ...as, file, "renounce", app, "--to", "Noticed", "--yes");
  });

  it("writes the Transaction Builder's JSON, with its checksum", async () => {
    const { safe, app } = await governed();
    const file = newFile();
    const entries = ["TcbStatus:OutOfDate=1", "Grace=60"];
    const exported = await done(
      owner,
      "--safe",
      safe,
      "--export",
      file,
      "settings",
      "loosen",
      app,
      ...entries,
    );
    const batch = JSON.parse(readFileSync(file, "utf8")) as Batch;
    expect(batch).to.include({ version: "1.0", chainId: String(chain.deployment.chainId) });
    expect(exported.checksum).to.equal(batch.meta.checksum).and.equal(batchChecksum(batch));
    expect(batchChecksum({ ...batch, meta: { ...batch.meta, name: "renamed" } })).to.equal(
      batch.meta.checksum,
    );
    expect(batchChecksum({ ...batch, chainId: "1" })).to.not.equal(batch.meta.checksum);
    const [transaction] = batch.transactions;
    expect(transaction).to.include({ value: "0", data: null });
    expect(transaction?.to.toLowerCase()).to.equal(app);
    // As the Builder reads it: JSON where a field holds tuples or lists.
    const { inputs, name } = transaction?.contractMethod ?? { inputs: [], name: "" };
    const abi = [
      { type: "function", name, inputs, outputs: [], stateMutability: "nonpayable" },
    ] as unknown as Abi;
    const args = inputs.map((input) => {
      const text = transaction?.contractInputsValues[input.name] ?? "";
      return /^tuple|\]$/.test(input.type) ? asObjects(input, JSON.parse(text)) : text;
    });
    const settingsFile = newFile();
    const signed = await done<SignedFile>(
      owner,
      ...["--safe", safe, "--safe-tx", settingsFile, "settings", "loosen", app, ...entries],
    );
    expect(encodeFunctionData({ abi, functionName: name, args })).to.equal(signed.transaction.data);
    expect((await control(app)).owner.toLowerCase()).to.equal(safe);
  });

  it("says what options mean nothing together, and which actions are no owner's", async () => {
    const { safe, app, as } = await governed();
    const revoke = ["release", "revoke", app, "1"];
    await refused("cli/usage", owner, "--safe", safe, ...revoke);
    await refused("cli/usage", owner, "--safe-tx", newFile(), ...revoke);
    await refused("cli/usage", owner, "--execute", ...revoke);
    await refused("cli/usage", owner, "--safe", safe, "--execute", "safe", "sign", newFile());
    await refused("cli/usage", owner, "--export", newFile(), ...as, newFile(), ...revoke);
    await refused("cli/usage", owner, "--governor", "deployment", ...as, newFile(), ...revoke);
    await refused("cli/usage", owner, ...as, newFile(), "app", "create", ...compose("busybox:1.36"));
    await refused("safe/not-an-owners-action", owner, ...as, newFile(), "dao", "delegate", owner.address);
  });

  it("refuses what is no Safe, and Safe's contracts that are not there", async () => {
    const { app, as } = await governed();
    const revoke = ["release", "revoke", app, "1"];
    await refused("safe/not-a-safe", owner, "--safe", outbox.address, "--safe-tx", newFile(), ...revoke);
    await refused("safe/not-a-safe", owner, "--safe", app, "--safe-tx", newFile(), ...revoke);
    const malformed = chain.folder.file("bad-contracts.json", JSON.stringify({ "31337": {} }));
    await refused(
      "safe/contracts-malformed",
      owner,
      "--safe-contracts",
      malformed,
      ...as,
      newFile(),
      ...revoke,
    );
    const nowhere = Object.fromEntries(Object.keys(safes.addresses).map((name) => [name, outbox.address]));
    const file = chain.folder.file("nowhere.json", JSON.stringify({ [chain.deployment.chainId]: nowhere }));
    await refused("safe/not-connected", owner, "--safe-contracts", file, ...as, newFile(), ...revoke);
    const defaults = await chain.as(owner, ...as, newFile(), ...revoke);
    expect(defaults.error().code).to.equal("safe/not-connected");
    // A contract that says no more than its version.
    const old = `0x${"0d".repeat(20)}`;
    const answer = encodeAbiParameters([{ type: "string" }], ["1.1.1"]);
    await chain.anvil.rpc("anvil_setCode", old, `0x6060600c60003960606000f3${answer.slice(2)}`);
    await refused("safe/version-unsupported", owner, "--safe", old, "--safe-tx", newFile(), ...revoke);
  });
});

interface Input {
  readonly name: string;
  readonly type: string;
  readonly components?: readonly Input[];
}

/** Lists of values → objects by a tuple's names, as viem encodes them. */
function asObjects(input: Input, value: unknown): unknown {
  if (input.type.endsWith("[]")) {
    const item = { ...input, type: input.type.slice(0, -2) };
    return (value as unknown[]).map((one) => asObjects(item, one));
  }
  if (!input.components) return value;
  return Object.fromEntries(
    input.components.map((inner, i) => [inner.name, asObjects(inner, (value as unknown[])[i])]),
  );
}
