import { createHash, randomBytes } from "node:crypto";

import { expect } from "chai";
import type { PrivateKeyAccount } from "viem/accounts";

import { attestationLedgerAbi } from "../../../protocol/abi/attestationLedger.ts";
import { isCharterError } from "../../../protocol/errors/CharterError.ts";
import { gpuEvidenceDigest } from "../../../protocol/evidence/gpu/gpuEvidence.ts";
import { leaseDomain, leaseRequestTypes } from "../../../protocol/session/domains.ts";
import { committeeAnswerSchema, type ChainInfo } from "../../../protocol/session/messages.ts";
import type { NodeInfo } from "../../../protocol/session/messages.ts";
import { ProofSystem, TeeKind } from "../../../protocol/words/enums.ts";
import { fromHex, parseBytes32, parseComposeHash, toHex } from "../../../protocol/words/hex.ts";
import type { Address, Bytes32 } from "../../../protocol/words/hex.ts";
import { attest } from "../../../worker/guest/attest.ts";
import { registerNode } from "../../../worker/node/register.ts";
import { pinnedOf } from "../../../worker/node/pinned.ts";
import { gatherEvidence } from "../../../worker/session/gatherEvidence.ts";
import { RelayerClient } from "../../../worker/session/RelayerClient.ts";
import type { EvidenceSource } from "../../../worker/tee/EvidenceSource.ts";
import { measureBoot } from "../../../worker/tee/measureBoot.ts";
import { openSource, type SimulatedTee } from "../../../worker/tee/openSource.ts";
import { SimulatedGpu, type GpuDefects } from "../../../worker/tee/simulator/gpu/SimulatedGpu.ts";
import { simulatedPlatform } from "../../../worker/tee/simulator/platform.ts";
import { SgxSource } from "../../../worker/tee/simulator/SgxSource.ts";
import { loadOrCreateAmdPki } from "../../../worker/tee/simulator/snp/amdPkiFile.ts";
import { SimulatedSnp, type SnpDefects } from "../../../worker/tee/simulator/snp/SimulatedSnp.ts";
import { SIMULATED_SNP_IMAGE, SnpSource } from "../../../worker/tee/simulator/snp/SnpSource.ts";
import { gpuPkiOf } from "../../../worker/tee/simulator/vendorPkis.ts";
import { createApp } from "../support/app.ts";
import { newKey, send } from "../support/guest.ts";
import type { Program } from "../support/program.ts";
import { ADMIN, startStack, type RelayerReady, type Stack } from "../support/stack.ts";
import { until } from "../support/until.ts";

const digest = (text: string): Bytes32 => parseBytes32(toHex(createHash("sha256").update(text).digest()));
const composeHash = parseComposeHash(digest('{"manifest_version":2,"name":"kinds"}'));
const lower = ({ address }: { address: string }) => address.toLowerCase() as Address;

/** "ok", or the code of the refusal; of a denied instance the policy's reason with it. */
async function outcome(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "ok";
  } catch (error) {
    if (!isCharterError(error)) throw error;
    const { reason } = error.details;
    return typeof reason === "string" ? `${error.code} ${reason}` : error.code;
  }
}

describe("evidence of every kind, from a worker's request to a lease and the chain", function () {
  this.timeout(240_000);
  let stack: Stack;
  let relayer: Program<RelayerReady>;
  let client: RelayerClient;
  let sgxNode: NodeInfo;
  let snpNode: NodeInfo;

  before(async () => {
    stack = await startStack({ snpMachines: ["amd"] });
    relayer = await stack.startRelayer(await stack.relayerEnvironment());
    client = new RelayerClient(relayer.ready.url);
  });
  after(() => stack?.stop());

  const open = (tee: SimulatedTee, platform: string, app?: Address, gpu = false): EvidenceSource =>
    openSource(
      { simulatorDir: stack.dir, platform, tee, gpu },
      stack.deployment.chainId,
      app === undefined ? undefined : { app, composeHash },
    );
  const register = (source: EvidenceSource, account = newKey()) => {
    const pinned = pinnedOf(stack.deployment);
    return registerNode(client, { pinned, operator: newKey(), account, openSource: async () => source });
  };
  const registered = async (source: EvidenceSource): Promise<NodeInfo> => {
    const account = newKey();
    await register(source, account);
    return until("the node is final", () => client.node(lower(account)).catch(() => undefined));
  };
  /** An app for one platform, final already. */
  const appOf = async (salt: number, of: Partial<Parameters<typeof createApp>[1]>): Promise<Address> => {
    const { app, blockNumber } = await createApp(stack, {
      composeHash,
      noteDigest: digest("note"),
      platformId: sgxNode.platformId,
      proofSystems: [ProofSystem.Committee],
      salt,
      ...of,
    });
    await until("final", async () => (await client.chain()).finalized.number >= blockNumber);
    return app;
  };
  const enter = async (app: Address, node: NodeInfo, source: EvidenceSource, account = newKey()) => {
    if (source.boot === undefined)
      await measureBoot(source, { app, composeHash, instanceId: lower(account) });
    return attest(client, { pinned: pinnedOf(stack.deployment), app, node: node.number, account, source });
  };
  const leased = async (app: Address, account: PrivateKeyAccount) => {
    const nonce = toHex(randomBytes(32)) as Bytes32;
    const { chainId, attestationLedger } = stack.deployment;
    const signature = await account.signTypedData({
      domain: leaseDomain(chainId, attestationLedger),
      types: leaseRequestTypes,
      primaryType: "LeaseRequest",
      message: { app, nonce },
    });
    return client.lease({ app, key: lower(account), nonce, signature });
  };
  const live = (app: Address, account: PrivateKeyAccount) =>
    until("live", () =>
      stack.client.readContract({
        address: stack.deployment.attestationLedger,
        abi: attestationLedgerAbi,
        functionName: "isLive",
        args: [app, lower(account)],
      }),
    );
  /** A signer's own answer to evidence of this source for an operator. */
  const signed = async (source: EvidenceSource) => {
    const chain: ChainInfo = await client.chain();
    const [operator, key] = [newKey(), newKey()].map(lower) as [Address, Address];
    const { evidence } = await gatherEvidence(source, chain, { purpose: "node", subject: operator, key });
    const request = { purpose: "node", operator, key, evidence, validUntil: 2_000_000_000 };
    return send(stack.signers[0]?.ready.url as string, "POST", "/committee/sign", request);
  };

  describe("SGX", () => {
    it("registers a node by an enclave's quote, which the chain itself judges", async () => {
      sgxNode = await registered(open("sgx", "intel"));
      expect(sgxNode.platformId).to.equal(open("sgx", "intel").platformId);
    });

    it("has signers judge an enclave for themselves", async () => {
      const { status, body } = await signed(open("sgx", "intel"));
      expect(status).to.equal(200);
      expect(committeeAnswerSchema.parse(body).verdict).to.include({
        kind: TeeKind.Sgx,
        platformId: sgxNode.platformId,
      });
      const debug = new SgxSource(simulatedPlatform(stack.pki, { name: "intel" }), { flags: 0x07 });
      expect((await signed(debug)).body.error?.code).to.equal("evidence/enclave-debug");
      expect(await outcome(register(debug))).to.equal("evidence/enclave-debug");
    });

    it("lets an enclave be no instance, and a TD on the enclave's machine be one", async () => {
      const app = await appOf(1, {});
      expect(await outcome(enter(app, sgxNode, open("sgx", "intel")))).to.equal(
        "evidence/compose-hash-unbound",
      );
      const account = newKey();
      await enter(app, sgxNode, open("tdx", "intel", app), account);
      expect((await leased(app, account)).lease.composeHash).to.equal(composeHash);
    });
  });

  describe("SEV-SNP", () => {
    const snp = (app: Address | undefined, defects: SnpDefects = {}): EvidenceSource => {
      const pki = loadOrCreateAmdPki(stack.dir, { notBefore: 0 });
      const boot = app === undefined ? undefined : { app, composeHash };
      return new SnpSource(new SimulatedSnp(pki, { name: "amd" }), boot, defects);
    };
    const snpApp = (salt: number, of: Partial<Parameters<typeof createApp>[1]> = {}) =>
      appOf(salt, { kind: TeeKind.Snp, image: SIMULATED_SNP_IMAGE, platformId: snpNode.platformId, ...of });

    it("registers a node by the committee's word", async () => {
      snpNode = await registered(open("snp", "amd"));
      expect(snpNode.platformId).to.equal(open("snp", "amd").platformId);
    });

    it("leases to a guest that was launched for the app, and proves it", async () => {
      const app = await snpApp(10);
      const account = newKey();
      await enter(app, snpNode, open("snp", "amd", app), account);
      expect((await leased(app, account)).lease.composeHash).to.equal(composeHash);
      await live(app, account);
    });

    it("refuses what is false, and what was launched for another app or as another image, by name", async () => {
      const app = await snpApp(11);
      expect(await outcome(enter(app, snpNode, snp(app, { debug: true })))).to.equal("evidence/snp-debug");
      expect(await outcome(register(snp(undefined, { debug: true })))).to.equal("evidence/snp-debug");
      expect(await outcome(enter(app, snpNode, snp(undefined)))).to.equal("evidence/compose-hash-unbound");
      const hostData = { hostData: new Uint8Array(32).fill(1) };
      expect(await outcome(enter(app, snpNode, snp(app, hostData)))).to.equal("evidence/snp-mr-config");
      expect(await outcome(enter(app, snpNode, snp(lower(newKey()))))).to.equal("evidence/app-mismatch");
      // MEASUREMENT stands at 0x90: another kernel.
      const altered = snp(app, { patches: { 0x90: [1, 2, 3] } });
      expect(await outcome(enter(app, snpNode, altered))).to.equal("instance/denied OsImageNotAllowed");
    });

    it("is told that the chain cannot judge it where the app requires a direct proof", async () => {
      const app = await snpApp(12, { proofSystems: [ProofSystem.Direct] });
      expect(await outcome(enter(app, snpNode, snp(app)))).to.equal("proof/direct-impossible");
    });
  });

  describe("Nitro", () => {
    it("is no node: its documents are verified, and name no machine", async () => {
      expect(await outcome(register(open("nitro", "aws")))).to.equal("tee/no-platform");
      expect((await signed(open("nitro", "aws"))).body.error?.code).to.equal("evidence/nitro-platform");
    });
  });

  describe("a GPU beside a CPU", () => {
    let app: Address;
    /** A TD whose GPU answers as told; `swap` brings other evidence than the one whose digest it binds. */
    const withGpu = (
      answer: (nonce: Uint8Array) => ReturnType<SimulatedGpu["attest"]>,
      swap?: typeof answer,
    ): EvidenceSource =>
      Object.assign(open("tdx", "intel", app), {
        gpus: async (nonce: Bytes32) => {
          const gpus = [answer(fromHex(nonce))];
          const serialized = SimulatedGpu.serialize(swap === undefined ? gpus : [swap(fromHex(nonce))]);
          return { gpus, serialized, digest: gpuEvidenceDigest(gpus) };
        },
      });
    const gpu = (name: string, defects: GpuDefects = {}) => {
      const made = new SimulatedGpu(gpuPkiOf(stack.pki), { name });
      return (nonce: Uint8Array) => made.attest(nonce, defects);
    };

    before(async () => {
      app = await appOf(20, { needsGpu: true });
    });

    it("makes an app live that requires one", async () => {
      const account = newKey();
      await enter(app, sgxNode, open("tdx", "intel", app, true), account);
      expect((await leased(app, account)).lease.composeHash).to.equal(composeHash);
      await live(app, account);
      const { gpu: isProven } = await stack.client.readContract({
        address: stack.deployment.attestationLedger,
        abi: attestationLedgerAbi,
        functionName: "instance",
        args: [app, lower(account)],
      });
      expect(isProven).to.equal(true);
      const metrics = await (await fetch(`${relayer.ready.url}/metrics`, { headers: ADMIN })).text();
      expect(metrics).to.match(/charter_collateral_seconds_left\{kind="gpu",family="gpu:ocsp"\} \d{5}/);
    });

    it("is missed where none is brought", async () => {
      const none = enter(app, sgxNode, open("tdx", "intel", app));
      expect(await outcome(none)).to.equal("instance/denied GpuMissing");
    });

    it("is refused where it was swapped, asked with another nonce, or runs other firmware", async () => {
      const one = gpu("one");
      expect(await outcome(enter(app, sgxNode, withGpu(one, gpu("two"))))).to.equal(
        "evidence/gpu-binding-digest",
      );
      const other = () => one(new Uint8Array(32).fill(9));
      expect(await outcome(enter(app, sgxNode, withGpu(other)))).to.equal("evidence/gpu-nonce");
      const devTools = gpu("one", { devTools: true });
      expect(await outcome(enter(app, sgxNode, withGpu(devTools)))).to.equal("evidence/gpu-measurements");
    });

    it("is refused where the CPU names its answer and nobody brings it", async () => {
      const td = withGpu(gpu("one"));
      const chain = await client.chain();
      const account = newKey();
      await measureBoot(td, { app, composeHash, instanceId: lower(account) });
      const use = { purpose: "instance", subject: app, key: lower(account) } as const;
      const { evidence } = await gatherEvidence(td, chain, use);
      const { gpu: _left, ...bare } = evidence;
      const keySignature = await account.signMessage({ message: "of nothing: it is not looked at" });
      const entry = { app, node: sgxNode.number, key: lower(account), evidence: bare, keySignature };
      expect(await outcome(client.registerInstance(entry))).to.equal("evidence/report-data-mismatch");
    });
  });
});
