import { finalView } from "./batches/chainView.ts";
import { BatchSigner } from "./committee/BatchSigner.ts";
import { CommitteeSigner } from "./committee/CommitteeSigner.ts";
import { signerServer } from "./committee/server.ts";
import { seatKeeper } from "./committee/seatKeeper.ts";
import { readSignerConfig } from "./committee/signerConfig.ts";
import { signerMetrics } from "./committee/signerMetrics.ts";
import { createChainClient } from "./chain/client.ts";
import { readFinalBlock } from "./chain/finality.ts";
import { readHeader } from "./chain/rpc.ts";
import { verifyChain } from "./chain/verifyChain.ts";
import { evidenceJudge } from "./evidence/judgeEvidence.ts";
import { finalBlocksOf } from "./evidence/finalBlocks.ts";
import { evidenceVerifier } from "./evidence/verifier.ts";
import { openAttestedKeys } from "./keys/openAttestedKeys.ts";
import { VerdictPruner } from "./retention/VerdictPruner.ts";
import { closeListener, createLogger, listen, runProgram } from "./program.ts";
import { openStore } from "./store/store.ts";

/**
 * A committee signer: its own process, key, database, chain client and collateral. Its environment stands in
 * relayer/committee/signerConfig.ts.
 */
const logger = createLogger("charter-signer", process.env.LOG_LEVEL);

await runProgram(logger, async (closers) => {
  const attestedKeys = await openAttestedKeys(process.env, ["committee"]);
  const config = readSignerConfig(process.env, attestedKeys);
  const { deployment } = config;
  const { chainId } = deployment;
  const client = createChainClient(config.rpcUrls, config.rpcQuorum);
  // Before a test root may count for anything: an RPC's word for the chain id is not enough.
  await verifyChain(client, deployment);

  const store = await openStore(config.databaseUrl);
  closers.add("database", () => store.close());
  const evidence = evidenceVerifier({
    vendors: config,
    store,
    logger,
    threads: 0, // No lease waits here.
  });
  closers.add("verifier", () => evidence.close());
  const judge = evidenceJudge({
    chainId,
    ledger: deployment.attestationLedger,
    nodeRegistry: deployment.nodeRegistry,
    blocks: finalBlocksOf(client, config.finality),
    verify: evidence.verify,
    verifyGpu: evidence.verifyGpu,
  });
  const verifier = deployment.committeeVerifier;
  const signer = new CommitteeSigner({
    account: config.account,
    chainId,
    verifier,
    judge,
    verdicts: store.verdicts,
  });
  const batches = new BatchSigner({
    account: config.account,
    chainId,
    verifier,
    ledger: deployment.attestationLedger,
    judge,
    verdicts: store.verdicts,
    view: () => finalView(client, config.finality, deployment),
  });
  const metrics = signerMetrics({ collateralSecondsLeft: () => evidence.secondsLeft() });
  const server = await signerServer({
    logger,
    maxRequestsPerMinute: config.maxRequestsPerMinute,
    sign: (request) => signer.sign(request),
    judge: (request) => batches.judge(request),
    signBatch: (request) => batches.sign(request),
    metrics,
    attestedKeys,
    pingStore: () => store.ping(),
    pingChain: () => client.getBlockNumber(),
  });
  closers.add("listener", () => closeListener(server));
  const url = await listen(server, config.host, config.port);
  const stopping = new AbortController();
  const pruner = new VerdictPruner({
    ...{ pool: store.pool, verdicts: store.verdicts, keepDays: config.keepDays },
    finalNumber: async () =>
      (await readFinalBlock(client, config.finality, await readHeader(client, "latest"))).number,
    onPruned: (rows) => metrics.pruned(rows),
    onFailed: (cause) => logger.warn({ err: cause }, "what is over could not be deleted"),
  });
  const pruning = pruner.run(stopping.signal);
  closers.add("pruner", () => {
    stopping.abort();
    return pruning;
  });
  if (config.seat !== undefined) {
    const keeping = seatKeeper({ config, seat: config.seat, client, logger }).run(stopping.signal);
    closers.add("seat", () => {
      stopping.abort();
      return keeping;
    });
  }
  return { ready: { url, signer: config.account.address }, failed: new Promise<never>(() => undefined) };
});
