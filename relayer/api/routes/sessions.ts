import type { FastifyInstance } from "fastify";

import { CharterError } from "../../../protocol/errors/CharterError.ts";
import {
  addressSchema,
  drainSchema,
  instanceRegistrationSchema,
  leaseRequestSchema,
  nodeRegistrationSchema,
  placementsQuerySchema,
} from "../../../protocol/session/messages.ts";
import type {
  Accepted,
  ChainInfo,
  InstanceRegistration,
  NodeInfo,
  NodeRegistration,
  PlacementReport,
  Placements,
} from "../../../protocol/session/messages.ts";
import {
  nodeReportMessageSchema,
  type NodeReportMessage,
  type Outlook,
} from "../../../protocol/session/nodeReport.ts";
import { POLL_HEADER } from "../../../protocol/session/nodePoll.ts";
import type { SignedLease } from "../../../protocol/session/lease.ts";
import type { LeaseRequest } from "../../../protocol/session/messages.ts";
import type { Deployment } from "../../../protocol/deployment/deployment.ts";
import type { BlockRef, ChainState, NodeState } from "../../../protocol/state/types.ts";
import type { Address } from "../../../protocol/words/hex.ts";
import type { Projection } from "../../chain/projection.ts";
import type { NodePolls } from "../../decisions/NodePolls.ts";
import type { NodeReports } from "../../decisions/NodeReports.ts";
import type { PlacementDesk } from "../../decisions/PlacementDesk.ts";
import { parseMessage } from "../errors.ts";
import { PlacementWatch } from "../PlacementWatch.ts";
import type { KeyGuard } from "../limits/KeyGuard.ts";

export interface SessionOptions {
  readonly deployment: Deployment;
  /** @throws chain/not-ready */
  readonly projection: () => Projection;
  readonly placements: PlacementDesk;
  readonly reports: NodeReports;
  readonly polls: Pick<NodePolls, "hear">;
  /** What is foreseen for a node's evidence; null where it was not looked at. */
  readonly outlookOf: (node: number) => Outlook | null;
  readonly admitNode: (message: NodeRegistration) => Promise<Accepted>;
  readonly admitInstance: (message: InstanceRegistration) => Promise<Accepted>;
  readonly lease: (message: LeaseRequest) => Promise<SignedLease>;
  /** Calls the listener after each change of the chain. */
  readonly onUpdate: (listener: () => void) => void;
  readonly guard: KeyGuard;
  /** Per client address and minute. */
  readonly budgets: { readonly leases: number; readonly evidence: number };
}

/** An evidence message at its largest: quote in hex, event log (escaped once more as JSON), VM configuration. */
const EVIDENCE_BODY_LIMIT = 4 * 1_048_576;

const blockMessage = ({ number, hash, timestamp }: BlockRef) => ({ number: Number(number), hash, timestamp });

/** The node with this key; a live one before one that was retired. */
export function nodeByKey(state: ChainState, key: Address): NodeState | undefined {
  let retired: NodeState | undefined;
  for (const node of state.nodes.values()) {
    if (node.key !== key) continue;
    if (!node.retired) return node;
    retired = node;
  }
  return retired;
}

function requireNode(state: ChainState, key: Address): NodeState {
  const node = nodeByKey(state, key);
  if (node === undefined) {
    throw new CharterError("node/unknown", "no node with this key stands in the final block", { key });
  }
  return node;
}

/** What workers ask (protocol/session/messages.ts). */
export function sessionRoutes(server: FastifyInstance, options: SessionOptions): void {
  const { deployment, projection, admitNode, admitInstance, lease, guard, budgets } = options;
  /** Each its own: whoever uses up one still has the others. */
  const within = (max: number) => ({ rateLimit: { max, timeWindow: 60_000 } });
  const evidence = { bodyLimit: EVIDENCE_BODY_LIMIT, config: within(budgets.evidence) };

  server.get("/chain", (): ChainInfo => {
    const { final, newest } = projection();
    return {
      chainId: deployment.chainId,
      genesisHash: deployment.genesisHash,
      appRegistry: deployment.appRegistry,
      nodeRegistry: deployment.nodeRegistry,
      ledger: deployment.attestationLedger,
      committeeVerifier: deployment.committeeVerifier,
      finalized: blockMessage(final.block),
      head: blockMessage(newest.block),
    };
  });

  server.post("/nodes", evidence, async ({ body }, reply) =>
    reply.code(202).send(await admitNode(parseMessage(nodeRegistrationSchema, body))),
  );

  server.get<{ Params: { key: string } }>("/nodes/:key", ({ params }): NodeInfo => {
    const node = requireNode(projection().final.state, parseMessage(addressSchema, params.key));
    const { number, key, operator, platformId, expiresAt, retired } = node;
    return { number, key, operator, platformId, expiresAt, retired };
  });

  const placementsOf = (key: Address): Placements => {
    const { final } = projection();
    const { number } = requireNode(final.state, key);
    return { block: blockMessage(final.block), placements: options.placements.ofNode(number) };
  };
  const watch = new PlacementWatch({ placementsOf });
  options.onUpdate(() => watch.changed());
  server.addHook("preClose", async () => watch.release());
  server.get<{ Params: { key: string } }>("/nodes/:key/placements", async (request, reply) => {
    const key = parseMessage(addressSchema, request.params.key);
    const { unlike } = parseMessage(placementsQuerySchema, request.query);
    const { number: node } = requireNode(projection().final.state, key);
    await options.polls.hear({ node, key, poll: request.headers[POLL_HEADER], address: request.ip });
    if (unlike === undefined) return placementsOf(key);
    const gone = new AbortController();
    reply.raw.once("close", () => gone.abort());
    return watch.next(key, unlike, gone.signal);
  });

  server.post<{ Params: { key: string } }>("/nodes/:key/report", async ({ params, body }, reply) => {
    const { key, number } = requireNode(projection().final.state, parseMessage(addressSchema, params.key));
    await options.reports.take(key, parseMessage(nodeReportMessageSchema, body));
    options.placements.hear(number); // By its key, and not said before.
    return reply.code(202).send({ outlook: options.outlookOf(number) });
  });

  server.get<{ Params: { key: string } }>("/nodes/:key/outlook", ({ params }) => {
    const { number } = requireNode(projection().final.state, parseMessage(addressSchema, params.key));
    return { outlook: options.outlookOf(number) };
  });

  server.get<{ Params: { key: string } }>("/nodes/:key/report", ({ params }): Promise<NodeReportMessage> =>
    options.reports.last(parseMessage(addressSchema, params.key)),
  );

  server.get<{ Querystring: { app?: string } }>("/placements", ({ query }): PlacementReport => {
    const app = query.app === undefined ? undefined : parseMessage(addressSchema, query.app);
    const { final } = projection();
    return { block: blockMessage(final.block), ...options.placements.report(app) };
  });

  server.post("/drains", async ({ body }, reply) => {
    await options.placements.drain(parseMessage(drainSchema, body));
    return reply.code(202).send({});
  });

  server.post("/instances", evidence, async ({ body }, reply) =>
    reply.code(202).send(await admitInstance(parseMessage(instanceRegistrationSchema, body))),
  );

  server.post("/leases", { config: within(budgets.leases) }, async ({ body, ip }) => {
    const message = parseMessage(leaseRequestSchema, body);
    const signed = await guard.run({ key: message.key, address: ip }, () => lease(message));
    return { ...signed, blockNumber: Number(signed.blockNumber) };
  });
}
