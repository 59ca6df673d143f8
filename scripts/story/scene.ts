import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { devnetAccounts } from "../devnet/accounts.ts";
import { DEVNET_LEASE_SECONDS, type Devnet } from "../devnet/devnet.ts";
import { HELLO_IMAGE } from "../devnet/helloImage.ts";
import { observe, type Observation, type StepReport } from "./observe.ts";
import { readsOf, type Reads } from "./reads.ts";

export interface StoryOptions {
  readonly devnet: Devnet;
  readonly signal: AbortSignal;
  readonly print: (line: string) => void;
  readonly noticeSeconds?: number;
  readonly graceSeconds?: number;
  readonly replicas?: number;
}

/** What the steps of a story need. */
export interface Scene {
  readonly options: Required<StoryOptions>;
  readonly reads: Reads;
  readonly report: StepReport[];
}

/** Options of a manifest made of the hello example; each name is another compose hash. */
export const manifestOf = (devnet: Devnet, name: string): string[] => [
  ...["--compose", helloCompose(devnet), "--name", name],
  // A devnet's image may be one that this machine made, which no registry has a digest for.
  "--allow-unpinned-images",
  ...["--lease-signer", devnetAccounts.lease.address, "--max-lease-seconds", String(DEVNET_LEASE_SECONDS)],
];

/** The hello example's Compose file, naming the image that this machine's engine has. */
function helloCompose({ dir, engine }: Devnet): string {
  const example = "examples/hello/docker-compose.yml";
  const image = "why" in engine ? HELLO_IMAGE : engine.image;
  const text = readFileSync(example, "utf8");
  if (!text.includes(`image: ${HELLO_IMAGE}\n`)) throw new Error(`${example} should name ${HELLO_IMAGE}`);
  const file = join(dir, "hello-compose.yml");
  writeFileSync(file, text.replace(`image: ${HELLO_IMAGE}\n`, `image: ${image}\n`));
  return file;
}

/** A story's beginning: nothing told yet. */
export function sceneOf(options: StoryOptions): Scene {
  return {
    options: { noticeSeconds: 5, graceSeconds: 600, replicas: 2, ...options },
    reads: readsOf(options.devnet),
    report: [],
  };
}

/** Does something, then waits until chain and GraphQL both show it. */
export async function step(
  scene: Scene,
  name: string,
  act: () => Promise<unknown>,
  seen: Observation,
): Promise<void> {
  const startedAt = performance.now();
  await act();
  const observed = await observe(name, seen, { signal: scene.options.signal, timeoutSeconds: 90 });
  const seconds = Number(((performance.now() - startedAt) / 1000).toFixed(2));
  scene.report.push({ step: name, seconds, ...observed });
  scene.options.print(`  ✓ ${name} (${seconds} s)`);
}

/** For steps that happen by themselves. */
export const nothing = (): Promise<void> => Promise.resolve();

/** A release as the index has it. */
export interface ReleaseRow {
  readonly number: number;
  readonly activatesAt: string;
  readonly revoked: boolean;
  readonly proposedBy: string;
}

/** One release from GraphQL; undefined until it is indexed. */
export async function indexedRelease(
  reads: Reads,
  app: string,
  number: number,
): Promise<ReleaseRow | undefined> {
  const { releases } = await reads.graphql<{ releases: ReleaseRow[] }>(
    `{ releases(where: { app: "${app}", number: ${number} }) { number activatesAt revoked proposedBy } }`,
  );
  return releases[0];
}
