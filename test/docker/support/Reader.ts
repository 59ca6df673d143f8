import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { expect } from "chai";

import { ROOT, type NpmStart } from "./NpmStart.ts";
import { pageCommands, type PageCommand } from "./pageCommands.ts";
import type { Ran } from "./Shell.ts";

/** What a command of a page that begins like this has to come to. Without any word on it, it has to exit with 0. */
export type Expected = { readonly at: string } & (
  | { /** Typed again until it shows this. */ readonly shows: RegExp }
  | { /** It exits with another code than 0, and says this. */ readonly fails: RegExp }
  | {
      /** Done in another way than typing it as it stands. */ readonly by: (text: string) => Promise<unknown>;
    }
);

/** What is read of an engine's containers. */
const OF_AN_ENGINE = /(^|\$\(|\{ )\s*docker |\$\(at /m;
/** Those of scripts/devnet/devnet.ts, which the pages name. */
export const USUAL = { chain: 8545, relayer: 8787, bootAuth: 8788, vendor: 8789, graphNode: 8000 } as const;
const PATIENCE_MS = 240_000;

const plain = (command: string): string => command.replace(/^npx /, "").replace(/\s+# .*$/, "");
export const pageOf = (page: string): string => readFileSync(join(ROOT, page), "utf8");

/** Somebody who types what the pages say, in the order in which they say it. */
export class Reader {
  readonly #start: NpmStart;
  readonly #hasEngine: boolean;
  readonly #typed = new Set<string>(["npm start"]);
  /** The address that a command printed last: what `APP=0x…` stands for. */
  #app = "";

  constructor(start: NpmStart, hasEngine: boolean) {
    this.#start = start;
    this.#hasEngine = hasEngine;
  }

  /**
   * Types every command of these sections. Expectations are met in their order, each by the next command that begins like
   * it; a command of an engine is left out where there is none. @throws AssertionError naming what did not hold.
   */
  async read(page: string, sections: readonly string[], expected: readonly Expected[] = []): Promise<void> {
    const left = [...expected];
    let passedOver = 0;
    for (const { text, isMention } of pageCommands(pageOf(page), sections)) {
      if (text.startsWith("npm start") || (isMention && !text.startsWith("npx charter"))) continue;
      this.#typed.add(plain(text));
      const next = left[0] !== undefined && text.startsWith(left[0].at) ? left.shift() : undefined;
      if (!this.#hasEngine && OF_AN_ENGINE.test(text)) passedOver++;
      else await this.#type(text, next);
    }
    expect(left, `${page} tells nobody to type these any more`).to.deep.equal([]);
    if (passedOver > 0) console.log(`      skipped: ${passedOver} commands of ${page}: no container engine`);
  }

  /** Leaves these out, where what they take is missing. */
  passOver(page: string, sections: readonly string[]): void {
    for (const { text } of pageCommands(pageOf(page), sections)) this.#typed.add(plain(text));
  }

  /** Runs it as it is typed here. @throws AssertionError unless it exits with 0. */
  async ok(text: string): Promise<Ran> {
    const ran = await this.#start.shell.run(this.here(text));
    expect(ran.code, `${text}\n${ran.output}`).to.equal(0);
    this.#app = /^app (0x[0-9a-f]{40})$/m.exec(ran.output)?.[1] ?? this.#app;
    return ran;
  }

  /** Types it again until it shows this. @throws AssertionError with what it showed last. */
  async shows(text: string, what: RegExp): Promise<string> {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      const { output } = await this.#start.shell.run(this.here(text));
      if (what.test(output)) return output;
      expect(performance.now(), `${text}\nnever showed ${String(what)}, but\n${output}`).to.be.lessThan(
        deadline,
      );
      await delay(300);
    }
  }

  /** The ports that this devnet has, a folder that goes away, and the address that was printed. */
  here(text: string): string {
    const { clone } = this.#start;
    return text
      .replaceAll(`http://127.0.0.1:${USUAL.chain}`, this.#start.url("chain"))
      .replaceAll(`http://127.0.0.1:${USUAL.relayer}`, this.#start.url("explorer"))
      .replaceAll(`http://127.0.0.1:${USUAL.vendor}`, this.#start.url("vendor"))
      .replaceAll("/tmp/", `${clone}/.charter/`)
      .replace(/^(\w+)=0x…/, `$1=${this.#app}`);
  }

  /** Whether this was typed, or something that begins with it where it is a mention only. */
  hasTyped({ text, isMention }: PageCommand): boolean {
    const said = plain(text);
    return [...this.#typed].some((one) => one === said || (isMention && one.startsWith(`${said} `)));
  }

  async #type(text: string, expected?: Expected): Promise<void> {
    if (expected === undefined) await this.ok(text);
    else if ("by" in expected) await expected.by(text);
    else if ("shows" in expected) await this.shows(text, expected.shows);
    else {
      const { code, output } = await this.#start.shell.run(this.here(text));
      expect(code, `${text}\n${output}`).not.to.equal(0);
      expect(output, text).to.match(expected.fails);
    }
  }
}
