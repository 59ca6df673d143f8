import { CharterError } from "../../protocol/errors/CharterError.ts";
import type { ComposeProject } from "./compose/parseCompose.ts";
import type { GuestConfig } from "./config.ts";
import type { RunnableManifest } from "./fetchManifest.ts";

/** What a guest has for an app beside its containers. */
export interface Servable extends Pick<GuestConfig, "tls"> {
  /** Whether this guest's evidence binds GPUs. */
  readonly hasGpu: boolean;
}

/**
 * Holds attested TLS and GPUs, where the manifest asks for them, to what the Compose file and this node have.
 * @throws CharterError `manifest/malformed` for a service that is none; `manifest/unsupported` where this node names no
 * address for TLS, or its evidence binds no GPU.
 */
export function requireServable(
  { charter: { tls, gpu } }: RunnableManifest,
  { services }: ComposeProject,
  node: Servable,
): void {
  if (tls !== undefined) {
    requireServices("charter.tls", [tls.service], services);
    if (node.tls === undefined) throw unsupported("charter.tls", "names no address for attested TLS");
  }
  if (gpu !== undefined) {
    requireServices("charter.gpu", gpu.services, services);
    if (!node.hasGpu) throw unsupported("charter.gpu", "has no GPU whose evidence it could bind");
  }
}

function requireServices(field: string, named: readonly string[], services: readonly string[]): void {
  const unknown = named.find((service) => !services.includes(service));
  if (unknown === undefined) return;
  throw new CharterError("manifest/malformed", `${field} must name services of the Compose file`, {
    expected: services,
    actual: unknown,
  });
}

const unsupported = (field: string, why: string): CharterError =>
  new CharterError("manifest/unsupported", `this node ${why} (${field})`, { field });
