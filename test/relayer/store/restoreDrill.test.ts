import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { expect } from "chai";
import { encodeFunctionData, keccak256, toHex } from "viem";
import type { PublicClient } from "viem";
import { privateKeyToAccount } from "viem/accounts";

import { advisorySetsAbi } from "../../../protocol/abi/advisorySets.ts";
import type { Deployment } from "../../../protocol/deployment/deployment.ts";
import type { Address, Bytes32, Hex } from "../../../protocol/words/hex.ts";
import { createChainClient } from "../../../relayer/chain/client.ts";
import { Follower } from "../../../relayer/chain/follower.ts";
import { Outbox } from "../../../relayer/outbox/outbox.ts";
import { localSigner } from "../../../relayer/outbox/signers/localSigner.ts";
import { viemOutboxChain } from "../../../relayer/outbox/viemChain.ts";
import { openStore } from "../../../relayer/store/store.ts";
import type { Store } from "../../../relayer/store/store.ts";
import { startAnvil } from "../../support/anvil.ts";
import type { Anvil } from "../../support/anvil.ts";
import { freshDatabase } from "../../support/postgres.ts";
import { APP, emitApp, placeDeployment, word } from "../chain/scene.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const ARTIFACT = "artifacts/contracts/attestation/AdvisorySets.sol/AdvisorySets.json";

/** What an operator does after losing the database, with the program that they do it with. */
describe("restore drill", function () {
  this.timeout(120_000);
  const dir = mkdtempSync(join(tmpdir(), "charter-drill-"));
  const signer = localSigner(privateKeyToAccount(word(0x51)));
  let anvil: Anvil;
  let client: PublicClient;
  let deployment: Deployment;
  let sets: Address;
  const open: Store[] = [];

  before(async () => {
    anvil = await startAnvil(["--no-mining"]);
    client = createChainClient([anvil.url]);
    deployment = await placeDeployment(anvil);
    sets = deployment.advisorySets;
    // A real contract, which does a thing once however often it is asked.
    const { deployedBytecode } = JSON.parse(readFileSync(join(ROOT, ARTIFACT), "utf8")) as {
      deployedBytecode: Hex;
    };
    await anvil.rpc("anvil_setCode", sets, deployedBytecode);
    await anvil.rpc("anvil_setBalance", signer.address, "0x8ac7230489e80000");
    await mine(1);
  });
  after(async () => {
    for (const store of open) await store.close();
    await anvil.stop();
    rmSync(dir, { recursive: true });
  });

  const mine = (blocks: number) => anvil.rpc("anvil_mine", `0x${blocks.toString(16)}`);
  const openAt = async (url: string): Promise<Store> => {
    const store = await openStore(url);
    open.push(store);
    return store;
  };
  const backup = (url: string, command: "save" | "restore", file: string) =>
    spawnSync(process.execPath, ["relayer/backup.ts", command, join(dir, file)], {
      cwd: ROOT,
      env: { DATABASE_URL: url },
      encoding: "utf8",
    });
  const request = (n: number) => ({
    id: word(0xd0 + n),
    to: sets,
    data: encodeFunctionData({
      abi: advisorySetsAbi,
      functionName: "publish",
      args: [[`INTEL-SA-0000${n}`]],
    }),
    label: "drill",
  });
  const outboxOver = (store: Store) =>
    new Outbox({ chainId: 31_337, chain: viemOutboxChain(client, 2), store: store.intents, signer });
  /** Runs until every one of these is final. */
  const settle = async (box: Outbox, ids: readonly Bytes32[]) => {
    for (let round = 0; round < 20; round++) {
      await box.tick();
      const states = await Promise.all(ids.map(async (id) => (await box.intentById(id))?.state));
      if (states.every((state) => state === "final")) return;
      await mine(1);
    }
    expect.fail("intents did not become final");
  };
  const published = async () =>
    (await client.getContractEvents({ address: sets, abi: advisorySetsAbi, fromBlock: 0n })).map(
      ({ args }) => args.digest as Bytes32,
    );
  const sent = () => client.getTransactionCount({ address: signer.address });
  const dump = async (store: Store) => {
    const tables = ["intents", "transactions", "blocks", "events", "chain_cursor"];
    const rows = tables.map((table) => store.pool.query(`SELECT * FROM ${table} t ORDER BY t::text`));
    return JSON.stringify((await Promise.all(rows)).map((answer) => answer.rows as unknown[]));
  };
  const followed = async (store: Store) => {
    const follower = new Follower({ client, store, deployment, finality: 2 });
    await follower.start();
    return follower.projection();
  };

  let firstUrl: string;
  let wanted: Bytes32[];
  before(async () => {
    firstUrl = await freshDatabase();
    const store = await openAt(firstUrl);
    await emitApp(anvil, deployment, APP, word(0x1001));
    await mine(3);
    await followed(store);
    const box = outboxOver(store);
    const one = await box.plan(request(1));
    await settle(box, [one.id]);
    expect(JSON.parse(backup(firstUrl, "save", "stale.jsonl").stdout))
      .to.have.property("rows")
      .that.is.above(3);
    const more = [await box.plan(request(2)), await box.plan(request(3))];
    await settle(
      box,
      more.map(({ id }) => id),
    );
    await followed(store);
    wanted = [1, 2, 3].map((n) => keccak256(toHex(`INTEL-SA-0000${n}`)) as Bytes32);
    expect(await published()).to.deep.equal(wanted);
    expect(backup(firstUrl, "save", "fresh.jsonl").status).to.equal(0);
  });

  it("freshBackup_restored_isTheDatabaseThatWasLost", async () => {
    const lost = await dump(open[0] as Store);
    await open[0]?.close();
    open.shift();
    const name = new URL(firstUrl).pathname.slice(1);
    const url = await freshDatabase();
    const admin = await openAt(url);
    await admin.pool.query(`DROP DATABASE ${name} WITH (FORCE)`);

    const run = backup(url, "restore", "fresh.jsonl");
    expect([run.status, run.stderr]).to.deep.equal([0, ""]);
    expect(await dump(admin)).to.equal(lost);
    const before = await sent();
    const box = outboxOver(admin);
    for (const n of [1, 2, 3]) expect((await box.plan(request(n))).state).to.equal("final");
    await box.tick();
    await mine(3);
    expect(await sent()).to.equal(before);
    expect((await box.plan(request(4))).state).to.equal("planned");
    await settle(box, [request(4).id]);
    expect((await box.intentById(request(4).id))?.nonce).to.equal(BigInt(before));
  });

  it("staleBackup_restored_takesNoUsedNonceAndDoesNothingTwice", async () => {
    const url = await freshDatabase();
    expect(backup(url, "restore", "stale.jsonl").status).to.equal(0);
    const store = await openAt(url);
    const { rows } = await store.pool.query<{ next_nonce: string }>("SELECT next_nonce FROM signer_lease");
    const chain = await sent();
    expect(Number(rows[0]?.next_nonce)).to.be.below(chain);
    // The relayer finds anew what it had done since, and asks for it again.
    const box = outboxOver(store);
    const again = [await box.plan(request(2)), await box.plan(request(3))];
    await settle(
      box,
      again.map(({ id }) => id),
    );
    const nonces = await Promise.all(again.map(async ({ id }) => (await box.intentById(id))?.nonce));
    expect(nonces).to.deep.equal([BigInt(chain), BigInt(chain) + 1n]);
    for (const digest of wanted)
      expect((await published()).filter((one) => one === digest)).to.have.length(1);
  });

  it("projection_ofARestoredDatabase_isThatOfARebuild", async () => {
    const urls = [await freshDatabase(), await freshDatabase()] as const;
    expect(backup(urls[0], "restore", "stale.jsonl").status).to.equal(0);
    const [restored, rebuilt] = await Promise.all(urls.map(openAt));
    const [one, other] = [await followed(restored as Store), await followed(rebuilt as Store)];
    expect(one.final).to.deep.equal(other.final);
    expect(one.newest).to.deep.equal(other.newest);
    expect(one.newest.state.apps.has(APP)).to.equal(true);
    expect(one.newest.state.library.advisorySets.size).to.be.above(2);
  });

  it("backup_intoAUsedDatabase_orBroken_isRefusedWhole", async () => {
    const url = await freshDatabase();
    const store = await openAt(url);
    const lines = readFileSync(join(dir, "fresh.jsonl"), "utf8").split("\n");
    const code = (file: string) => {
      const run = backup(url, "restore", file);
      expect(run.status).to.equal(1);
      return (JSON.parse(run.stderr) as { error: { code: string } }).error.code;
    };
    writeFileSync(join(dir, "cut.jsonl"), [...lines.slice(0, 4), lines[4]?.slice(0, 30)].join("\n"));
    expect(code("cut.jsonl")).to.equal("backup/malformed");
    writeFileSync(
      join(dir, "other.jsonl"),
      [JSON.stringify({ charterBackup: 1, schema: ["x"] }), ...lines.slice(1)].join("\n"),
    );
    expect(code("other.jsonl")).to.equal("backup/other-schema");
    const { rows } = await store.pool.query("SELECT 1 FROM blocks");
    expect(rows).to.deep.equal([]);
    expect(backup(url, "restore", "fresh.jsonl").status).to.equal(0);
    expect(code("fresh.jsonl")).to.equal("backup/not-empty");
    const mode = execFileSync("stat", ["-c", "%a", join(dir, "fresh.jsonl")], { encoding: "utf8" });
    expect(mode.trim()).to.equal("600");
  });
});
