import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { expect } from "chai";
import { Contract, JsonRpcProvider } from "ethers";

import { parseDeployment } from "../../protocol/deployment/deployment.ts";
import { devnetAccounts } from "../../scripts/devnet/accounts.ts";
import { startAnvil, type Anvil } from "../support/anvil.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const PARAMETERS = join(ROOT, "deploy/parameters.example.json");

/** A chain id of nobody's, so that no run resumes another's journal. */
const CHAIN_ID = 7_000_000 + (process.pid % 1_000_000);

describe("npm run deploy", () => {
  let anvil: Anvil;
  let folder: string;
  let genesis = "";
  before(async () => {
    anvil = await startAnvil(["--chain-id", String(CHAIN_ID)]);
    folder = mkdtempSync(join(tmpdir(), "charter-deploy-"));
  });
  after(async () => {
    await anvil.stop();
    rmSync(folder, { recursive: true, force: true });
    const journal = `.charter/ignition/deployments/chain-${CHAIN_ID}-${genesis.slice(2, 18)}`;
    if (genesis !== "") rmSync(join(ROOT, journal), { recursive: true, force: true });
  });

  function deploy(parameters: string, key: string = devnetAccounts.deployer.key): Promise<Run> {
    const args = ["scripts/deployChain.ts", parameters, "--out", join(folder, "book.json")];
    return new Promise((resolve) => {
      execFile(
        process.execPath,
        args,
        { cwd: ROOT, env: { PATH: process.env.PATH, CHARTER_RPC_URL: anvil.url, CHARTER_KEY: key } },
        (error, stdout, stderr) =>
          resolve({ code: typeof error?.code === "number" ? error.code : error ? 1 : 0, stdout, stderr }),
      );
    });
  }

  it("writes an address book whose contracts belong to the Timelock, and gives the same one again", async () => {
    const first = await deploy(PARAMETERS);
    expect(first.stderr).to.equal("");
    const text = readFileSync(join(folder, "book.json"), "utf8");
    const book = parseDeployment(text);
    genesis = book.genesisHash;
    expect(book.chainId).to.equal(CHAIN_ID);
    const provider = new JsonRpcProvider(anvil.url);
    try {
      expect(book.committeeDisputes).not.to.equal(undefined);
      expect(book).not.to.have.property("zkVerifier");
      for (const owned of [book.nodeRegistry, book.attestationLedger, book.committeeVerifier]) {
        const contract = new Contract(owned, ["function owner() view returns (address)"], provider);
        expect(String(await contract.getFunction("owner")()).toLowerCase()).to.equal(book.timelock);
      }
    } finally {
      provider.destroy();
    }
    const second = await deploy(PARAMETERS);
    expect(second.code).to.equal(0);
    expect(readFileSync(join(folder, "book.json"), "utf8")).to.equal(text);
  });

  it("refuses parameters of another shape before it sends anything", async () => {
    const file = join(folder, "wrong.json");
    const parameters = JSON.parse(readFileSync(PARAMETERS, "utf8")) as Record<string, unknown>;
    writeFileSync(file, JSON.stringify({ ...parameters, votesHolder: "0x12", extra: 1 }));
    const run = await deploy(file);
    expect(run.code).to.equal(64);
    expect(run.stderr)
      .to.match(/votesHolder/)
      .and.match(/extra/);
  });

  it("does not print a key that it cannot use", async () => {
    const run = await deploy(PARAMETERS, "0xsecret");
    expect(run.code).to.equal(64);
    expect(run.stderr).to.contain("CHARTER_KEY").and.not.contain("secret");
  });
});

interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}
