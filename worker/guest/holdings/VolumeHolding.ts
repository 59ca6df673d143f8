import { chmod, mkdir } from "node:fs/promises";
import { join } from "node:path";

import { CharterError, isCharterError } from "../../../protocol/errors/CharterError.ts";
import type { Address } from "../../../protocol/words/hex.ts";
import type { Clock } from "../../clock.ts";
import type { KeySource } from "../../keys/KeySource.ts";
import { gocryptfsMissing, openGocryptfs, type Volume } from "../../storage/gocryptfs.ts";

const AGAIN_MS = 200;

export interface VolumeHoldingOptions {
  readonly app: Address;
  readonly source: KeySource;
  /** What stands on the disk, encrypted: of this app and slot. */
  readonly cipherDir: string;
  /** Where it is readable while it is open. */
  readonly mountPoint: string;
  /** Named volumes of the Compose file. */
  readonly names: readonly string[];
  readonly clock: Clock;
  /** Told once, when another instance still has the volume. */
  readonly onInUse: () => void;
}

/** The app's volume, open while its containers may run. */
export class VolumeHolding {
  readonly #options: VolumeHoldingOptions;
  #volume: Volume | undefined;

  private constructor(options: VolumeHoldingOptions) {
    this.#options = options;
  }

  /** @throws CharterError `storage/none` where no encrypted volume can be opened: never a plain one instead. */
  static async prepare(options: VolumeHoldingOptions): Promise<VolumeHolding> {
    const missing = await gocryptfsMissing();
    if (missing === null) return new VolumeHolding(options);
    throw new CharterError("storage/none", "the manifest asks for a volume, and none can be encrypted here", {
      reason: missing,
    });
  }

  /**
   * Resolves when it is open, or the signal is given: in an upgrade the predecessor has it until its containers ended.
   * @throws CharterError `storage/…`, `keys/…`.
   */
  async open(signal: AbortSignal): Promise<void> {
    const { app, source, cipherDir, mountPoint, names, clock, onInUse } = this.#options;
    const key = await source.key(app, "volume");
    for (let isTold = false; !signal.aborted && this.#volume === undefined;) {
      try {
        this.#volume = await openGocryptfs({ cipherDir, mountPoint, key });
      } catch (error) {
        if (!isCharterError(error) || error.code !== "storage/in-use") throw error;
        if (!isTold) onInUse();
        isTold = true;
        await clock.sleep(AGAIN_MS, signal);
      }
    }
    if (this.#volume === undefined) return;
    for (const name of names) await makeOnce(join(this.#volume.path, name));
  }

  /** Where it is readable; undefined while it is not. */
  get path(): string | undefined {
    return this.#volume?.path;
  }

  async close(): Promise<void> {
    const volume = this.#volume;
    this.#volume = undefined;
    await volume?.close();
  }
}

/** For containers of any user, as an engine's own volume; nobody else can reach it below the guest's directory. */
async function makeOnce(directory: string): Promise<void> {
  const made = await mkdir(directory, { recursive: true });
  if (made !== undefined) await chmod(directory, 0o777);
}
