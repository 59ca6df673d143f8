/**
 * From the newest block that revokes to worker stopped, and from the final block that activates to worker started: the
 * real relayer, node agent and guests over a real chain with a block each second. Leases of 3 seconds are renewed each
 * second. `--docker` starts an engine, and each guest a container; without it guests say `running` and start none.
 *
 * `--rounds` (100), and `--lease 60` for the usual length: then only the relayer's word ends a guest in time.
 */
import { parseArgs } from "node:util";

import { encodeFunctionData } from "viem";

import { appAbi } from "../protocol/abi/app.ts";
import { cidOfDigest } from "../protocol/manifest/cid.ts";
import { nodeInfoSchema } from "../protocol/session/messages.ts";
import { send } from "../test/relayer/support/guest.ts";
import { addressOf, startStack } from "../test/relayer/support/stack.ts";
import { until } from "../test/relayer/support/until.ts";
import { startEngine } from "../test/docker/support/engine.ts";
import { stopDatabases } from "../test/support/postgres.ts";
import { BlockTimes } from "./support/blockTimes.ts";
import { NodeProgram } from "./support/NodeProgram.ts";
import { writeReport, type Figure } from "./support/report.ts";
import { appOf, place, sha256, transact } from "./support/workload.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "100" },
    lease: { type: "string", default: "3" },
    docker: { type: "boolean", default: false },
  },
});
const rounds = Number(values.rounds);

const engine = values.docker ? await startEngine() : undefined;
if (typeof engine === "string") throw new Error(`no engine can be started: ${engine}`);

/** A service that does nothing for a long time. */
const service = {
  image: engine?.image ?? `busybox@sha256:${"1b".repeat(32)}`,
  command: ["sleep", "86400"],
  stop_signal: "SIGKILL", // The first process of a container does not hear SIGTERM.
};
const manifest = Buffer.from(
  JSON.stringify({
    manifest_version: 2,
    name: "latency",
    runner: "docker-compose",
    docker_compose_file: JSON.stringify({ services: { web: service } }),
    charter: { lease_signers: [addressOf(2)], max_lease_seconds: Number(values.lease) },
  }),
);

/** What a node and its guest say on the way to `running`. */
const STAGES = ["started", "starting", "manifest-checked", "attested", "leased"] as const;

const stack = await startStack();
const seen = {
  latest: new BlockTimes(stack.anvil, "latest"),
  finalized: new BlockTimes(stack.anvil, "finalized"),
};
let node: NodeProgram | undefined;
try {
  const environment = {
    ...(await stack.relayerEnvironment()),
    CHARTER_RPC_URLS: stack.anvil.url.replace(/^http/, "ws"), // So that the node tells of each block at once.
  };
  const relayer = await stack.startRelayer(environment);
  node = new NodeProgram(environment, {
    relayerUrl: relayer.ready.url,
    engineSocket: engine?.socket,
  });
  const { key, platformId } = await node.until(({ ready }) => ready === true);
  console.log("the node is registered");
  const info = nodeInfoSchema.parse((await send(relayer.ready.url, "GET", `/nodes/${String(key)}`)).body);
  const { app, composeHash } = await appOf(
    stack,
    { platformId: platformId as typeof info.platformId },
    manifest,
  );
  const kept = await until("the manifest is kept", async () => {
    const path = `${relayer.ready.url}/ipfs/${cidOfDigest(composeHash)}`;
    return (await fetch(path, { method: "PUT", body: manifest })).status === 201;
  });
  if (!kept) throw new Error("the manifest was not kept");
  await place(stack, app, info.operator);
  await node.until(({ state }) => state === "running");

  const call = (data: `0x${string}`): Promise<bigint> => transact(stack, app, data);
  const revoke = (release: number) =>
    call(encodeFunctionData({ abi: appAbi, functionName: "revoke", args: [release] }));
  const propose = () =>
    call(
      encodeFunctionData({
        abi: appAbi,
        functionName: "propose",
        args: [composeHash, sha256(Buffer.from("note")), 0, 60],
      }),
    );
  console.log("the first release runs");
  const stops: number[] = [];
  const starts: number[] = [];
  const stages = new Map(STAGES.map((stage) => [stage, [] as number[]]));
  for (let release = 1; release <= rounds; release++) {
    let from = node.lines.length;
    const revoked = await seen.latest.before(await revoke(release));
    const stopped = await node.until(({ state }) => state === "stopped", from);
    stops.push(stopped.at - revoked);
    from = node.lines.length;
    const active = await seen.finalized.before(await propose());
    const running = await node.until(({ state }) => state === "running", from);
    starts.push(running.at - active);
    for (const [stage, of] of stages) {
      const line = node.lines.slice(from).find(({ state, change }) => (state ?? change) === stage);
      of.push((line?.at ?? NaN) - active);
    }
    // The next spare guest is loaded meanwhile, and a revocation may come at any moment between two blocks.
    await new Promise((done) => setTimeout(done, 1_500 + 1_000 * Math.random()));
    if (release % 10 === 0) console.log(`${release} rounds`);
  }
  const figures = (name: string, of: number[], hasTarget: boolean): Figure[] => {
    const sorted = of.map((ms) => ms / 1_000).sort((a, b) => a - b);
    const at = (share: number): number =>
      sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? NaN;
    return [
      { name: `${name}.p50`, value: at(0.5), unit: "s" },
      { name: `${name}.p95`, value: at(0.95), unit: "s", ...(hasTarget ? { target: "<= 2" as const } : {}) },
      { name: `${name}.max`, value: at(1), unit: "s" },
    ];
  };
  writeReport(engine === undefined ? "latency" : "latencyDocker", [
    { name: "rounds", value: rounds, unit: "" },
    { name: "leaseSeconds", value: Number(values.lease), unit: "s" },
    { name: "containers", value: engine === undefined ? 0 : 1, unit: "" },
    ...figures("stop", stops, true),
    ...figures("start", starts, true),
    ...[...stages].flatMap(([stage, of]) => figures(`start.${stage}`, of, false)),
  ]);
} finally {
  await node?.stop();
  await seen.latest.stop();
  await seen.finalized.stop();
  await stack.stop();
  await stopDatabases();
  await engine?.stop();
}
