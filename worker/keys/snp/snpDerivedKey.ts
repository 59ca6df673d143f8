import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { CharterError } from "../../../protocol/errors/CharterError.ts";

export interface SnpguestOptions {
  /** virtee's `snpguest`; default: where the search path has it. */
  readonly program?: string | undefined;
  /** A directory in memory (tmpfs): the program writes the key to a file, and it must never stand on a disk. */
  readonly memoryDir: string;
}

const TIMEOUT_MS = 30_000;
const MAX_OUTPUT = 65_536;
const KEY_BYTES = 32;
/** statfs(2): file systems that are memory. */
const MEMORY: readonly number[] = [0x01021994 /* tmpfs */, 0x858458f6 /* ramfs */];
const ENVIRONMENT = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" } as const;

/**
 * GUEST_FIELD_SELECT of MSG_KEY_REQ (SEV-SNP ABI 56860): bit 0 the guest's policy, so that a guest that may be debugged has
 * another key; bit 3 the launch measurement, so that another OS image has. Not the TCB version: with it every update of the
 * firmware would take the data away. (The VCEK is itself of a TCB version: that a key outlives an update is not promised.)
 */
const FIELDS = 0b001001;

/**
 * The key that the AMD security processor derives for this chip, launch measurement and guest policy, at VMPL 0. Of the two
 * roots it is the VCEK's: the VMRK is a migration agent's to set, which a verifier refuses.
 * @throws CharterError `keys/not-in-memory`, `keys/snp-version` for a program whose arguments are not known here,
 * `keys/snp-failed` where it gives no key.
 */
export async function snpDerivedKey({
  program = "snpguest",
  memoryDir,
}: SnpguestOptions): Promise<Uint8Array> {
  if (!MEMORY.includes((await statfs(memoryDir)).type)) {
    throw new CharterError("keys/not-in-memory", "a derived key is written to memory only (tmpfs)", {
      directory: memoryDir,
    });
  }
  const fields = fieldsFor(await snpguestVersion(program));
  const dir = await mkdtemp(join(memoryDir, "charter-snp-")); // Mode 0700.
  const file = join(dir, "key");
  try {
    await run(program, ["key", file, "vcek", "--vmpl", "0", "-g", fields]);
    const key = new Uint8Array(await readFile(file).catch(() => Buffer.alloc(0)));
    // Where the firmware refuses, versions of the program write a key of zeros and exit with 0.
    if (key.length !== KEY_BYTES || key.every((byte) => byte === 0)) {
      throw failed(program, { reason: "no key was derived", bytes: key.length });
    }
    await writeFile(file, Buffer.alloc(KEY_BYTES));
    return key;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** @throws CharterError `keys/snp-failed` where the program cannot be run, `keys/snp-version`. */
export async function snpguestVersion(
  program = "snpguest",
): Promise<readonly [major: number, minor: number]> {
  const text = await run(program, ["--version"]);
  const found = /^snpguest (\d{1,4})\.(\d{1,4})\.\d/.exec(text);
  if (found === null) throw unknownVersion(text.slice(0, 64));
  const [, major, minor] = found;
  const version = [Number(major), Number(minor)] as const;
  fieldsFor(version);
  return version;
}

/** 0.4 to 0.9 take six binary digits; from 0.10 on bare digits are decimal, and binary ones have a prefix. */
function fieldsFor([major, minor]: readonly [number, number]): string {
  if (major !== 0 || minor < 4) throw unknownVersion(`${major}.${minor}`);
  return `${minor < 10 ? "" : "0b"}${FIELDS.toString(2).padStart(6, "0")}`;
}

const unknownVersion = (actual: string): CharterError =>
  new CharterError("keys/snp-version", "arguments of this snpguest are not known here", {
    expected: "snpguest 0.4 or later, before 1.0",
    actual,
  });

const failed = (program: string, details: Record<string, unknown>, cause?: unknown): CharterError =>
  new CharterError(
    "keys/snp-failed",
    "the security processor's key could not be had",
    { program, ...details },
    { cause },
  );

const run = (program: string, args: readonly string[]): Promise<string> =>
  new Promise((done, fail) => {
    const options = { env: ENVIRONMENT, timeout: TIMEOUT_MS, maxBuffer: MAX_OUTPUT } as const;
    execFile(program, [...args], options, (error, stdout, stderr) => {
      if (!error) return done(stdout);
      fail(failed(program, { exit: error.code ?? null, stderr: stderr.slice(-500) }, error));
    });
  });
