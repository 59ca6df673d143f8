import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

import { bootRegisters, MRTD, VM_CONFIG } from "../../../worker/tee/simulator/measurements.ts";
import { simulatedPlatform } from "../../../worker/tee/simulator/platform.ts";
import { loadTestPki } from "../../../worker/tee/simulator/pki.ts";
import { makeQuote } from "../../../worker/tee/simulator/quote.ts";
import type { TsmFiles } from "../../../worker/tee/tsm/tsmReport.ts";
import { simulatedCcel } from "../../protocol/evidence/eventlog/simulatedCcel.ts";

const refused = (code: string): Error => Object.assign(new Error(code), { code });

/** Files of a TD without dstack, below one folder, as `places` and `vmConfigFile` of a configuration name them. */
export const tdPlaces = (dir: string) => ({
  tsmRoot: join(dir, "tsm"),
  tdxDevice: join(dir, "tdx_guest"),
  rtmr3File: join(dir, "rtmr3:sha384"),
  ccelFile: join(dir, "CCEL"),
});

/**
 * A TD's kernel over a tree on disk: mkdir below the root makes an instance with its attributes, each write of `inblob`
 * raises `generation` by one, `outblob` is the quote over the last `inblob` and the registers of that moment, rmdir removes
 * an instance with its attributes, and 48 bytes that are written to RTMR3's file extend it. The boot is the simulator's.
 */
export class DiskTsm implements TsmFiles {
  readonly dir: string;
  readonly #pkiDir: string;
  readonly #platform: string;

  constructor(dir: string, pkiDir: string, platform: string) {
    this.dir = dir;
    this.#pkiDir = pkiDir;
    this.#platform = platform;
  }

  /** Makes the tree as it is when the TD has booted. */
  boot(): this {
    const { tsmRoot, tdxDevice, rtmr3File, ccelFile } = tdPlaces(this.dir);
    mkdirSync(tsmRoot, { recursive: true });
    writeFileSync(tdxDevice, "");
    writeFileSync(rtmr3File, bootRegisters()[3]);
    writeFileSync(ccelFile, simulatedCcel());
    writeFileSync(join(this.dir, "vm-config.json"), VM_CONFIG);
    return this;
  }

  /** True for what the kernel answers for; any other file is the disk's. */
  owns(path: string): boolean {
    const { tsmRoot, rtmr3File } = tdPlaces(this.dir);
    return path === rtmr3File || path.startsWith(`${tsmRoot}/`);
  }

  mkdir = async (path: string): Promise<void> => {
    if (existsSync(path)) throw refused("EEXIST");
    mkdirSync(path);
    writeFileSync(join(path, "generation"), "0\n");
    writeFileSync(join(path, "provider"), "tdx_guest\n");
  };

  rmdir = async (path: string): Promise<void> => {
    if (!existsSync(path)) throw refused("ENOENT");
    rmSync(path, { recursive: true });
  };

  write = async (path: string, bytes: Uint8Array | string): Promise<void> => {
    if (path === tdPlaces(this.dir).rtmr3File) {
      if (bytes.length !== 48) throw refused("EINVAL");
      const extended = createHash("sha384").update(readFileSync(path)).update(bytes).digest();
      return writeFileSync(path, extended);
    }
    const generation = join(dirname(path), "generation");
    if (!existsSync(generation)) throw refused("ENOENT");
    if (basename(path) !== "inblob" || bytes.length > 64) throw refused("EINVAL");
    writeFileSync(path, bytes);
    writeFileSync(generation, `${Number(readFileSync(generation, "utf8")) + 1}\n`);
  };

  read = async (path: string): Promise<Uint8Array> => {
    if (basename(path) === "inblob") throw refused("EACCES"); // It can only be written.
    if (basename(path) !== "outblob") return readFileSync(path);
    const inblob = join(dirname(path), "inblob");
    if (!existsSync(inblob)) throw refused("EINVAL");
    const [rtmr0, rtmr1, rtmr2] = bootRegisters();
    return makeQuote(simulatedPlatform(loadTestPki(this.#pkiDir), { name: this.#platform }), {
      mrTd: MRTD,
      mrConfigId: new Uint8Array(48),
      rtmrs: [rtmr0, rtmr1, rtmr2, readFileSync(tdPlaces(this.dir).rtmr3File)],
      reportData: readFileSync(inblob),
      debug: false,
    });
  };
}
