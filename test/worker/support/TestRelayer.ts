import Fastify, { type FastifyInstance } from "fastify";
import { keccak256, recoverTypedDataAddress } from "viem";
import { privateKeyToAccount } from "viem/accounts";

import { nodeChannelCrypto, nodeCrypto } from "../../../protocol/crypto/node.ts";
import { CharterError, isCharterError } from "../../../protocol/errors/CharterError.ts";
import {
  parseCollateral,
  reportData,
  testRootFromPem,
  verifyEvidence,
} from "../../../protocol/evidence/index.ts";
import { cidOfDigest, composeHash } from "../../../protocol/manifest/index.ts";
import {
  instanceEntryTypes,
  leaseDomain,
  leaseRequestTypes,
  leaseTickTypes,
  ledgerDomain,
  nodeEntryTypes,
  nodeRegistryDomain,
} from "../../../protocol/session/domains.ts";
import { leaseLeaf, leaseTree, type Lease } from "../../../protocol/session/lease.ts";
import { drainTypedData } from "../../../protocol/placement/drain.ts";
import {
  drainSchema,
  instanceRegistrationSchema,
  leaseRequestSchema,
  nodeRegistrationSchema,
  type EvidenceMessage,
  type NodeInfo,
  type Placements,
} from "../../../protocol/session/messages.ts";
import type { SignedKeyBinding } from "../../../protocol/keys/keyBinding.ts";
import {
  deliveryRequestSchema,
  keyBindingSchema,
  type Delivery,
  type StoredSecret,
} from "../../../protocol/session/secretMessages.ts";
import {
  nodeReportMessageSchema,
  type NodeReportMessage,
  type Outlook,
} from "../../../protocol/session/nodeReport.ts";
import { POLL_HEADER, readPoll, type NodePoll } from "../../../protocol/session/nodePoll.ts";
import { deliveryTypedData } from "../../../protocol/session/secretDelivery.ts";
import type { Address, Bytes32, ComposeHash } from "../../../protocol/words/hex.ts";
import type { AppState } from "../../../protocol/state/types.ts";
import { releaseRoute } from "../../../relayer/api/routes/releases.ts";
import { sessionSocket } from "../../../relayer/api/routes/sessionSocket.ts";
import { HeldSessions } from "../../../relayer/leases/sessions/HeldSessions.ts";
import { issueCollateral } from "../../../worker/tee/simulator/collateral.ts";
import type { TestPki } from "../../../worker/tee/simulator/pki.ts";
import { Inbox } from "./Inbox.ts";

export const CHAIN = {
  chainId: 31337,
  genesisHash: `0x${"0a".repeat(32)}` as Bytes32,
  ledger: `0x${"1e".repeat(20)}` as Address,
  nodeRegistry: `0x${"2e".repeat(20)}` as Address,
};
const FINALIZED = { number: 7, hash: `0x${"b7".repeat(32)}` as Bytes32, timestamp: 1_800_000_000 };
export const LEASE_ACCOUNT = privateKeyToAccount(`0x${"11".repeat(32)}`);

/**
 * A relayer for tests of the worker: the documented messages over real HTTP, evidence verified by the real verifier,
 * leases really signed. What it decides is up to the test; `lease` and `blob` can be bent to make it lie.
 */
export class TestRelayer {
  readonly server: FastifyInstance = Fastify({
    logger: false,
    forceCloseConnections: true,
    bodyLimit: 4_194_304,
  });
  readonly #pki: TestPki;
  readonly #blobs = new Map<string, Uint8Array>();
  url = "";
  release = 1;
  maxSeconds = 60;
  signer = LEASE_ACCOUNT;
  /** When set, leases are refused with this. */
  denial: CharterError | undefined;
  /** By requests of their own; `sessionRequests`: within sessions. */
  readonly leaseRequests = new Inbox<Bytes32>();
  sessionRequests = 0;
  /** When set, requests for leases are never answered. */
  isSilent = false;
  /** What is asked within sessions is answered when this has resolved. */
  answersWithin: Promise<void> = Promise.resolve();
  /** When set, evidence of instances is never answered. */
  isSilentOnEvidence = false;
  /** When set, nobody is told of a release. */
  isSilentOnReleases = false;
  bendLease: (lease: Lease) => Lease = (lease) => lease;
  chain: Record<string, unknown> = CHAIN;
  readonly attested = new Map<Address, ComposeHash>();
  evidenceGiven = 0;
  readonly nodes = new Map<Address, NodeInfo>();
  /** What instances told of the app's key, and what is delivered to those that attested. */
  readonly bindings = new Inbox<SignedKeyBinding>();
  secrets: StoredSecret[] = [];
  bendDelivery: (delivery: Delivery) => Delivery = (delivery) => delivery;
  nodeExpiresAt = 4_000_000_000;
  registrations = 0;
  readonly reports = new Inbox<{ readonly key: Address; readonly message: NodeReportMessage }>();
  readonly polls: { readonly key: Address; readonly poll: NodePoll | null }[] = [];
  outlook: Outlook | null = null;
  /** The last operator's word. */
  drained: boolean | undefined;
  drainedAt = 0;
  placements: Placements["placements"] = [];
  /** Releases that are told of, by app; their order is their number. */
  readonly releases = new Map<Address, Pick<AppState["releases"][number], "composeHash" | "noteDigest">[]>();

  constructor(pki: TestPki) {
    this.#pki = pki;
    this.#routes();
  }

  async start(): Promise<this> {
    this.url = await this.server.listen({ host: "127.0.0.1", port: 0 });
    return this;
  }

  /** Before it is started: holds sessions over the real socket. What they are asked is granted or denied as by `POST /leases`. */
  holdSessions(onCount?: (sessions: number) => void): HeldSessions {
    const held = new HeldSessions({
      chainId: CHAIN.chainId,
      ledger: CHAIN.ledger,
      crypto: nodeChannelCrypto,
      signer: this.signer,
      maxSessions: 10,
      idleSeconds: 600,
      knows: async (_app, key) => this.attested.has(key),
      nodeOf: () => 1,
      objection: () => this.denial ?? null,
      grant: async (app, key, nonce) => {
        this.sessionRequests++;
        await this.answersWithin;
        const { blockNumber, ...signed } = await this.#grant(app, key, nonce);
        return { ...signed, blockNumber: BigInt(blockNumber) };
      },
      guarded: (_key, _address, work) => work(),
      ...(onCount === undefined ? {} : { onCount }),
      onDefect: (error) => {
        throw error;
      },
    });
    sessionSocket(this.server, { held, maxPerMinute: 100, isProxy: () => false });
    return held;
  }

  /** Keeps bytes under their hash, or `under` another one: a lie. */
  async keep(bytes: Uint8Array, under?: ComposeHash): Promise<ComposeHash> {
    const hash = under ?? (await composeHash(bytes, nodeCrypto));
    this.#blobs.set(cidOfDigest(hash), bytes);
    return hash;
  }

  #routes(): void {
    const { server } = this;
    server.setErrorHandler((error, _request, reply) => {
      if (isCharterError(error))
        return reply.code(error.code.endsWith("/unknown") ? 404 : 403).send({ error });
      return reply.code(500).send({ error: { code: "api/internal", message: String(error), details: {} } });
    });
    const apps = this.releases as unknown as ReadonlyMap<Address, AppState["releases"]>;
    server.addHook("onRequest", async ({ url }) => {
      if (this.isSilentOnReleases && /^\/apps\/.*\/releases\//.test(url)) await new Promise(() => undefined);
    });
    releaseRoute(server, {
      projection: () => ({
        final: {
          state: { apps: new Map([...apps].map(([app, releases]) => [app, { releases } as AppState])) },
        },
      }),
    });
    server.get("/chain", () => ({
      appRegistry: `0x${"3e".repeat(20)}`,
      committeeVerifier: `0x${"4e".repeat(20)}`,
      finalized: FINALIZED,
      head: FINALIZED,
      ...this.chain,
    }));
    server.get<{ Params: { cid: string } }>("/ipfs/:cid", ({ params }, reply) => {
      const bytes = this.#blobs.get(params.cid);
      if (!bytes) throw new CharterError("ipfs/unknown", "nothing is kept under this address");
      return reply.type("application/octet-stream").send(Buffer.from(bytes));
    });
    server.post("/instances", async ({ body }, reply) => {
      this.evidenceGiven++;
      if (this.isSilentOnEvidence) return new Promise(() => undefined);
      const { app, key, evidence, keySignature } = instanceRegistrationSchema.parse(body);
      const verified = await this.#verify("instance", app, key, evidence);
      const signer = await recoverTypedDataAddress({
        domain: ledgerDomain(CHAIN.chainId, CHAIN.ledger),
        types: instanceEntryTypes,
        primaryType: "InstanceEntry",
        message: { app, evidenceDigest: verified.evidenceDigest },
        signature: keySignature,
      });
      if (signer.toLowerCase() !== key) throw new CharterError("evidence/key-signature-invalid", "key");
      this.attested.set(key, verified.composeHash as ComposeHash);
      return reply.code(202).send({ intent: verified.evidenceDigest, release: this.release });
    });
    server.post("/leases", async ({ body }) => {
      const { app, key, nonce, signature } = leaseRequestSchema.parse(body);
      this.leaseRequests.put(nonce);
      if (this.isSilent) return new Promise(() => undefined);
      const asked = await recoverTypedDataAddress({
        domain: leaseDomain(CHAIN.chainId, CHAIN.ledger),
        types: leaseRequestTypes,
        primaryType: "LeaseRequest",
        message: { app, nonce },
        signature,
      });
      if (asked.toLowerCase() !== key) throw new CharterError("lease/signature-invalid", "key");
      return this.#grant(app, key, nonce);
    });
    server.post("/bindings", async ({ body }, reply) => {
      this.bindings.put(keyBindingSchema.parse(body));
      return reply.code(201).send({});
    });
    server.post("/secrets/deliveries", async ({ body }) => {
      const { app, key, nonce } = deliveryRequestSchema.parse(body);
      if (!this.attested.has(key)) throw new CharterError("lease/denied", "no evidence");
      const { secrets } = this;
      const typed = deliveryTypedData(CHAIN.chainId, CHAIN.ledger, { app, key, nonce, secrets });
      return this.bendDelivery({ secrets, signature: await this.signer.signTypedData(typed) });
    });
    server.post("/nodes", async ({ body }, reply) => {
      const { operator, key, evidence, operatorSignature, keySignature } = nodeRegistrationSchema.parse(body);
      const { platformId, evidenceDigest } = await this.#verify("node", operator, key, evidence);
      for (const [expected, signature] of [
        [operator, operatorSignature],
        [key, keySignature],
      ] as const) {
        const signer = await recoverTypedDataAddress({
          domain: nodeRegistryDomain(CHAIN.chainId, CHAIN.nodeRegistry),
          types: nodeEntryTypes,
          primaryType: "NodeEntry",
          message: { operator, platformId, evidenceDigest },
          signature,
        });
        if (signer.toLowerCase() !== expected)
          throw new CharterError("evidence/key-signature-invalid", "signer");
      }
      this.registrations++;
      const number = this.nodes.get(key)?.number ?? this.nodes.size + 1;
      const expiresAt = this.nodeExpiresAt;
      this.nodes.set(key, { number, key, operator, platformId, expiresAt, retired: false });
      return reply.code(202).send({ intent: keccak256(evidenceDigest) });
    });
    server.post<{ Params: { key: Address } }>("/nodes/:key/report", ({ params, body }, reply) => {
      this.reports.put({ key: params.key, message: nodeReportMessageSchema.parse(body) });
      return reply.code(202).send({ outlook: this.outlook });
    });
    server.get<{ Params: { key: Address } }>("/nodes/:key/outlook", ({ params }) => {
      this.#node(params.key);
      return { outlook: this.outlook };
    });
    server.post("/drains", async ({ body }, reply) => {
      const { signature, ...drain } = drainSchema.parse(body);
      const node = [...this.nodes.values()].find(({ number }) => number === drain.node);
      const typed = drainTypedData(CHAIN.chainId, CHAIN.nodeRegistry, drain);
      const signer = await recoverTypedDataAddress({ ...typed, signature });
      if (signer.toLowerCase() !== node?.operator) throw new CharterError("node/not-operator", "signer");
      if (drain.at < this.drainedAt || (drain.at === this.drainedAt && drain.draining !== this.drained)) {
        throw new CharterError("drain/superseded", "another word of this second or a later one is known");
      }
      [this.drained, this.drainedAt] = [drain.draining, drain.at];
      return reply.code(202).send({});
    });
    server.get<{ Params: { key: Address } }>("/nodes/:key", ({ params }) => this.#node(params.key));
    server.get<{ Params: { key: Address } }>("/nodes/:key/placements", ({ params, headers }) => {
      this.#node(params.key);
      this.polls.push({ key: params.key, poll: readPoll(headers[POLL_HEADER]) });
      return { block: FINALIZED, placements: this.placements };
    });
  }

  #node(key: Address): NodeInfo {
    const node = this.nodes.get(key);
    if (!node) throw new CharterError("node/unknown", "no such node");
    return node;
  }

  async #verify(purpose: "instance" | "node", subject: Address, key: Address, evidence: EvidenceMessage) {
    const at = Math.floor(Date.now() / 1000);
    const verified = await verifyEvidence(evidence, {
      collateral: parseCollateral(issueCollateral(this.#pki, { at })),
      at,
      crypto: nodeCrypto,
      roots: [testRootFromPem(this.#pki.file.root)],
    });
    const { chainId, ledger, nodeRegistry } = CHAIN;
    const consumer = purpose === "instance" ? ledger : nodeRegistry;
    const block = { blockNumber: BigInt(evidence.blockNumber), blockHash: evidence.blockHash };
    if (verified.reportData !== reportData({ purpose, chainId, consumer, subject, key, ...block })) {
      throw new CharterError("evidence/report-data-mismatch", "report data");
    }
    return verified;
  }

  async #grant(app: Address, key: Address, nonce: Bytes32) {
    if (this.denial) throw this.denial;
    const hash = this.attested.get(key);
    if (!hash) throw new CharterError("lease/denied", "no evidence", { reason: "EvidenceMissing" });
    const { release, maxSeconds } = this;
    return this.#signed(this.bendLease({ app, key, release, composeHash: hash, nonce, maxSeconds }));
  }

  async #signed(lease: Lease) {
    const other = { ...lease, key: `0x${"77".repeat(20)}` as Address };
    const { root, paths } = leaseTree([leaseLeaf(lease), leaseLeaf(other)]);
    const signature = await this.signer.signTypedData({
      domain: leaseDomain(CHAIN.chainId, CHAIN.ledger),
      types: leaseTickTypes,
      primaryType: "LeaseTick",
      message: { root, blockNumber: BigInt(FINALIZED.number), blockHash: FINALIZED.hash },
    });
    return {
      lease,
      path: paths[0] ?? [],
      blockNumber: FINALIZED.number,
      blockHash: FINALIZED.hash,
      signature,
    };
  }
}
