import type { ChildProcess } from "node:child_process";

import { CRASH_POINTS } from "../../../relayer/crashPoints.ts";
import type { Random } from "../../support/random.ts";
import { NotReady, startProgram } from "../../relayer/support/program.ts";
import type { RelayerReady } from "../../relayer/support/stack.ts";

interface Replica {
  readonly child: ChildProcess;
  /** Absent until it is ready. */
  url?: string;
  /** By the test, not by its own plan. */
  isKilled?: true;
  /** Empty until it is ready. */
  log: () => string;
}

/** A stop that hangs is cut short after this. */
const STOP_MS = 20_000;
const LAST_WORDS = 1_500;

/** Stages that pass often are cut short later. */
const passages = (point: string): number => (/^(follower|lease|shard)/.test(point) ? 12 : 3);

/** Keeps so many relayer processes alive, each with a planned crash while `crashes` is set. */
export class Replicas {
  readonly #environment: Readonly<Record<string, string>>;
  readonly #wanted: number;
  readonly #alive = new Set<Replica>();
  readonly #exits = new Set<Promise<unknown>>();
  #random: Random;
  #stopping = false;
  #notReady = "";
  crashes = false;
  /** Plans that were carried out, and processes that ended otherwise. */
  readonly ended: string[] = [];

  constructor(environment: Readonly<Record<string, string>>, wanted: number, random: Random) {
    this.#environment = environment;
    this.#wanted = wanted;
    this.#random = random;
  }

  /** Choices from now on. */
  reseed(random: Random): void {
    this.#random = random;
  }

  start(): void {
    while (!this.#stopping && this.#alive.size < this.#wanted) this.#spawn();
  }

  /** URLs of those that are ready. */
  urls(): string[] {
    return [...this.#alive].flatMap(({ url }) => (url === undefined ? [] : [url]));
  }

  /** Ends one as a machine that loses power does. */
  kill(): void {
    const ready = [...this.#alive].filter(({ url }) => url !== undefined);
    if (ready.length === 0) return;
    const replica = this.#random.pick(ready);
    replica.isKilled = true;
    replica.child.kill("SIGKILL");
  }

  /** The end of what those that live have logged, and why the last one that never was ready was not. */
  lastWords(): string {
    const said = [...this.#alive].map(({ child, log }) => `${child.pid}: ${log().slice(-LAST_WORDS)}`);
    return [...said, `not ready: ${this.#notReady.slice(-LAST_WORDS)}`].join("\n");
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    for (const { child } of this.#alive) child.kill("SIGTERM");
    const hanging = setTimeout(() => {
      for (const { child } of this.#alive) child.kill("SIGKILL");
    }, STOP_MS);
    await Promise.all(this.#exits);
    clearTimeout(hanging);
  }

  #spawn(): void {
    const point = this.#random.pick(CRASH_POINTS);
    const plan = `${point}:${1 + this.#random.below(passages(point))}`;
    const armed = this.crashes;
    const environment = { ...this.#environment, ...(armed && { CHARTER_CRASH_AT: plan }) };
    let replica: Replica | undefined;
    const started = startProgram<RelayerReady>("relayer/main.ts", environment, (child) => {
      replica = { child, log: () => "" };
      this.#alive.add(replica);
      const mine = replica;
      this.#exits.add(
        new Promise<void>((done) =>
          child.once("exit", (code, signal) => {
            this.#alive.delete(mine);
            const isPlanned = armed && signal === "SIGKILL" && mine.isKilled !== true;
            this.ended.push(isPlanned ? plan : mine.isKilled === true ? "killed" : `exit ${signal ?? code}`);
            done();
            this.start(); // As a supervisor would.
          }),
        ),
      );
    });
    started.then(
      ({ ready, log }) => {
        if (replica !== undefined) Object.assign(replica, { url: ready.url, log });
      },
      (error: unknown) => {
        // It ended before it was ready; another one is on its way.
        if (error instanceof NotReady && error.log !== "") this.#notReady = error.log;
      },
    );
  }
}
