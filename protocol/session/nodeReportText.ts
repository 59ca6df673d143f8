import type { NodeReport, Outlook } from "./nodeReport.ts";

/** A GPU for people: model or architecture, driver, and the confidential mode. */
export const gpuText = ({ model, arch, driver, mode }: NodeReport["gpus"][number]): string =>
  `${model ?? arch ?? "a GPU"} (${arch ?? "unknown architecture"}, driver ${driver ?? "unknown"}, ` +
  `confidential mode ${mode ?? "unknown"})`;

/** One thing that a relayer foresees, for people. */
export function outlookText({ reason, what, at }: Outlook["trouble"][number]): string {
  switch (reason) {
    case "refused":
      return `this machine's evidence is refused today by the check ${what}`;
    case "next-set":
      return `under the set that its vendor announces this machine's evidence is ${what}`;
    case "ending":
      return `${what} ends ${at === null ? "soon" : new Date(at * 1_000).toISOString()}`;
  }
}
