import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";

import { gpuText } from "../../../protocol/session/nodeReportText.ts";
import { describeGpus, shownGpus } from "../../../worker/tee/nvidia/describeGpus.ts";
import { GPU_DRIVER } from "../../../worker/tee/simulator/gpu/gpuReport.ts";
import { SimulatedGpu } from "../../../worker/tee/simulator/gpu/SimulatedGpu.ts";
import { gpu } from "../../protocol/evidence/gpu/simulatedGpu.ts";
import { refusal } from "../../support/refusal.ts";

/** Prints the evidence of GPUs of a template, asked with the nonce of the call. */
const COLLECTOR = (file: string): string => `#!/bin/sh
for nonce; do :; done
sed "s/NONCE_HEX/$nonce/g" "${file}"
`;

describe("GPUs, as a node tells of them", () => {
  let dir: string;
  let devices: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "charter-gpus-"));
    devices = join(dir, "gpus");
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  const show = (...models: (string | null)[]): void =>
    models.forEach((model, i) => {
      mkdirSync(join(devices, `0000:0${i}:00.0`), { recursive: true });
      if (model !== null) {
        writeFileSync(join(devices, `0000:0${i}:00.0/information`), `Model: \t\t ${model}\nIRQ:   \t\t 16\n`);
      }
    });
  /** Evidence whose SPDM report stays as it was made: reading a report asks for no nonce. */
  const collector = (...featureFlags: number[]): string => {
    const evidences = featureFlags.map((featureFlag) => {
      const nonce = new Uint8Array(32).fill(9);
      const text = SimulatedGpu.serialize([gpu.attest(nonce, { featureFlag })]);
      const [one] = JSON.parse(text) as [object];
      return { ...one, nonce: "NONCE_HEX" };
    });
    writeFileSync(
      join(dir, "evidence.json"),
      JSON.stringify({ evidences, result_code: 0, result_message: "Ok" }),
    );
    writeFileSync(join(dir, "nvattest"), COLLECTOR(join(dir, "evidence.json")));
    chmodSync(join(dir, "nvattest"), 0o700);
    return join(dir, "nvattest");
  };

  it("have the driver's name alone where no evidence is asked for", async () => {
    show("NVIDIA H100 PCIe", null);
    expect(await shownGpus(devices)).to.deep.equal([
      { model: "NVIDIA H100 PCIe", arch: null, driver: null, mode: null },
      { model: null, arch: null, driver: null, mode: null },
    ]);
  });

  it("have architecture, driver and confidential mode by their own evidence", async () => {
    show("NVIDIA H100 PCIe", "NVIDIA H100 PCIe");
    const described = await describeGpus(devices, collector(0, 2));
    const one = { model: "NVIDIA H100 PCIe", arch: "HOPPER", driver: GPU_DRIVER };
    expect(described).to.deep.equal([
      { ...one, mode: "spt" },
      { ...one, mode: "ppcie" },
    ]);
    expect(gpuText(described[1]!)).to.equal(
      `NVIDIA H100 PCIe (HOPPER, driver ${GPU_DRIVER}, confidential mode ppcie)`,
    );
  });

  it("have no model where it is not clear whose evidence is whose", async () => {
    show("NVIDIA H100 PCIe", "NVIDIA B200");
    expect((await describeGpus(devices, collector(0, 0))).map(({ model }) => model)).to.deep.equal([
      null,
      null,
    ]);
  });

  it("have no mode where the report is of a form that is not known", async () => {
    show("NVIDIA H100 PCIe");
    expect((await describeGpus(devices, collector(7))).map(({ mode }) => mode)).to.deep.equal([null]);
  });

  it("are not described where the collector does not answer", async () => {
    show("NVIDIA H100 PCIe");
    expect(await refusal(describeGpus(devices, join(dir, "none")))).to.equal("gpu/collector-failed");
  });
});
