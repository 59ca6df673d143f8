import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { expect } from "chai";
import type { BaseError } from "viem";
import { ContractFunctionRevertedError, parseEventLogs, type Hex } from "viem";
import { privateKeyToAccount } from "viem/accounts";

import { attestationLedgerAbi } from "../../protocol/abi/attestationLedger.ts";
import { committeeVerifierAbi } from "../../protocol/abi/committeeVerifier.ts";
import { committeeAnswerSchema, nodeInfoSchema } from "../../protocol/session/messages.ts";
import type { EvidenceMessage, VerdictMessage } from "../../protocol/session/messages.ts";
import { instanceEntryTypes, ledgerDomain } from "../../protocol/session/domains.ts";
import { encodeCommitteeProof } from "../../protocol/session/verdict.ts";
import { ProofSystem } from "../../protocol/words/enums.ts";
import { parseBytes32, parseComposeHash, toHex } from "../../protocol/words/hex.ts";
import type { Address, Bytes32, ComposeHash } from "../../protocol/words/hex.ts";
import { freePort } from "../../scripts/devnet/freePort.ts";
import { SIMULATED_IMAGE } from "../../worker/tee/simulator/measurements.ts";
import { simulatedPlatform } from "../../worker/tee/simulator/platform.ts";
import type { Run } from "../cli/support/runCharter.ts";
import { runInProcess } from "../cli/support/runInProcess.ts";
import { createApp } from "../relayer/support/app.ts";
import { chainInfo, digestOf, newKey, send, Worker } from "../relayer/support/guest.ts";
import { startProgram, type Program } from "../relayer/support/program.ts";
import { addressOf, keyOf, startStack, type RelayerReady, type Stack } from "../relayer/support/stack.ts";
import { until } from "../relayer/support/until.ts";
import { freshDatabase } from "../support/postgres.ts";
import { startDstackTd } from "../worker/support/dstackTd.ts";

const sha256 = (text: string): Bytes32 => parseBytes32(toHex(createHash("sha256").update(text).digest()));
const GUESTS = parseComposeHash(sha256('{"manifest_version":2,"name":"guests"}'));
const lower = ({ address }: { address: string }) => address.toLowerCase() as Address;
/** Accounts: who holds the votes, the operators who are to sit, and one more whose machine other guests run on. */
const VOTER = 0;
const OPERATORS = [6, 7, 8];
const HOST = 9;
const machineOf = (account: number): string => `machine of ${account}`;
const GENESIS_SECONDS = 3_600;
const NOTICE_SECONDS = 7_200;

interface Found {
  readonly app: Address | null;
  readonly canSign: boolean;
  readonly seats: { member: Address; marked: boolean; signers: Address[] }[];
}

/** One operator's machine, and the signer that runs on it. */
interface Seat {
  readonly operator: Address;
  readonly account: number;
  readonly node: number;
  readonly signer: Program<{ readonly url: string; readonly signer: Address }>;
  readonly key: Address;
}

/** Evidence of a guest, and what a committee has to sign of it. */
interface Prepared {
  readonly verdict: VerdictMessage;
  readonly signatures: ReadonlyMap<Address, Hex>;
  readonly keySignature: Hex;
}

describe("a committee of operators, whose signers are live instances of the relayer's own app", function () {
  this.timeout(240_000);
  let stack: Stack;
  let relayer: Program<RelayerReady>;
  /** Where the operators' signers listen. */
  let ports: number[];
  let relayerApp: Address;
  /** Path of what the relayer's own app is made of. */
  let manifest: string;
  let guests: Address;
  let guestNode: number;
  const seats: Seat[] = [];
  const closers: (() => Promise<unknown>)[] = [];

  before(async () => {
    stack = await startStack({
      committeeSize: 1,
      genesisSeconds: GENESIS_SECONDS,
      committeeNoticeSeconds: NOTICE_SECONDS,
    });
    // Signers name the relayer and the relayer its signers, of whom some do not run yet.
    ports = [await freePort(), await freePort(), await freePort()];
    const environment = await stack.relayerEnvironment();
    const urls = [
      environment["CHARTER_COMMITTEE_URLS"] as string,
      ...ports.map((port) => `http://127.0.0.1:${port}`),
    ];
    relayer = await stack.startRelayer({ ...environment, CHARTER_COMMITTEE_URLS: urls.join(",") });
  });
  after(async () => {
    for (const close of closers.reverse()) await close();
    await stack?.stop();
  });

  const charter = (account: number, ...args: string[]): Promise<Run> =>
    runInProcess(["--json", ...args], {
      CHARTER_RPC_URL: stack.anvil.url,
      CHARTER_RELAYER_URL: relayer.ready.url,
      CHARTER_DEPLOYMENT: join(stack.dir, "deployment.json"),
      CHARTER_KEY: keyOf(account),
    });
  type Words = [account: number, ...args: string[]];
  const done = async <T = Record<string, unknown>>(...[account, ...args]: Words): Promise<T> => {
    const run = await charter(account, ...args);
    expect(run.exitCode, `${args.join(" ")}: ${run.stderr}`).to.equal(0);
    return run.result<T>();
  };
  const current = async () => (await done<{ current: Found }>(VOTER, "committee", "show")).current;
  const pass = async (seconds: number): Promise<void> => {
    const { timestamp } = await stack.client.getBlock();
    await stack.anvil.rpc("evm_increaseTime", seconds);
    await until("time", async () => (await stack.client.getBlock()).timestamp >= timestamp + BigInt(seconds));
  };
  const isLive = (app: Address, key: Address): Promise<boolean> =>
    stack.client.readContract({
      address: stack.deployment.attestationLedger,
      abi: attestationLedgerAbi,
      functionName: "isLive",
      args: [app, key],
    });
  const seatOf = (key: Address): Promise<string> =>
    stack.client
      .readContract({
        address: stack.deployment.committeeVerifier,
        abi: committeeVerifierAbi,
        functionName: "seatOf",
        args: [key],
      })
      .then((seat) => seat.toLowerCase(), errorName);
  const errorName = (error: unknown): string => {
    const reverted = (error as BaseError).walk((at) => at instanceof ContractFunctionRevertedError);
    if (!(reverted instanceof ContractFunctionRevertedError)) throw error;
    return reverted.data?.errorName ?? "";
  };

  /** A guest of the app whose instances the committee proves, on the fourth machine. */
  const guest = async (key = newKey()): Promise<{ key: typeof key; evidence: EvidenceMessage }> => {
    const worker = new Worker(relayer.ready.url, stack.pki, machineOf(HOST));
    const of = { purpose: "instance", subject: guests, key: lower(key), composeHash: GUESTS } as const;
    return { key, evidence: await worker.evidence(of) };
  };
  /** Gives the relayer a guest's evidence, which has to have the committee prove it. */
  const admit = async (): Promise<Address> => {
    const worker = new Worker(relayer.ready.url, stack.pki, machineOf(HOST));
    const { key, evidence } = await guest();
    const entry = { app: guests, node: guestNode, key: lower(key), signer: key, evidence };
    const { short } = await worker.registerInstance(entry);
    expect(short).to.equal("202 ok");
    return lower(key);
  };
  /** Asks these signers for their word on a new guest. */
  const prepare = async (urls: readonly string[]): Promise<Prepared> => {
    const { key, evidence } = await guest();
    const { timestamp } = await stack.client.getBlock();
    const question = { purpose: "instance", app: guests, key: lower(key), evidence };
    const answers = await Promise.all(
      urls.map(async (url) => {
        const body = { ...question, validUntil: Number(timestamp) + 7_200 };
        return committeeAnswerSchema.parse((await send(url, "POST", "/committee/sign", body)).body);
      }),
    );
    const keySignature = await key.signTypedData({
      domain: ledgerDomain(stack.deployment.chainId, stack.deployment.attestationLedger),
      types: instanceEntryTypes,
      primaryType: "InstanceEntry",
      message: { app: guests, evidenceDigest: digestOf(evidence) },
    });
    const [{ verdict }] = answers as [(typeof answers)[number]];
    return { verdict, keySignature, signatures: new Map(answers.map((one) => [one.signer, one.signature])) };
  };
  /** What the ledger would say to a verdict with these signatures: "accepted", or the error's name. */
  const attest = async ({ verdict, keySignature, signatures }: Prepared, by: readonly Seat[]) => {
    const proof = encodeCommitteeProof(
      verdict,
      by.map(({ operator, key }) => ({ seat: operator, signature: signatures.get(key) as Hex })),
    );
    return stack.client
      .simulateContract({
        address: stack.deployment.attestationLedger,
        // The ledger hands on what its verifier refuses with.
        abi: [...attestationLedgerAbi, ...committeeVerifierAbi.filter(({ type }) => type === "error")],
        functionName: "attest",
        args: [guestNode, ProofSystem.Committee, false, proof, keySignature],
        account: addressOf(1),
      })
      .then(() => "accepted", errorName);
  };

  it("operators_withNodes_runSignersThatAreLiveInstancesByDirectProofs", async () => {
    const nodes = await Promise.all(
      [...OPERATORS, HOST].map(async (account) => {
        const key = newKey();
        const worker = new Worker(relayer.ready.url, stack.pki, machineOf(account));
        const operator = privateKeyToAccount(keyOf(account));
        expect((await worker.registerNode(operator, key)).short).to.equal("202 ok");
        return until("the node is final", async () => {
          const { status, body } = await send(relayer.ready.url, "GET", `/nodes/${lower(key)}`);
          return status === 200 && nodeInfoSchema.parse(body).number;
        });
      }),
    );
    guestNode = nodes[OPERATORS.length] as number;
    const { nodes: listed } = await done<{ nodes: { number: number; operator: Address }[] }>(
      VOTER,
      "node",
      "list",
    );
    for (const [index, account] of OPERATORS.entries())
      expect(listed.find(({ number }) => number === nodes[index])?.operator).to.equal(addressOf(account));
    // As dstack starts it: with the guest agent's socket, which Charter's own launcher gives to no container.
    const compose = `services:
  signer:
    image: charter/signer@sha256:${"5e".repeat(32)}
    volumes: ["/var/run/dstack.sock:/var/run/dstack.sock"]
`;
    manifest = join(stack.dir, "app-compose.json");
    const written = { manifest_version: 2, name: "relayer", runner: "docker-compose", kms_enabled: true };
    writeFileSync(manifest, JSON.stringify({ ...written, docker_compose_file: compose }));
    const { osImageHash, measurementDigest } = SIMULATED_IMAGE;
    const { app, composeHash } = await done<{ app: Address; composeHash: ComposeHash }>(
      VOTER,
      ...["app", "create", "--manifest", manifest, "--proof", "Direct", "--any-node"],
      ...["--os-image", `${osImageHash}:${measurementDigest}`],
    );
    relayerApp = app;
    const { blockNumber } = await createApp(stack, {
      composeHash: GUESTS,
      noteDigest: sha256("note"),
      platformId: simulatedPlatform(stack.pki, { name: machineOf(HOST) }).platformId,
      proofSystems: [ProofSystem.Committee],
    }).then((created) => {
      guests = created.app;
      return created;
    });
    await until("final", async () => (await chainInfo(relayer.ready.url)).finalized.number >= blockNumber);
    await Promise.all(
      OPERATORS.map(async (account, index) => {
        const dir = join(stack.dir, `operator-${index}`);
        mkdirSync(dir);
        const platform = simulatedPlatform(stack.pki, { name: machineOf(account) });
        const instanceId = toHex(randomBytes(20));
        const agent = await startDstackTd(dir, platform, { app, composeHash, instanceId });
        closers.push(() => agent.close());
        const node = nodes[index] as number;
        const signer = await startProgram<Seat["signer"]["ready"]>("relayer/signer.ts", {
          CHARTER_RPC_URLS: stack.anvil.url,
          CHARTER_DEPLOYMENT: join(stack.dir, "deployment.json"),
          CHARTER_PCS_URL: stack.pcsUrl,
          CHARTER_TEST_ROOT: join(stack.dir, "root.pem"),
          CHARTER_COMMITTEE_SIGNER: "attested",
          CHARTER_DSTACK_SOCKET: agent.socket,
          CHARTER_SIGNER_NODE: String(node),
          CHARTER_RELAYER_URLS: relayer.ready.url,
          DATABASE_URL: await freshDatabase(),
          PORT: String(ports[index]),
        });
        closers.push(() => signer.stop());
        const key = signer.ready.signer.toLowerCase() as Address;
        seats.push({ operator: addressOf(account), account, node, signer, key });
      }),
    );
    seats.sort((a, b) => (a.operator < b.operator ? -1 : 1));
    expect(new Set(seats.map(({ key }) => key)).size, "a key for each").to.equal(3);
    await until("all are live", async () =>
      (await Promise.all(seats.map(({ key }) => isLive(app, key)))).every(Boolean),
    );
    const shown = (await send(seats[0]!.signer.ready.url, "GET", "/signer")).body as {
      signers?: { address: string; quote: string }[];
    };
    expect(shown.signers?.map(({ address }) => address)).to.deep.equal([seats[0]!.key]);
  });

  it("genesis_beforeItsEnd_provesAlone", async () => {
    const key = await admit();
    await until("the genesis committee has proven it", () => isLive(guests, key));
    expect(await seatOf(seats[0]!.key)).to.equal("NotAMember");
    expect(await current()).to.deep.include({ app: null, canSign: true });
  });

  it("dao_votesForTheOperators_theySitAfterTheNotice_andGenesisEndsBefore", async () => {
    const genesis = stack.signers[0]!.ready.url;
    const early = await prepare([genesis]);
    const byGenesis = [{ operator: addressOf(3), key: addressOf(3) } as Seat];
    expect(await attest(early, byGenesis)).to.equal("accepted");

    const { timestamp } = await stack.client.getBlock();
    await done(VOTER, "dao", "delegate", addressOf(VOTER));
    const { proposal } = await done<{ proposal: string }>(
      VOTER,
      ...["committee", "propose", "--app", relayerApp, "--threshold", "2"],
      ...["--expires", String(Number(timestamp) + 90 * 86_400), "--governor", "deployment"],
    );
    await pass(2);
    await done(VOTER, "dao", "vote", proposal, "for");
    await pass(11);
    await done(VOTER, "dao", "queue", proposal);
    await pass(2);
    await done(VOTER, "dao", "execute", proposal);
    const { next } = await done<{ next: Found }>(VOTER, "committee", "show");
    expect(next.app).to.equal(relayerApp);
    expect(next.seats).to.deep.equal(
      seats.map(({ operator, key }) => ({ member: operator, marked: false, signers: [key] })),
    );

    await pass(GENESIS_SECONDS);
    expect(await attest(await prepare([genesis]), byGenesis)).to.equal("CommitteeExpired");
    expect(await seatOf(seats[0]!.key)).to.equal("CommitteeExpired");
    expect((await current()).canSign).to.equal(false);

    await pass(NOTICE_SECONDS - GENESIS_SECONDS);
    for (const { key, operator } of seats) expect(await seatOf(key)).to.equal(operator);
    expect(await attest(await prepare([genesis]), byGenesis)).to.equal("NotEnoughSignatures");
    expect(await current()).to.deep.include({ app: relayerApp, canSign: true });
  });

  it("relayer_operatorsSit_provesByTheirSigners_aloneAndInBatches", async () => {
    const from = await stack.client.getBlockNumber();
    const alone = await admit();
    await until("proven alone", () => isLive(guests, alone));
    const together = await Promise.all([admit(), admit(), admit()]);
    await until("proven together", async () =>
      (await Promise.all(together.map((key) => isLive(guests, key)))).every(Boolean),
    );
    const logs = await stack.client.getLogs({
      address: stack.deployment.attestationLedger,
      fromBlock: from,
      toBlock: "latest",
    });
    const names = parseEventLogs({ abi: attestationLedgerAbi, logs }).map(({ eventName }) => eventName);
    expect(names).to.include.members(["InstanceProven", "BatchPosted", "InstanceClaimed"]);
  });

  it("signer_whoseNodeIsRetired_countsNoMore_andTheOthersGoOn", async () => {
    const [first, second, third] = seats as [Seat, Seat, Seat];
    const prepared = await prepare(seats.map(({ signer }) => signer.ready.url));
    expect(await attest(prepared, [first, second])).to.equal("accepted");
    await done(first.account, "node", "retire", String(first.node), "--yes");
    expect(await attest(prepared, [first, second])).to.equal("SignerNotLive");
    expect(await attest(prepared, [second, third])).to.equal("accepted");
    expect(await seatOf(first.key)).to.equal("SignerNotLive");
    const { seats: shown, canSign } = await current();
    expect([shown.map(({ signers }) => signers.length), canSign]).to.deep.equal([[0, 1, 1], true]);
    const key = await admit();
    await until("proven by the others", () => isLive(guests, key));
  });

  it("signers_whoseReleaseIsRevoked_countNoMore_untilTheyRunAnother", async () => {
    const [, second, third] = seats as [Seat, Seat, Seat];
    const prepared = await prepare([second, third].map(({ signer }) => signer.ready.url));
    expect(await attest(prepared, [second, third])).to.equal("accepted");
    await done(VOTER, "release", "revoke", relayerApp, "1");
    expect(await attest(prepared, [second, third])).to.equal("SignerNotLive");
    expect((await current()).canSign).to.equal(false);
    const key = await admit();
    await until("the relayer finds too few", async () =>
      relayer.log().includes("committee/not-enough-signatures"),
    );
    expect(await isLive(guests, key)).to.equal(false);

    // The same code again, as a release of its own: signers enter themselves anew, and what waits is proven.
    await done(VOTER, "release", "propose", relayerApp, "--manifest", manifest);
    await until("what waited is proven", () => isLive(guests, key));
    expect(await attest(prepared, [second, third])).to.equal("accepted");
  });
});
