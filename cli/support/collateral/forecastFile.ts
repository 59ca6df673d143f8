import { forecast, type Forecast } from "../../../protocol/evidence/forecast.ts";
import { forecastGpu } from "../../../protocol/evidence/forecastGpu.ts";
import { forecastNitro } from "../../../protocol/evidence/forecastNitro.ts";
import { forecastSnp } from "../../../protocol/evidence/forecastSnp.ts";
import {
  parseCollateral,
  parseTcbFloors,
  readEvidence,
  type VerifyAnyOptions,
} from "../../../protocol/evidence/index.ts";
import { snpCertificates } from "../../../protocol/evidence/verdict/snpVerdict.ts";
import { CliError } from "../CliError.ts";
import { readBytes } from "../context.ts";
import { gpuFiles, verifyOptions, type EvidenceOptions } from "../evidenceOptions.ts";
import { ExitCode } from "../exitCodes.ts";
import { readJson } from "../jsonFile.ts";

/** Files that evidence is judged by: what stands today, and what is to come where a vendor or the judge announces it. */
export interface ForecastOptions extends EvidenceOptions {
  readonly nextCollateral?: string;
  readonly amdNextMinimumTcb?: string;
}

/** What is to come for the evidence in a file, of each kind that is judged by what ends; and the time it is judged at. */
export function forecastFiles(options: ForecastOptions): {
  readonly at: number;
  readonly forecastOf: (file: string) => Promise<Forecast>;
} {
  const judged = verifyOptions(options);
  const gpu = gpuFiles(options);
  const { nextCollateral, amdNextMinimumTcb } = options;
  const next = nextCollateral === undefined ? undefined : parseCollateral(readJson(nextCollateral));
  const nextFloors =
    amdNextMinimumTcb === undefined ? undefined : parseTcbFloors(readJson(amdNextMinimumTcb));
  const { at, crypto, roots, collateral: { intel, amd } = {} }: VerifyAnyOptions = judged;
  const given = { at, crypto, ...(roots ? { roots } : {}) };
  const forecastOf = async (file: string): Promise<Forecast> => {
    const evidence = readEvidence(readBytes(file));
    switch (evidence.kind) {
      case "dcap":
        if (!intel) throw usage("expected --collateral for evidence of TDX or SGX", file);
        return forecast(evidence.quote, { ...given, collateral: intel, ...(next ? { next } : {}) });
      case "snp":
        return forecastSnp(evidence.report, snpCertificates(evidence, amd?.certificates), {
          ...given,
          ...(amd?.crls ? { crls: amd.crls } : {}),
          ...(amd?.minimumTcb ? { floors: amd.minimumTcb } : {}),
          ...(nextFloors ? { nextFloors } : {}),
        });
      case "nitro":
        return forecastNitro(evidence.document, given);
      case "gpu":
        return forecastGpu(evidence, gpu, given);
      case "nras":
        throw usage("expected evidence of a machine or of its GPUs: a token ends when it says", file);
    }
  };
  return { at, forecastOf };
}

const usage = (message: string, file: string): CliError =>
  new CliError(ExitCode.Usage, "cli/usage", message, { file });
