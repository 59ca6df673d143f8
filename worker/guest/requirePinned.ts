import { CharterError } from "../../protocol/errors/CharterError.ts";
import type { ComposeProject } from "./compose/parseCompose.ts";
import type { RunnableManifest } from "./fetchManifest.ts";

/**
 * The compose hash says what runs only where images are named by their digests.
 * @throws CharterError `compose/image-not-pinned` with the images, unless the manifest waives it.
 */
export function requirePinned({ unpinnedImages }: ComposeProject, { charter }: RunnableManifest): void {
  if (unpinnedImages.length === 0 || charter.allow_unpinned_images === true) return;
  throw new CharterError(
    "compose/image-not-pinned",
    "images must be pinned by digest (name@sha256:…), or the manifest must say allow_unpinned_images",
    { images: unpinnedImages },
  );
}
