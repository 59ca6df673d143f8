import { CharterError } from "../../protocol/errors/CharterError.ts";
import type { ComposeProject } from "./compose/parseCompose.ts";
import type { GuestConfig } from "./config.ts";
import type { RunnableManifest } from "./fetchManifest.ts";

/**
 * Holds attested TLS, where the manifest asks for it, to what the Compose file and this node have.
 * @throws CharterError `manifest/malformed` for a service that is none; `manifest/unsupported` where this node names no
 * address for it.
 */
export function requireServable(
  { charter }: RunnableManifest,
  { services }: ComposeProject,
  { tls }: Pick<GuestConfig, "tls">,
): void {
  if (charter.tls === undefined) return;
  if (!services.includes(charter.tls.service)) {
    throw new CharterError("manifest/malformed", "charter.tls must name a service of the Compose file", {
      expected: services,
      actual: charter.tls.service,
    });
  }
  if (tls === undefined) {
    throw new CharterError(
      "manifest/unsupported",
      "this node names no address for attested TLS (charter.tls)",
      {
        field: "charter.tls",
      },
    );
  }
}
