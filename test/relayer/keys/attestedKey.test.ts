import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";
import Fastify from "fastify";
import { hexToBytes, keccak256, recoverTransactionAddress, stringToHex } from "viem";
import { privateKeyToAccount } from "viem/accounts";

import type { Address, Hex } from "../../../protocol/words/hex.ts";
import { installErrorHandler } from "../../../relayer/api/errors.ts";
import { signerRoute } from "../../../relayer/api/routes/signer.ts";
import { attestedKey, signerReportData } from "../../../relayer/keys/attestedKey.ts";
import { openAttestedKeys } from "../../../relayer/keys/openAttestedKeys.ts";
import { readOutboxSigner } from "../../../relayer/outbox/signers/signerConfig.ts";
import { DstackAgentServer } from "../../worker/support/DstackAgentServer.ts";
import { refusal } from "../../support/refusal.ts";

const CHAIN = 31_337;
const none = {
  key: undefined,
  keystore: undefined,
  passwordFile: undefined,
  url: undefined,
  address: undefined,
};

describe("keys made inside of the program's own instance", () => {
  let dir: string;
  let agent: DstackAgentServer;

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "charter-agent-"));
    agent = await new DstackAgentServer(dir).start();
    // As the agent does: of the path alone, and the same each time.
    agent.answers["/GetKey"] = ({ path }) => ({
      key: keccak256(stringToHex(path as string)).slice(2),
      signature_chain: [],
    });
    agent.answers["/Info"] = () => ({
      app_id: "0a".repeat(20),
      instance_id: "0b".repeat(20),
      tcb_info: "{}",
    });
    agent.answers["/GetQuote"] = ({ report_data }) => ({
      quote: `0400${"00".repeat(600)}${report_data as string}`,
      event_log: "[]",
      vm_config: "{}",
    });
  });
  afterEach(async () => {
    await agent.close();
    rmSync(dir, { recursive: true });
  });
  const open = (purpose: "outbox" | "lease" | "committee" = "outbox", chainId = CHAIN) =>
    attestedKey({ socket: agent.socket, purpose, chainId });

  it("key_openedAgain_isTheSame_andAnotherForEachPurposeAndChain", async () => {
    const keys = [await open(), await open(), await open("committee"), await open("outbox", 1)];
    const addresses = keys.map(({ account }) => account.address);
    expect(addresses[0]).to.equal(
      privateKeyToAccount(keccak256(stringToHex("charter/v1/31337/outbox"))).address,
    );
    expect(addresses[1]).to.equal(addresses[0]);
    expect(new Set(addresses).size).to.equal(3);
  });

  it("committeesKey_ofAnotherInstance_isAnother", async () => {
    const first = await open("committee");
    expect(first.app).to.equal(`0x${"0a".repeat(20)}`);
    expect((await open()).app, "a key of every replica").to.equal(null);
    agent.answers["/Info"] = () => ({
      app_id: "0a".repeat(20),
      instance_id: "0c".repeat(20),
      tcb_info: "{}",
    });
    expect((await open("committee")).account.address).not.to.equal(first.account.address);
    // Without an instance id all of them would share one key.
    agent.answers["/Info"] = () => ({ app_id: "0a".repeat(20), instance_id: "", tcb_info: "{}" });
    expect(await refusal(open("committee"))).to.equal("keys/agent-malformed");
  });

  it("outbox_withAnAttestedKey_signsItsTransactions", async () => {
    const { account } = await open();
    const signer = readOutboxSigner({ ...none, attested: account });
    const transaction = {
      type: "eip1559",
      chainId: CHAIN,
      nonce: 0,
      to: signer.address,
      data: "0x",
      value: 0n,
    } as const;
    const raw = await signer.signTransaction({
      ...transaction,
      gas: 21_000n,
      maxFeePerGas: 2n,
      maxPriorityFeePerGas: 1n,
    });
    const by = await recoverTransactionAddress({ serializedTransaction: raw as `0x02${string}` });
    expect(by.toLowerCase()).to.equal(signer.address);
  });

  it("signer_asked_showsItsAddressAndAQuoteOverIt", async () => {
    const key = await open();
    const server = Fastify();
    signerRoute(server, { outbox: key });
    const answer = await server.inject("/signer");
    expect(answer.statusCode).to.equal(200);
    const { signers } = answer.json<{ signers: { address: Address; reportData: Hex; quote: Hex }[] }>();
    expect(signers).to.have.length(1);
    const [{ address, reportData, quote }] = signers as [(typeof signers)[number]];
    expect(address).to.equal(key.account.address.toLowerCase());
    expect(reportData).to.equal(signerReportData("outbox", CHAIN, address));
    expect(hexToBytes(reportData)).to.have.length(64);
    expect([reportData.slice(-40), Number(`0x${reportData.slice(-56, -40)}`)]).to.deep.equal([
      address.slice(2),
      CHAIN,
    ]);
    expect(quote).to.contain(reportData.slice(2));
    expect(answer.body).not.to.contain(keccak256(stringToHex("charter/v1/31337/outbox")).slice(2));
    // Whoever asks at once is told of the same quote; a failure is not kept.
    await server.inject("/signer");
    expect(agent.asked.filter(({ path }) => path === "/GetQuote")).to.have.length(1);
    await server.close();
  });

  it("signer_agentFails_isRefusedByCodeAndAskedAgain", async () => {
    const server = Fastify();
    installErrorHandler(server);
    signerRoute(server, { outbox: await open() });
    const whole = agent.answers["/GetQuote"]!;
    agent.answers["/GetQuote"] = () => ({ quote: "00".repeat(700), event_log: "[]", vm_config: "" });
    const refused = await server.inject("/signer");
    expect(refused.json<{ error: { code: string } }>().error.code).to.equal("keys/agent-malformed");
    expect(refused.statusCode).to.equal(503);
    agent.answers["/GetQuote"] = whole;
    expect((await server.inject("/signer")).statusCode).to.equal(200);
    await server.close();
  });

  it("signer_withoutAttestedKeys_isNotThere", async () => {
    const server = Fastify();
    signerRoute(server, {});
    expect((await server.inject("/signer")).statusCode).to.equal(404);
    await server.close();
  });

  it("key_noAgentOrOneThatGivesNoKey_isRefused", async () => {
    const absent = join(dir, "none.sock");
    expect(await refusal(attestedKey({ socket: absent, purpose: "outbox", chainId: CHAIN }))).to.equal(
      "keys/agent-absent",
    );
    agent.answers["/GetKey"] = () => ({ key: "0011", signature_chain: [] });
    expect(await refusal(open())).to.equal("keys/agent-malformed");
    agent.answers["/GetKey"] = () => ({ key: "00".repeat(32), signature_chain: [] });
    expect(await refusal(open())).to.equal("keys/agent-malformed");
    delete agent.answers["/GetKey"];
    expect(await refusal(open())).to.be.oneOf(["keys/agent-failed", "keys/agent-malformed"]);
  });

  it("environment_thatAsksForNone_opensNone_andAnyOtherWordIsRefused", async () => {
    expect(await openAttestedKeys({ CHARTER_OUTBOX_SIGNER: undefined }, ["outbox", "lease"])).to.deep.equal(
      {},
    );
    expect(await refusal(openAttestedKeys({ CHARTER_OUTBOX_SIGNER: "vault" }, ["outbox"]))).to.equal(
      "config/invalid",
    );
  });
});
