import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";

import { outliveContainers } from "../../../worker/guest/outliveContainers.ts";

/** CAP_SYS_RESOURCE, which even root may lack in a container. */
const mayLower = (): boolean => {
  const [, mask = "0"] = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
  return ((BigInt(`0x${mask}`) >> 24n) & 1n) === 1n;
};

describe("a guest when memory runs out", () => {
  it("outlivesContainers_withWhatItStarts", function () {
    if (!mayLower()) this.skip();
    const module = new URL("../../../worker/guest/outliveContainers.ts", import.meta.url).href;
    const program = `
      import { execFileSync } from "node:child_process";
      import { outliveContainers } from ${JSON.stringify(module)};
      outliveContainers();
      process.stdout.write(execFileSync("cat", ["/proc/self/oom_score_adj"]));`;
    const told = execFileSync(process.execPath, ["--input-type=module", "-e", program]);
    expect(told.toString().trim()).to.equal("-900");
  });

  it("saysWhetherTheKernelTookIt_andGoesOn", () => {
    const dir = mkdtempSync(join(tmpdir(), "charter-oom-"));
    try {
      expect(outliveContainers(join(dir, "oom_score_adj"))).to.equal(true);
      expect(readFileSync(join(dir, "oom_score_adj"), "utf8")).to.equal("-900");
      expect(outliveContainers(join(dir, "none", "oom_score_adj"))).to.equal(false);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
