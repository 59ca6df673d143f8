import { collateralOf, pcsUrls, type PcsAnswer } from "../../../protocol/evidence/dcap/pcsAnswers.ts";
import type { PlatformFamily } from "../../../protocol/evidence/dcap/platformFamily.ts";
import type { CollateralMessage } from "../../../protocol/evidence/index.ts";
import { CliError } from "../CliError.ts";
import { ExitCode } from "../exitCodes.ts";

const TIMEOUT_MS = 20_000;
const MAX_ANSWER_BYTES = 1_048_576;

/**
 * What Intel's service, or a PCCS, publishes for a family now. It is moved, not judged: the contract does that.
 * @throws CliError `collateral/unreachable`, `collateral/refused`, CharterError `collateral/malformed`.
 */
export async function fetchCollateral(
  base: string,
  family: PlatformFamily,
  early: boolean,
): Promise<CollateralMessage> {
  const urls = pcsUrls(base.replace(/\/+$/, ""), family, early);
  const [rootCrl, pckCrl, tcbInfo, qeIdentity] = await Promise.all([
    get(urls.rootCrl),
    get(urls.pckCrl),
    get(urls.tcbInfo),
    get(urls.qeIdentity),
  ]);
  return collateralOf({ rootCrl, pckCrl, tcbInfo, qeIdentity });
}

async function get(url: string): Promise<PcsAnswer> {
  let answer: { readonly response: Response; readonly bytes: Uint8Array };
  try {
    const response = await fetch(url, { redirect: "error", signal: AbortSignal.timeout(TIMEOUT_MS) });
    answer = { response, bytes: await bounded(response) };
  } catch (cause) {
    throw new CliError(
      ExitCode.Unreachable,
      "collateral/unreachable",
      "the collateral service did not answer",
      {
        url,
        cause: cause instanceof Error ? cause.message : String(cause),
      },
    );
  }
  const { response, bytes } = answer;
  if (response.status !== 200) {
    throw new CliError(ExitCode.Refused, "collateral/refused", "the collateral service must answer 200", {
      url,
      actual: response.status,
    });
  }
  return { url, headers: response.headers, bytes };
}

async function bounded(response: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += (chunk as Uint8Array).length;
    if (size > MAX_ANSWER_BYTES) throw new Error("the answer is longer than 1 MiB");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
