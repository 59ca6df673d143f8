import { access, chmod, mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";

import { isCharterError } from "../../../protocol/errors/CharterError.ts";
import type { Address } from "../../../protocol/words/hex.ts";
import type { Clock } from "../../clock.ts";
import type { KeySource } from "../../keys/KeySource.ts";
import { chooseStorage, type StorageChoice } from "../../storage/chooseStorage.ts";
import { openGocryptfs } from "../../storage/gocryptfs.ts";
import { openLuks } from "../../storage/luks/openLuks.ts";
import type { StorageKind, Volume } from "../../storage/Volume.ts";

const AGAIN_MS = 200;

export interface VolumeHoldingOptions {
  readonly app: Address;
  readonly source: KeySource;
  /** What stands on the disk, encrypted: of this app and slot. */
  readonly cipherDir: string;
  /** What may encrypt it. */
  readonly storage: StorageChoice;
  /** Size of a new volume, where its kind has one. */
  readonly sizeMb: number;
  /** A directory in memory. */
  readonly memoryDir: string;
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
  readonly #kind: StorageKind;
  #volume: Volume | undefined;

  private constructor(options: VolumeHoldingOptions, kind: StorageKind) {
    this.#options = options;
    this.#kind = kind;
  }

  /** @throws CharterError `storage/none`, `storage/other-kind`: never a plain volume instead. */
  static async prepare(options: VolumeHoldingOptions): Promise<VolumeHolding> {
    return new VolumeHolding(options, await chooseStorage(options.cipherDir, options.storage));
  }

  /**
   * Resolves when it is open, or the signal is given: in an upgrade the predecessor has it until its containers ended.
   * @throws CharterError `storage/…`, `keys/…`.
   */
  async open(signal: AbortSignal): Promise<void> {
    const { app, source, names, clock, onInUse } = this.#options;
    const key = await source.key(app, "volume");
    for (let isTold = false; !signal.aborted && this.#volume === undefined;) {
      try {
        this.#volume = await this.#openOnce(key, signal);
      } catch (error) {
        if (signal.aborted) return;
        if (!isCharterError(error) || error.code !== "storage/in-use") throw error;
        if (!isTold) onInUse();
        isTold = true;
        await clock.sleep(AGAIN_MS, signal);
      }
    }
    if (this.#volume === undefined) return;
    for (const name of names) await makeOnce(this.#volume.path, name);
  }

  /** Where it is readable; undefined while it is not. */
  get path(): string | undefined {
    return this.#volume?.path;
  }

  #openOnce(key: Uint8Array, signal: AbortSignal): Promise<Volume> {
    const { cipherDir, mountPoint, sizeMb, memoryDir } = this.#options;
    return this.#kind === "luks2"
      ? openLuks({ cipherDir, mountPoint, key, sizeMb, memoryDir, signal })
      : openGocryptfs({ cipherDir, mountPoint, key });
  }

  async close(): Promise<void> {
    const volume = this.#volume;
    this.#volume = undefined;
    await volume?.close();
  }
}

/**
 * For containers of any user, as an engine's own volume; nobody else can reach it below the guest's directory. Its mode is the
 * app's to change once it stands, so it comes to stand with the right one, whatever cuts this short.
 */
async function makeOnce(volume: string, name: string): Promise<void> {
  const directory = join(volume, name);
  if (await exists(directory)) return;
  const next = join(volume, `.charter-new-${name}`); // No named volume has such a name.
  await rm(next, { recursive: true, force: true });
  await mkdir(next);
  await chmod(next, 0o777);
  await rename(next, directory);
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
