import {
  createPublicClient,
  createWalletClient,
  encodeAbiParameters,
  http,
  keccak256,
  type Abi,
  type Hex,
  type PublicClient,
  type TransactionReceipt,
} from "viem";
import { privateKeyToAccount, type PrivateKeyAccount } from "viem/accounts";

import { attestationLedgerAbi } from "../../protocol/abi/attestationLedger.ts";
import { nodeRegistryAbi } from "../../protocol/abi/nodeRegistry.ts";
import type { Deployment } from "../../protocol/deployment/deployment.ts";
import { encodeDirectProof } from "../../protocol/evidence/dcap/onchain/encodeClaim.ts";
import { encodeFirstQuote } from "../../protocol/evidence/dcap/onchain/encodeQuote.ts";
import { quoteDigest } from "../../protocol/evidence/dcap/quoteDigest.ts";
import { reportData, type Binding } from "../../protocol/evidence/reportData.ts";
import { standardTree } from "../../protocol/proof/merkle.ts";
import {
  batchTypes,
  committeeDomain,
  instanceEntryTypes,
  ledgerDomain,
  nodeEntryTypes,
  nodeRegistryDomain,
  verdictTypes,
} from "../../protocol/session/domains.ts";
import type { VerdictStruct } from "../../protocol/session/verdict.ts";
import { compactSignature } from "../../protocol/words/compactSignature.ts";
import { ProofSystem, TcbStatus, TeeKind } from "../../protocol/words/enums.ts";
import { fromHex, type Address, type Bytes32, type ComposeHash } from "../../protocol/words/hex.ts";
import { devnetAccounts, type DevnetAccount } from "../../scripts/devnet/accounts.ts";
import { SIMULATED_IMAGE } from "../../worker/tee/simulator/measurements.ts";
import type { SimulatedPlatform } from "../../worker/tee/simulator/platform.ts";
import { SimulatedTdx } from "../../worker/tee/simulator/SimulatedTdx.ts";

export interface BatchLeaf {
  readonly app: Address;
  readonly key: Address;
  readonly facts: Bytes32;
  readonly evidenceDigest: Bytes32;
}

export interface RegisterOptions {
  readonly system?: number;
  /** Number of the node that is renewed; null: a new one. */
  readonly renews?: number | null;
  /** What the committee says otherwise than the evidence. */
  readonly over?: Partial<VerdictStruct>;
}

const ZERO = `0x${"00".repeat(32)}` as Bytes32;
const lower = ({ address }: { readonly address: string }): Address => address.toLowerCase() as Address;
export const keyOf = (seed: string): PrivateKeyAccount =>
  privateKeyToAccount(keccak256(`0x${Buffer.from(seed).toString("hex")}`));

/** Leaf hash as OpenZeppelin's merkle-tree makes it. */
export const batchLeafHash = ({ app, key, facts, evidenceDigest }: BatchLeaf): Bytes32 =>
  keccak256(
    keccak256(
      encodeAbiParameters(
        [{ type: "address" }, { type: "address" }, { type: "bytes32" }, { type: "bytes32" }],
        [app, key, facts, evidenceDigest],
      ),
    ),
  ) as Bytes32;

/** Evidence and words about it on a deployment of the devnet's: what guests, nodes and the committee would bring. */
export class ProvenChain {
  readonly client: PublicClient;
  readonly deployment: Deployment;
  readonly #url: string;

  constructor(url: string, deployment: Deployment) {
    this.#url = url;
    this.deployment = deployment;
    this.client = createPublicClient({ transport: http(url), cacheTime: 0, pollingInterval: 50 });
  }

  /** Mines it, or throws. */
  async send(
    account: DevnetAccount,
    call: { address: Address; abi: Abi; functionName: string; args: readonly unknown[] },
  ): Promise<TransactionReceipt> {
    const wallet = createWalletClient({
      account: privateKeyToAccount(account.key),
      transport: http(this.#url),
    });
    const hash = await wallet.writeContract({ ...call, chain: null });
    const receipt = await this.client.waitForTransactionReceipt({ hash });
    if (receipt.status !== "success") throw new Error(`${call.functionName} reverted: ${hash}`);
    return receipt;
  }

  /** A quote by this platform that binds subject and key to the newest block. */
  async evidence(
    platform: SimulatedPlatform,
    to: Pick<Binding, "purpose" | "subject" | "key"> & { readonly composeHash?: Bytes32 },
  ): Promise<{ quote: Uint8Array; digest: Bytes32; binding: Binding }> {
    const { number, hash } = await this.client.getBlock();
    const { chainId, attestationLedger, nodeRegistry } = this.deployment;
    const binding: Binding = {
      purpose: to.purpose,
      subject: to.subject,
      key: to.key,
      chainId,
      consumer: to.purpose === "instance" ? attestationLedger : nodeRegistry,
      blockNumber: number,
      blockHash: hash as Bytes32,
    };
    const td = new SimulatedTdx(
      platform,
      to.composeHash === undefined ? {} : { composeHash: to.composeHash as ComposeHash },
    );
    const quote = fromHex((await td.quote(fromHex(reportData(binding)))).quote);
    return { quote, digest: quoteDigest(quote), binding };
  }

  /** What an honest committee says of it. */
  async verdict(
    { digest, binding }: { digest: Bytes32; binding: Binding },
    platform: SimulatedPlatform,
    composeHash: Bytes32 = ZERO,
  ): Promise<VerdictStruct> {
    const { timestamp } = await this.client.getBlock();
    return {
      consumer: binding.consumer,
      subject: binding.subject,
      key: binding.key,
      evidenceBlock: binding.blockNumber,
      evidenceBlockHash: binding.blockHash,
      platformId: platform.platformId,
      composeHash,
      osImageHash: SIMULATED_IMAGE.osImageHash,
      measurementDigest: SIMULATED_IMAGE.measurementDigest,
      pinnedMeasurementDigest: SIMULATED_IMAGE.pinnedMeasurementDigest,
      kind: TeeKind.Tdx,
      status: TcbStatus.UpToDate,
      advisoriesDigest: ZERO,
      evidenceDigest: digest,
      gpuDigest: ZERO,
      validUntil: Number(timestamp) + 86_400,
      simulated: true,
    };
  }

  signVerdict(verdict: VerdictStruct, members: readonly DevnetAccount[]): Promise<Hex[]> {
    const { chainId, committeeVerifier } = this.deployment;
    return Promise.all(
      members.map(({ key }) =>
        privateKeyToAccount(key).signTypedData({
          domain: committeeDomain(chainId, committeeVerifier),
          types: verdictTypes,
          primaryType: "Verdict",
          message: verdict,
        }),
      ),
    );
  }

  async committeeProof(verdict: VerdictStruct, members = devnetAccounts.committee.slice(0, 2)): Promise<Hex> {
    return encodeAbiParameters(
      [{ type: "tuple", components: verdictTypes.Verdict }, { type: "bytes[]" }],
      [verdict, await this.signVerdict(verdict, members)],
    );
  }

  signNode(
    account: PrivateKeyAccount,
    operator: Address,
    platformId: Bytes32,
    evidenceDigest: Bytes32,
  ): Promise<Hex> {
    return account.signTypedData({
      domain: nodeRegistryDomain(this.deployment.chainId, this.deployment.nodeRegistry),
      types: nodeEntryTypes,
      primaryType: "NodeEntry",
      message: { operator, platformId, evidenceDigest },
    });
  }

  signInstance(account: PrivateKeyAccount, app: Address, evidenceDigest: Bytes32): Promise<Hex> {
    return account.signTypedData({
      domain: ledgerDomain(this.deployment.chainId, this.deployment.attestationLedger),
      types: instanceEntryTypes,
      primaryType: "InstanceEntry",
      message: { app, evidenceDigest },
    });
  }

  /** Registers (or, `renews` given, renews) a platform of the devnet operator's, by the system of choice. */
  async register(
    platform: SimulatedPlatform,
    key: PrivateKeyAccount,
    { system = ProofSystem.Committee, renews = null, over = {} }: RegisterOptions = {},
  ): Promise<{ receipt: TransactionReceipt; quote: Uint8Array; verdict: VerdictStruct }> {
    const { operator } = devnetAccounts;
    const found = await this.evidence(platform, {
      purpose: "node",
      subject: operator.address,
      key: lower(key),
    });
    const verdict = { ...(await this.verdict(found, platform)), ...over };
    const proof =
      system === ProofSystem.Direct
        ? encodeDirectProof(
            { subject: operator.address, key: lower(key), evidenceBlock: found.binding.blockNumber },
            encodeFirstQuote(found.quote),
          )
        : await this.committeeProof(verdict);
    const consent = await this.signNode(key, operator.address, verdict.platformId, found.digest);
    const receipt = await this.send(operator, {
      address: this.deployment.nodeRegistry,
      abi: nodeRegistryAbi,
      functionName: renews === null ? "register" : "renew",
      args: renews === null ? [system, proof, "0x", consent] : [renews, system, proof, consent],
    });
    return { receipt, quote: found.quote, verdict };
  }

  /** Proves an instance on a node by the system of choice. */
  async attest(
    platform: SimulatedPlatform,
    node: number,
    {
      app,
      key,
      composeHash,
      system,
    }: { app: Address; key: PrivateKeyAccount; composeHash: Bytes32; system: number },
  ): Promise<void> {
    const found = await this.evidence(platform, {
      purpose: "instance",
      subject: app,
      key: lower(key),
      composeHash,
    });
    const proof =
      system === ProofSystem.Direct
        ? encodeDirectProof(
            {
              subject: app,
              key: lower(key),
              evidenceBlock: found.binding.blockNumber,
              instance: { osImageHash: SIMULATED_IMAGE.osImageHash },
            },
            encodeFirstQuote(found.quote),
          )
        : await this.committeeProof(await this.verdict(found, platform, composeHash));
    await this.send(devnetAccounts.outbox, {
      address: this.deployment.attestationLedger,
      abi: attestationLedgerAbi,
      functionName: "attest",
      args: [node, system, true, proof, await this.signInstance(key, app, found.digest)],
    });
  }

  /** Signs leaves as a batch and posts it. Each leaf's path to its root. */
  async postBatch(
    leaves: readonly BatchLeaf[],
    minBlock: bigint,
    members = devnetAccounts.committee.slice(0, 2),
  ): Promise<{ root: Bytes32; paths: (readonly Bytes32[])[]; validUntil: number }> {
    const { attestationLedger, chainId, committeeVerifier } = this.deployment;
    const hashes = leaves.map(batchLeafHash);
    const { root, pathOf } = standardTree(hashes);
    const block = await this.client.getBlock({ blockNumber: minBlock });
    const validUntil = Number((await this.client.getBlock()).timestamp) + 80_000;
    const message = {
      ledger: attestationLedger,
      root,
      count: leaves.length,
      validUntil,
      minBlock,
      blockHash: block.hash,
    };
    const signatures = await Promise.all(
      members.map(({ key }) =>
        privateKeyToAccount(key).signTypedData({
          domain: committeeDomain(chainId, committeeVerifier),
          types: batchTypes,
          primaryType: "Batch",
          message,
        }),
      ),
    );
    await this.send(devnetAccounts.outbox, {
      address: attestationLedger,
      abi: attestationLedgerAbi,
      functionName: "postBatch",
      args: [root, leaves.length, validUntil, minBlock, block.hash, signatures],
    });
    return { root, paths: hashes.map((hash) => pathOf(hash) ?? []), validUntil };
  }

  async claim(
    leaf: BatchLeaf,
    path: readonly Bytes32[],
    key: PrivateKeyAccount,
  ): Promise<TransactionReceipt> {
    const consent = compactSignature(await this.signInstance(key, leaf.app, leaf.evidenceDigest));
    return this.send(devnetAccounts.outbox, {
      address: this.deployment.attestationLedger,
      abi: attestationLedgerAbi,
      functionName: "claim",
      args: [leaf, path, consent],
    });
  }
}
