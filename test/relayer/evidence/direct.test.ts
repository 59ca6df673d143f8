import { createHash } from "node:crypto";

import { expect } from "chai";
import { parseEventLogs } from "viem";
import type { PrivateKeyAccount } from "viem/accounts";

import { attestationLedgerAbi } from "../../../protocol/abi/attestationLedger.ts";
import { dcapCollateralAbi } from "../../../protocol/abi/dcapCollateral.ts";
import { dcapVerifierAbi } from "../../../protocol/abi/dcapVerifier.ts";
import { nodeRegistryAbi } from "../../../protocol/abi/nodeRegistry.ts";
import { nodeInfoSchema, type NodeInfo } from "../../../protocol/session/messages.ts";
import { ProofSystem, TcbStatus } from "../../../protocol/words/enums.ts";
import { parseBytes32, parseComposeHash, toHex } from "../../../protocol/words/hex.ts";
import type { Address, Bytes32 } from "../../../protocol/words/hex.ts";
import { createApp } from "../support/app.ts";
import { chainInfo, newKey, send, Worker } from "../support/guest.ts";
import type { Program } from "../support/program.ts";
import { ADMIN, startStack, type RelayerReady, type Stack } from "../support/stack.ts";
import { until } from "../support/until.ts";

const digest = (text: string): Bytes32 => parseBytes32(toHex(createHash("sha256").update(text).digest()));
const composeHash = parseComposeHash(digest('{"manifest_version":2,"name":"direct"}'));
const lower = ({ address }: { address: string }) => address.toLowerCase() as Address;

describe("direct proofs on a real chain, from nothing to a TCB recovery", function () {
  this.timeout(120_000);
  let stack: Stack;
  let environment: Record<string, string>;
  let relayer: Program<RelayerReady>;
  let worker: Worker;
  let node: NodeInfo;

  before(async () => {
    stack = await startStack();
    environment = await stack.relayerEnvironment();
    relayer = await stack.startRelayer(environment);
    worker = new Worker(relayer.ready.url, stack.pki, "direct");
  });
  after(() => stack?.stop());

  const logsOf = async (address: Address | undefined, from: bigint) => {
    const { client } = stack;
    return client.getLogs({
      ...(address === undefined ? {} : { address }),
      fromBlock: from,
      toBlock: "latest",
    });
  };
  const records = async () =>
    parseEventLogs({
      abi: dcapVerifierAbi,
      eventName: "PlatformRecorded",
      logs: await logsOf(stack.deployment.dcapVerifier, 0n),
    });
  const isLive = (app: Address, key: PrivateKeyAccount) =>
    stack.client.readContract({
      address: stack.deployment.attestationLedger,
      abi: attestationLedgerAbi,
      functionName: "isLive",
      args: [app, lower(key)],
    });
  const attested = async (app: Address) => {
    const key = newKey();
    const evidence = await worker.evidence({
      purpose: "instance",
      subject: app,
      key: lower(key),
      composeHash,
    });
    const entry = { app, node: node.number, key: lower(key), signer: key, evidence };
    const { short } = await worker.registerInstance(entry);
    expect(short).to.equal("202 ok");
    await until("live", () => isLive(app, key));
    return { key, evidence };
  };
  const appWith = async (salt: number, ...proofSystems: ProofSystem[]): Promise<Address> => {
    const { platformId } = node;
    const options = { composeHash, noteDigest: digest("note"), platformId, proofSystems, salt };
    const { app, blockNumber } = await createApp(stack, options);
    await until("final", async () => (await chainInfo(relayer.ready.url)).finalized.number >= blockNumber);
    return app;
  };

  it("brings the family's collateral on chain, each piece once, and registers the node by its quote alone", async () => {
    const key = newKey();
    const operator = newKey();
    expect((await worker.registerNode(operator, key)).short).to.equal("202 ok");
    node = await until("the node is final", async () => {
      const { status, body } = await send(relayer.ready.url, "GET", `/nodes/${lower(key)}`);
      return status === 200 && nodeInfoSchema.parse(body);
    });
    const kept = parseEventLogs({
      abi: dcapCollateralAbi,
      logs: await logsOf(stack.deployment.dcapCollateral, 0n),
    }).map(({ eventName }) => eventName);
    expect(kept.filter((name) => name !== "OwnershipTransferred").sort()).to.deep.equal([
      "CertificateKept",
      "CertificateKept",
      "CrlKept",
      "CrlKept",
      "QeIdentityKept",
      "TcbInfoKept",
    ]);
    const [registered] = parseEventLogs({
      abi: nodeRegistryAbi,
      eventName: "NodeRegistered",
      logs: await logsOf(stack.deployment.nodeRegistry, 0n),
    });
    expect(registered?.args.record).to.equal(1);
  });

  it("attests an instance of an app that requires Direct, in the short form of the node's record", async () => {
    const app = await appWith(1, ProofSystem.Direct);
    await attested(app);
    // A first proof would have left another record.
    expect(await records()).to.have.length(1);
  });

  it("posts both proofs where both are required", async () => {
    const app = await appWith(2, ProofSystem.Direct, ProofSystem.Committee);
    const { key } = await attested(app);
    const proven = parseEventLogs({
      abi: attestationLedgerAbi,
      eventName: "InstanceProven",
      logs: await logsOf(stack.deployment.attestationLedger, 0n),
    }).filter(({ args }) => args.key.toLowerCase() === lower(key));
    expect(proven.map(({ args }) => args.system).sort()).to.deep.equal([
      ProofSystem.Direct,
      ProofSystem.Committee,
    ]);
  });

  it("refuses an instance whose app requires a proof that nobody here makes", async () => {
    const app = await appWith(3, ProofSystem.Zk);
    const key = newKey();
    const evidence = await worker.evidence({
      purpose: "instance",
      subject: app,
      key: lower(key),
      composeHash,
    });
    const entry = { app, node: node.number, key: lower(key), signer: key, evidence };
    expect((await worker.registerInstance(entry)).short).to.contain("proof/not-offered");
  });

  it("brings newer TCB info and has the record judged by it: what is out of date is live no more", async () => {
    const app = await appWith(4, ProofSystem.Direct);
    const { key } = await attested(app);
    await relayer.stop();
    const { number } = await stack.client.getBlock();
    stack.recoverTcb();
    // A relayer that starts asks the vendor anew; a running one within hours.
    relayer = await stack.startRelayer(environment);
    const judged = await until("judged", async () => {
      const logs = await logsOf(stack.deployment.dcapVerifier, number);
      return parseEventLogs({ abi: dcapVerifierAbi, eventName: "RecordJudged", logs })[0];
    });
    expect(judged.args).to.include({
      record: 1,
      oldStatus: TcbStatus.UpToDate,
      newStatus: TcbStatus.OutOfDate,
    });
    expect(await isLive(app, key)).to.equal(false);
    const text = await (await fetch(`${relayer.ready.url}/metrics`, { headers: ADMIN })).text();
    expect(text).to.match(/charter_onchain_upkeep_planned_total\{piece="rejudge"\} 1/);
    expect(text).to.match(
      /charter_onchain_collateral_seconds_left\{family="tdx:f0ca57000000:platform"\} \d{5}/,
    );
  });
});
