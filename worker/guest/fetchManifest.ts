import { CharterError } from "../../protocol/errors/CharterError.ts";
import { parseManifest, type Manifest } from "../../protocol/manifest/manifest.ts";
import type { ComposeHash } from "../../protocol/words/hex.ts";
import { fetchManifestBytes } from "./fetchManifestBytes.ts";
import type { BytePlaces } from "./sources/fetchBytes.ts";

/** A manifest that a guest can run: it names who may lease. */
export type RunnableManifest = Manifest & { readonly charter: NonNullable<Manifest["charter"]> };

/**
 * Fetches a manifest by its hash from whoever has the right bytes.
 * @throws CharterError `manifest/wrong-hash`, `manifest/malformed`, as `fetchManifestBytes`, and
 * `manifest/unsupported` for what this guest cannot honour: it never runs an app in another way than its manifest says.
 */
export async function fetchManifest(
  places: BytePlaces,
  composeHash: ComposeHash,
  signal?: AbortSignal,
): Promise<RunnableManifest> {
  return requireRunnable(parseManifest(await fetchManifestBytes(places, composeHash, signal)));
}

function requireRunnable(manifest: Manifest): RunnableManifest {
  const { charter } = manifest;
  if (charter === undefined) {
    throw new CharterError("manifest/unsupported", "the manifest must name its lease signers", {
      field: "charter",
    });
  }
  const unsupported: readonly [field: string, isAsked: boolean][] = [
    ["pre_launch_script", (manifest.pre_launch_script ?? "").trim() !== ""],
    ["local_key_provider_enabled", manifest.local_key_provider_enabled === true],
  ];
  const field = unsupported.find(([, isAsked]) => isAsked)?.[0];
  if (field !== undefined) {
    throw new CharterError(
      "manifest/unsupported",
      `this guest cannot provide what the manifest asks for (${field})`,
      {
        field,
      },
    );
  }
  return { ...manifest, charter };
}
