import { toPem } from "../../../worker/tee/simulator/certificate.ts";
import { EAT_ISSUER, eatKeys, makeEat, type EatOptions } from "../../../worker/tee/simulator/gpu/eat.ts";
import { makeRim } from "../../../worker/tee/simulator/gpu/rim.ts";
import { SimulatedGpu, type GpuDefects } from "../../../worker/tee/simulator/gpu/SimulatedGpu.ts";
import type { NitroDefects } from "../../../worker/tee/simulator/nitro/SimulatedNitro.ts";
import type { SnpDefects } from "../../../worker/tee/simulator/snp/SimulatedSnp.ts";
import * as gpu from "../../protocol/evidence/gpu/simulatedGpu.ts";
import * as nitro from "../../protocol/evidence/nitro/simulatedNitro.ts";
import * as snp from "../../protocol/evidence/snp/simulatedSnp.ts";
import type { Folder } from "./folder.ts";

/** User data of the simulated enclave. */
export const USER_DATA = new Uint8Array(64).fill(3);
const iso = (seconds: number): string => new Date(seconds * 1000).toISOString();
/** When files of each vendor are judged, in the form that `--at` takes. */
export const AT = { snp: iso(snp.AT), nitro: iso(nitro.AT), gpu: iso(gpu.AT) };

/** Simulated evidence of every kind but Intel's, and what judges it, as files of one folder; options as `charter` takes them. */
export class EvidenceFiles {
  readonly #folder: Folder;
  #count = 0;

  constructor(folder: Folder) {
    this.#folder = folder;
  }

  file(name: string, content: string | Uint8Array): string {
    return this.#folder.file(`${++this.#count}-${name}`, content);
  }

  readonly json = (value: unknown): string => this.file("value.json", JSON.stringify(value));

  root(of: "snp" | "nitro" | "gpu"): string[] {
    const roots = {
      snp: () => [snp.pkiOf("Milan").root],
      nitro: () => [nitro.pki.root],
      gpu: () => [gpu.pki.root, gpu.pki.rimRoot],
    };
    return roots[of]().flatMap((pem) => ["--root", this.file("root.pem", pem)]);
  }

  /** A report as the firmware gives it, with its chain beside it. */
  snp(defects: SnpDefects = {}, reportData = snp.REPORT_DATA): string[] {
    const { report, certificates } = snp.guest().attest(reportData, defects);
    const { leaf, ask, ark } = certificates;
    const pem = [leaf, ask, ark].map(toPem).join("");
    return [this.file("report.bin", report), "--amd-certificates", this.file("chain.pem", pem)];
  }

  amdCrl(options: Parameters<typeof snp.crlOf>[0] = {}): string[] {
    return ["--amd-crl", this.file("crl.der", snp.crlOf(options))];
  }

  nitro(defects: NitroDefects = {}): string {
    return this.file("document.bin", nitro.attest(defects, { userData: USER_DATA }));
  }

  gpu(defects: GpuDefects = {}, nonce = gpu.NONCE): string {
    return this.file("gpu.json", SimulatedGpu.serialize([gpu.gpu.attest(nonce, defects)]));
  }

  rims(driverVersion?: string): string[] {
    const version = driverVersion === undefined ? {} : { version: driverVersion };
    return [
      ...["--driver-rim", this.file("driver.xml", makeRim(gpu.pki, { kind: "driver", ...version }))],
      ...["--vbios-rim", this.file("vbios.xml", makeRim(gpu.pki, { kind: "vbios" }))],
    ];
  }

  ocsp(responses: readonly Uint8Array[]): string[] {
    return responses.flatMap((response) => ["--ocsp", this.file("response.der", response)]);
  }

  token(options: Partial<EatOptions> = {}): string {
    return this.file("token.json", makeEat(gpu.pki, { nonce: gpu.NONCE, at: gpu.AT, ...options }));
  }

  nrasKeys(): string[] {
    return ["--nras-keys", this.json(eatKeys(gpu.pki)), "--nras-issuer", EAT_ISSUER];
  }
}
