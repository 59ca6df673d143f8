import { expect } from "chai";

import { fuzz, type FuzzOptions } from "./fuzz.ts";

const failureOf = async (name: string, options: Partial<FuzzOptions> = {}): Promise<string> => {
  const module = new URL(`./broken/${name}.ts`, import.meta.url);
  try {
    await fuzz(module, { seed: 7, calls: 100, isLong: false, ...options });
  } catch (error) {
    return (error as Error).message;
  }
  return "";
};

describe("the fuzzer itself", function () {
  this.timeout(60_000);

  it("hang_oneCallWithoutEnd_namesTargetSeedAndCall", async () => {
    expect(await failureOf("hanging", { tickMilliseconds: 100, hangTicks: 5 })).to.equal(
      "no end of hanging, SEED=7, call 19",
    );
  });

  it("memory_moreThanTheThreadMayHave_namesTargetAndSeed", async () => {
    expect(await failureOf("greedy", { maxHeapMegabytes: 64 })).to.match(
      /^the thread ended at greedy, SEED=7, call \d+$/,
    );
  });

  it("error_ofNoTypeOfOurs_namesTargetSeedAndInput", async () => {
    expect(await failureOf("raw")).to.match(/raw, SEED=7, call 0: "\{".*SyntaxError/s);
  });
});
