import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";

import type { Deployment } from "../../../protocol/deployment/deployment.ts";
import { deployCharter } from "../../../scripts/deploy.ts";
import { startAnvil, type Anvil } from "../../support/anvil.ts";
import { freshDatabase } from "../../support/postgres.ts";
import { NotReady, startProgram } from "../support/program.ts";
import { addressOf, keyOf } from "../support/stack.ts";

/** The relayer and a committee signer, as programs, on what they must not start with. */
describe("programs that refuse to start", function () {
  this.timeout(60_000);
  let dir: string;
  let anvil: Anvil;
  let deployment: Deployment;
  let taken: Server;
  let port: string;

  before(async () => {
    dir = mkdtempSync(join(tmpdir(), "charter-refused-"));
    anvil = await startAnvil();
    deployment = await deployCharter({
      rpcUrl: anvil.url,
      privateKey: keyOf(0),
      parameters: {
        votesHolder: addressOf(0),
        timelockDelaySeconds: 1,
        votingDelaySeconds: 1,
        votingPeriodSeconds: 10,
        committeeMembers: [addressOf(3)],
        committeeThreshold: 1,
        committeeExpiresAt: Math.floor(Date.now() / 1_000) + 86_400,
      },
    });
    taken = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => taken.once("listening", resolve));
    port = String((taken.address() as AddressInfo).port);
  });
  after(async () => {
    (taken as Server | undefined)?.close();
    await (anvil as Anvil | undefined)?.stop();
    rmSync(dir, { recursive: true });
  });

  const book = (change: object): string => {
    const file = join(dir, "deployment.json");
    writeFileSync(file, JSON.stringify({ ...deployment, ...change }));
    return file;
  };
  const programs = {
    "the relayer": "relayer/main.ts",
    "a committee signer": "relayer/signer.ts",
  };
  /** What it says when it does not start; it must end by itself, with 1, and have printed a typed error. */
  const refusal = async (
    path: string,
    change: Record<string, string>,
    inBook: object = {},
  ): Promise<string> => {
    const environment = {
      CHARTER_RPC_URLS: anvil.url,
      CHARTER_DEPLOYMENT: book(inBook),
      CHARTER_FINALITY: "0",
      DATABASE_URL: await freshDatabase(),
      CHARTER_OUTBOX_KEY: keyOf(1),
      CHARTER_LEASE_KEY: keyOf(2),
      CHARTER_SIGNER_KEY: keyOf(3),
      CHARTER_COMMITTEE_URLS: "http://127.0.0.1:1",
      CHARTER_PUBLISHERS: addressOf(0),
      PORT: "0",
      BOOTAUTH_PORT: "0",
      ...change,
    };
    const started = await startProgram(path, environment).then(
      async (program) => `started, and stopped with ${await program.stop()}`,
      (error: unknown) => error,
    );
    if (!(started instanceof NotReady)) return String(started);
    expect(started.exitCode, started.log).to.equal(1);
    const line = started.log.split("\n").find((text) => text.startsWith('{"error":'));
    return (JSON.parse(line ?? "{}") as { error?: { code: string } }).error?.code ?? started.log;
  };

  for (const [name, path] of Object.entries(programs)) {
    it(`${name} starts with what the others are made from`, async () => {
      expect(await refusal(path, {})).to.equal("started, and stopped with 0");
    });

    it(`${name} refuses a chain of another id, and one of the same id with another genesis`, async () => {
      expect(await refusal(path, {}, { chainId: 1 })).to.equal("chain/wrong-chain");
      const other = { genesisHash: `0x${"99".repeat(32)}` };
      expect(await refusal(path, {}, other)).to.equal("chain/wrong-chain");
    });

    it(`${name} refuses an RPC that cannot be reached`, async () => {
      expect(await refusal(path, { CHARTER_RPC_URLS: "http://127.0.0.1:1" })).to.equal("chain/unreachable");
    });

    it(`${name} refuses a port that is in use`, async () => {
      expect(await refusal(path, { PORT: port })).to.equal("config/port-in-use");
    });
  }

  it("the relayer refuses an address book whose registry is no contract", async () => {
    const nobody = { appRegistry: `0x${"0e".repeat(20)}` };
    expect(await refusal("relayer/main.ts", {}, nobody)).to.equal("config/no-registry");
  });

  it("the relayer refuses a port for boot authorization that is in use", async () => {
    expect(await refusal("relayer/main.ts", { BOOTAUTH_PORT: port })).to.equal("config/port-in-use");
  });
});
