import { expect } from "chai";
import { readFileSync } from "node:fs";
import { encodeFunctionData } from "viem";

import { nodeRegistryAbi } from "../../../protocol/abi/nodeRegistry.ts";
import { zkVerifierAbi } from "../../../protocol/abi/zkVerifier.ts";
import type { Address } from "../../../protocol/words/hex.ts";
import { devnetAccounts } from "../../../scripts/devnet/accounts.ts";
import { deploySafeContracts } from "../../../scripts/devnet/safeContracts.ts";
import { createTestPki, SIMULATED_FMSPC } from "../../../worker/tee/simulator/pki.ts";
import { simulatedPlatform } from "../../../worker/tee/simulator/platform.ts";
import { until } from "../../relayer/support/until.ts";
import { keyOf, ProvenChain } from "../../support/provenChain.ts";
import { startDaoChain, type DaoChain } from "../support/daoChain.ts";
import { deployGateway } from "../support/gateway.ts";

const { deployer, owner, operator, guardian } = devnetAccounts;
const now = Math.floor(Date.now() / 1000);
const PROGRAM = `0x${"0c".repeat(32)}`;
const COMMANDS = [
  ["listOperators", "operator", "add", operator.address],
  ["requireListedOperators", "operator", "require-listed", "on"],
  [
    "setMinEvaluationNumber",
    "collateral",
    "set-minimum",
    SIMULATED_FMSPC,
    "9",
    "--from",
    String(now + 86_400 * 9),
  ],
  ["setRoot", "endorsement", "root", "1", `0x${"ab".repeat(32)}`],
  ["setCurator", "endorsement", "hand-over", "1", guardian.address],
  ["addProgram", "zk", "add", "sp1", PROGRAM],
] as const;

describe("charter --safe --export, of nodes, collateral, lists and programs", function () {
  this.timeout(600_000);
  const pki = createTestPki({ notBefore: now - 86_400, secret: new Uint8Array(32).fill(7) });
  let chain: DaoChain;
  let as: (path: string) => string[];
  before(async () => {
    chain = await startDaoChain(pki, async (rpcUrl) => ({
      sp1Gateway: (await deployGateway(rpcUrl)).address,
    }));
    const safes = await deploySafeContracts(chain.anvil.url, deployer);
    const safe = await safes.createSafe([owner.address], 1);
    const { chainId, timelock, nodeRegistry, zkVerifier, dcapCollateral } = chain.deployment;
    const contracts = JSON.stringify({ [chainId]: safes.addresses });
    const book = chain.folder.file("safe-contracts.json", contracts);
    as = (path) => ["--safe-contracts", book, "--safe", safe, "--export", path];
    // The Safe governs in the Timelock's place.
    for (const contract of [nodeRegistry, zkVerifier, dcapCollateral] as Address[]) {
      await send(
        timelock,
        contract,
        encodeFunctionData({ abi: zkVerifierAbi, functionName: "transferOwnership", args: [safe] }),
      );
      await send(safe, contract, encodeFunctionData({ abi: zkVerifierAbi, functionName: "acceptOwnership" }));
    }
    await chain.done(owner, "endorsement", "create-list", safe);
  });
  after(() => chain.stop());

  async function send(from: Address, to: Address, data: string): Promise<void> {
    await chain.anvil.rpc("anvil_impersonateAccount", from);
    await chain.anvil.rpc("anvil_setBalance", from, "0xde0b6b3a7640000");
    const hash = await chain.anvil.rpc<string>("eth_sendTransaction", { from, to, data });
    const receipt = await until("it is mined", async () => {
      const found = await chain.anvil.rpc<{ status: string } | null>("eth_getTransactionReceipt", hash);
      return found ?? undefined;
    });
    expect(receipt.status).to.equal("0x1");
  }

  for (const [method, ...args] of COMMANDS) {
    it(`export_${method}_namesTheContractsOwnMethod`, async () => {
      const path = chain.folder.path(`${method}.json`);
      await chain.done(owner, ...as(path), ...args);
      const { transactions } = JSON.parse(readFileSync(path, "utf8")) as {
        transactions: { contractMethod: { name: string } }[];
      };
      expect(transactions.map(({ contractMethod }) => contractMethod.name)).to.deep.equal([method]);
    });
  }

  it("export_whatTheContractRefusesTheSafe_isRefusedByItsTypedError", async () => {
    const proven = new ProvenChain(chain.anvil.url, chain.deployment);
    await proven.register(simulatedPlatform(pki, { name: "one" }), keyOf("node 1"));
    const retire = ["node", "retire", "1", "--yes"];
    const refused = await chain.refused(2, owner, ...as(chain.folder.path("retire.json")), ...retire);
    expect(refused.details).to.include({ error: "NotOperator" });
    const node = await proven.client.readContract({
      address: chain.deployment.nodeRegistry,
      abi: nodeRegistryAbi,
      functionName: "node",
      args: [1],
    });
    expect(node.retired).to.equal(false);
  });

  it("export_whatAnyoneMaySend_isRefused", async () => {
    // Whoever sends this is nobody's owner: there is nothing for a Safe to decide.
    const path = chain.folder.path("invalidate.json");
    const refused = await chain.refused(1, owner, ...as(path), "node", "invalidate", "1");
    expect(refused.code).to.equal("safe/not-an-owners-action");
  });
});
