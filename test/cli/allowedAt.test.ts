import { readFileSync, writeFileSync } from "node:fs";

import { expect } from "chai";

import type { Address, Bytes32 } from "../../protocol/words/hex.ts";
import { devnetAccounts } from "../../scripts/devnet/accounts.ts";
import { startGovernedChain, type GovernedChain } from "./support/governedChain.ts";
import { runCharter } from "./support/runCharter.ts";

const { owner, lease } = devnetAccounts;

interface Answer {
  readonly allowed: boolean;
  readonly reason: string;
  readonly release: number | null;
  readonly events: readonly { name: string; blockHash: string }[];
}

describe("charter allowed-at", function () {
  this.timeout(120_000);
  let chain: GovernedChain;
  let app: Address;
  let first: Bytes32;
  let second: Bytes32;
  const times: Record<string, number> = {};

  before(async () => {
    chain = await startGovernedChain();
    const compose = (image: string): string[] => {
      const file = chain.folder.file(`${image}.yml`, `services:\n  web:\n    image: ${image}:1\n`);
      return ["--compose", file, "--name", "hello", "--lease-signer", lease.address];
    };
    const created = await chain.as(
      owner,
      "app",
      "create",
      ...compose("a"),
      "--notice",
      "100",
      "--grace",
      "50",
    );
    ({ app, composeHash: first } = created.result<{ app: Address; composeHash: Bytes32 }>());
    times.created = await now();
    await chain.pass(10);
    const proposed = await chain.as(owner, "release", "propose", app, ...compose("b"), "--grace", "50");
    second = proposed.result<{ composeHash: Bytes32 }>().composeHash;
    times.proposed = await now();
    await chain.pass(120);
    times.inGrace = await now();
    await chain.pass(60);
    times.afterGrace = await now();
    await chain.as(owner, "release", "revoke", app, "2");
    times.revoked = await now();
  });
  after(() => chain.stop());

  async function now(): Promise<number> {
    const { timestamp } = await chain.anvil.rpc<{ timestamp: string }>(
      "eth_getBlockByNumber",
      "latest",
      false,
    );
    return Number(timestamp);
  }
  const ask = async (hash: string, time: number, ...more: string[]): Promise<Answer> =>
    (await chain.as(owner, "allowed-at", app, hash, String(time), ...more)).result<Answer>();

  it("answers for times long past, from the events that decide", async () => {
    const said = async (hash: string, time: number | undefined) => {
      const { allowed, reason } = await ask(hash, time ?? 0);
      return allowed ? "allowed" : reason;
    };
    expect(await said(first, (times.created ?? 0) - 1000)).to.equal("app-unknown");
    expect(await said(first, times.created)).to.equal("allowed");
    expect(await said(second, times.created)).to.equal("never-proposed");
    expect(await said(second, times.proposed)).to.equal("not-yet");
    expect(await said(second, times.inGrace)).to.equal("allowed");
    expect(await said(first, times.inGrace)).to.equal("allowed");
    expect(await said(first, times.afterGrace)).to.equal("ended");
    expect(await said(second, times.revoked)).to.equal("revoked");
    const { events, release } = await ask(second, times.revoked ?? 0);
    expect(events.map(({ name }) => name)).to.deep.equal(["ReleaseProposed", "ReleaseRevoked"]);
    expect(release).to.equal(2);
  });

  it("proves every event by its receipt, and checks the proofs without a node", async () => {
    const run = await chain.as(owner, "allowed-at", app, second, String(times.revoked), "--proof");
    const file = chain.folder.file("answer.json", run.stdout);
    const checked = await runCharter(["--json", "allowed-check", file], {});
    expect(checked.stderr).to.equal("");
    expect(checked.result()).to.include({ allowed: false, reason: "revoked" });
    expect(checked.result<{ blocks: object[] }>().blocks).to.have.length(3);
  });

  it("refuses a file whose answer, event, block or order is another", async () => {
    const run = await chain.as(owner, "allowed-at", app, second, String(times.inGrace), "--proof");
    interface Shown {
      allowed: boolean;
      app: string;
      proofs: { header: string; receipt: string[]; logPosition: number }[];
    }
    const refusal = async (change: (shown: Shown) => void): Promise<string> => {
      const shown = JSON.parse(run.stdout) as Shown;
      change(shown);
      const file = chain.folder.path("changed.json");
      writeFileSync(file, JSON.stringify(shown));
      const checked = await runCharter(["--json", "allowed-check", file], {});
      expect(checked.exitCode).to.be.oneOf([1, 3]);
      return checked.error().code;
    };
    const flip = (hex: string) => `${hex.slice(0, 80)}${hex[80] === "0" ? "1" : "0"}${hex.slice(81)}`;
    expect(await refusal((shown) => (shown.allowed = false))).to.equal("proof/other-answer");
    expect(await refusal((shown) => (shown.app = `0x${"01".repeat(20)}`))).to.equal("proof/other-contract");
    expect(
      await refusal((shown) => {
        const [proof] = shown.proofs;
        if (proof) proof.receipt = proof.receipt.map(flip);
      }),
    ).to.equal("proof/invalid");
    expect(
      await refusal((shown) => {
        const [proof] = shown.proofs;
        if (proof) proof.logPosition = 99;
      }),
    ).to.equal("proof/invalid");
    expect(await refusal((shown) => void shown.proofs.reverse())).to.equal("proof/disordered");
    expect(
      await refusal((shown) => void (shown.proofs = shown.proofs.flatMap((proof) => [proof, proof]))),
    ).to.equal("proof/disordered");
    expect(await refusal((shown) => void (shown.proofs = []))).to.equal("proof/other-answer");
  });

  it("refuses a time that is none and an app of nobody", async () => {
    expect((await chain.as(owner, "allowed-at", app, first, "yesterday")).exitCode).to.equal(1);
    const unknown = await chain.as(owner, "allowed-at", `0x${"02".repeat(20)}`, first, "1");
    expect(unknown.error().code).to.equal("app/unknown");
    const dated = await chain.as(
      owner,
      "allowed-at",
      app,
      first,
      new Date((times.created ?? 0) * 1000).toISOString(),
    );
    expect(dated.result()).to.include({ allowed: true });
    expect(readFileSync(chain.folder.path("answer.json"), "utf8")).to.include("proofs");
  });
});
