import { isCharterError } from "../../protocol/errors/CharterError.ts";
import type { ServiceState } from "./compose/Runtime.ts";

/** Where a guest stands. Printed as one JSON line whenever it changes, and answered by `GET /status`. */
export type GuestState =
  | { readonly state: "starting"; readonly pid: number }
  /** A guest that was started here before, by an agent that was killed as a rule, still takes its containers down. */
  | { readonly state: "awaiting-workdir"; readonly workdir: string; readonly pid: number | null }
  | { readonly state: "manifest-checked"; readonly name: string; readonly unpinnedImages: readonly string[] }
  | { readonly state: "attested"; readonly key: string; readonly intent: string }
  | { readonly state: "leased"; readonly key: string; readonly maxSeconds: number; readonly signer: string }
  /** Everything is ready but for ports that another guest, its predecessor as a rule, still holds. */
  | { readonly state: "awaiting-ports"; readonly key: string; readonly ports: readonly number[] }
  /** Everything is ready but the volume, which another guest, its predecessor as a rule, still has open. */
  | { readonly state: "awaiting-volume"; readonly key: string }
  /** Leased, and without a value for some of the manifest's secrets (`charter secret set`). */
  | { readonly state: "awaiting-secrets"; readonly key: string; readonly names: readonly string[] }
  /** Newer values were brought while containers run. */
  | { readonly state: "secrets-changed"; readonly key: string; readonly names: readonly string[] }
  /** The app's public key could not be told, or secrets not be asked for; what is there stays. */
  | { readonly state: "secrets-failed"; readonly error: Reported }
  | {
      readonly state: "running";
      readonly key: string;
      /** "dry": no container was started, and `note` says why. */
      readonly runtime: "docker" | "dry";
      readonly note: string;
    }
  /** Clients reach the app here, by TLS that ends in this guest. */
  | { readonly state: "tls"; readonly key: string; readonly host: string; readonly port: number }
  /** A relayer does not know where this instance answers: gateways find no way to it. */
  | { readonly state: "endpoint-not-told"; readonly error: Reported }
  /** Told when it changes: where each service stands by the engine and by its health check. */
  | { readonly state: "health"; readonly key: string; readonly services: readonly ServiceState[] }
  /** The engine does not answer; what runs may run on while the lease lasts. */
  | { readonly state: "engine-failed"; readonly error: Reported }
  | { readonly state: "lease-not-renewed"; readonly secondsLeft: number; readonly error: Reported }
  | { readonly state: "reattest-failed"; readonly error: Reported }
  | { readonly state: "stopping"; readonly reason: StopReason; readonly error?: Reported }
  /** Containers could not be taken down; it is tried again until they are. */
  | { readonly state: "not-stopped"; readonly reason: StopReason; readonly error: Reported }
  | { readonly state: "stopped"; readonly reason: StopReason }
  | { readonly state: "failed"; readonly error: Reported };

/** Why containers were stopped. */
export type StopReason = "denied" | "expired" | "asked";

export interface Reported {
  readonly code: string;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** An error as it may leave the process: a defect of ours is masked, its stack goes to stderr. */
export function reported(error: unknown): Reported {
  if (isCharterError(error)) {
    const { code, message, details } = error.toJSON();
    return { code, message, details };
  }
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return { code: "worker/internal", message: "unexpected failure; see the log", details: {} };
}
