import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";

import { formatArguments } from "../../../worker/storage/luks/formatLuks.ts";
import { holdLuks } from "../../../worker/storage/luks/holdLuks.ts";
import {
  HEADER_BYTES,
  headerMac,
  luksPassphrase,
  readHeader,
  requireHeader,
  withHeaderCopy,
} from "../../../worker/storage/luks/luksHeader.ts";
import { requireCipher } from "../../../worker/storage/luks/luksMetadata.ts";
import { luksUnusable } from "../../../worker/storage/luks/luksMissing.ts";
import { luksEnvironment, luksSteps } from "../../../worker/storage/luks/luksStep.ts";
import { mappingName, openLuks } from "../../../worker/storage/luks/openLuks.ts";
import { firstMissing } from "../../../worker/storage/Volume.ts";
import { refusal, refusalOf } from "../../support/refusal.ts";
import { behavesAsVolume } from "./behavesAsVolume.ts";

const SIZE_MB = 48;
const MEMORY = "/dev/shm";
const key = (fill: number) => new Uint8Array(32).fill(fill);

behavesAsVolume({
  kind: "luks2",
  missing: luksUnusable,
  open: (options) => openLuks({ ...options, sizeMb: SIZE_MB }),
  module: "../../../worker/storage/luks/openLuks.ts",
  name: "openLuks",
  more: { sizeMb: SIZE_MB },
});

/** Changes one of the two metadata areas as whoever has the disk can: its checksum has no key (LUKS2 specification, 2.1). */
function nameNoCipher(area: Buffer): void {
  const segments = area.indexOf('"segments"');
  const encryption = area.indexOf("aes-xts-plain64", segments);
  expect([segments, encryption]).to.not.include(-1);
  area.write("cipher_null-ecb", encryption);
  const CHECKSUM = 448;
  area.fill(0, CHECKSUM, CHECKSUM + 64);
  createHash("sha256").update(area).digest().copy(area, CHECKSUM);
}

/** What takes no device-mapper: real headers, which cryptsetup makes and reads in user space. */
describe("the header of a LUKS2 volume", function () {
  this.timeout(60_000);
  let dir: string;
  let image: string;
  let mac: string;

  before(async function () {
    const missing = await firstMissing(["cryptsetup"]);
    if (missing === null) return;
    console.log(`      skipped: the header of a LUKS2 volume: ${missing} is not installed`);
    this.skip();
  });
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "charter-luks-"));
    image = await formatted("image", 1);
    mac = join(dir, "mac");
    writeFileSync(mac, headerMac(await readHeader(image), key(1)));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  const formatted = async (name: string, fill: number): Promise<string> => {
    const path = join(dir, name);
    writeFileSync(path, "");
    truncateSync(path, SIZE_MB * 1_048_576);
    const step = luksSteps(join(dir, "lock.step"));
    await step("cryptsetup", formatArguments(path, false), { input: luksPassphrase(key(fill)) });
    return path;
  };
  /** As a volume is opened: what this gives is the work's answer, over a copy of the header that was checked. */
  const checked = async <T>(
    fill = 1,
    work: (copy: string) => T | Promise<T> = () => "opened" as T,
  ): Promise<T> => {
    const header = await readHeader(image);
    requireHeader(header, existsSync(mac) ? readFileSync(mac) : Buffer.alloc(0), key(fill));
    return withHeaderCopy(header, MEMORY, async (copy) => work(copy));
  };
  /** cryptsetup's exit for a passphrase, by a header that stands apart from the image: 0 it fits, 2 it does not. */
  const tries = (header: string, fill: number) =>
    spawnSync(
      "cryptsetup",
      ["open", "--test-passphrase", "--type=luks2", `--header=${header}`, "--key-file=-", image],
      { input: luksPassphrase(key(fill)) },
    ).status;
  const dump = () =>
    spawnSync("cryptsetup", ["luksDump", "--dump-json-metadata", image], { encoding: "utf8" }).stdout;
  const copies = () => readdirSync(MEMORY).filter((name) => name.startsWith("charter-header-"));

  it("is read from a copy in memory, and opens by the app's key alone", async () => {
    await checked(1, (copy) => {
      expect(copy.startsWith(`${MEMORY}/`)).to.equal(true);
      expect(statSync(copy).mode & 0o777).to.equal(0o600);
      expect([tries(copy, 1), tries(copy, 2)]).to.deep.equal([0, 2]);
    });
    expect(copies()).to.deep.equal([]);
  });

  it("says what was asked for: AES-XTS with 512 bits, one slot, and data behind what the MAC covers", () => {
    const { keyslots, segments } = JSON.parse(dump()) as {
      keyslots: Record<string, { key_size: number; kdf: object; area: { encryption: string } }>;
      segments: Record<string, { offset: string; encryption: string; sector_size: number }>;
    };
    expect(Object.keys(keyslots)).to.deep.equal(["0"]);
    expect(keyslots["0"]?.key_size).to.equal(64);
    expect(keyslots["0"]?.area.encryption).to.equal("aes-xts-plain64");
    expect(keyslots["0"]?.kdf).to.include({ type: "pbkdf2", iterations: 1_000 });
    expect(segments["0"]).to.include({ encryption: "aes-xts-plain64", sector_size: 4_096 });
    expect(Number(segments["0"]?.offset)).to.equal(HEADER_BYTES);
    expect(formatArguments(image)).to.include("--integrity=hmac-sha256");
  });

  it("is held to that before the first file system is made by it", () => {
    requireCipher(dump(), false);
    type Metadata = Record<"keyslots" | "segments", Record<string, object>> &
      Record<"tokens" | "config", object>;
    const made = JSON.parse(dump()) as Metadata;
    const integrity = { type: "hmac(sha256)", journal_encryption: "none", journal_integrity: "none" };
    const whole = { ...made, segments: { "0": { ...made.segments["0"], integrity } } };
    requireCipher(JSON.stringify(whole));
    const bends: readonly (readonly [what: string, metadata: object])[] = [
      ["without its HMACs", made],
      [
        "another HMAC",
        { ...whole, segments: { "0": { ...whole.segments["0"], integrity: { type: "none" } } } },
      ],
      ["a second segment", { ...whole, segments: { ...whole.segments, "1": whole.segments["0"] } }],
      ["a second slot", { ...whole, keyslots: { ...made.keyslots, "1": made.keyslots["0"] } }],
      [
        "a slot that encrypts nothing",
        {
          ...whole,
          keyslots: { "0": { ...made.keyslots["0"], area: { type: "raw", encryption: "cipher_null-ecb" } } },
        },
      ],
      ["a token", { ...whole, tokens: { "0": { type: "x" } } }],
      [
        "a change of keys under way",
        { ...whole, config: { requirements: { mandatory: ["online-reencrypt"] } } },
      ],
    ];
    for (const [what, metadata] of bends) {
      expect(
        refusalOf(() => requireCipher(JSON.stringify(metadata))),
        what,
      ).to.equal("storage/header-changed");
    }
    expect(refusalOf(() => requireCipher(""))).to.equal("storage/header-changed");
  });

  it("is refused for another app's key, without a MAC, and with any bit changed", async () => {
    expect(await refusal(checked(2))).to.equal("storage/wrong-key");
    for (const at of [0, 4_096, 16_384, 100_000, HEADER_BYTES - 1]) {
      const bytes = readFileSync(image);
      bytes[at] = (bytes[at] as number) ^ 1;
      writeFileSync(image, bytes);
      expect(await refusal(checked()), `byte ${at}`).to.equal("storage/wrong-key");
      bytes[at] ^= 1;
      writeFileSync(image, bytes);
    }
    expect(await checked()).to.equal("opened");
    rmSync(mac);
    expect(await refusal(checked())).to.equal("storage/wrong-key");
    truncateSync(image, HEADER_BYTES - 1);
    expect(await refusal(checked())).to.equal("storage/foreign-files");
    expect(copies()).to.deep.equal([]);
  });

  it("is refused where the host has it name no cipher for the data, though the app's key still opens it", async () => {
    const bytes = readFileSync(image);
    for (const at of [0, 16_384]) nameNoCipher(bytes.subarray(at, at + 16_384));
    writeFileSync(image, bytes);
    expect(dump()).to.include("cipher_null-ecb");
    expect(refusalOf(() => requireCipher(dump(), false))).to.equal("storage/header-changed");
    expect(tries(image, 1)).to.equal(0);
    expect(await refusal(checked())).to.equal("storage/wrong-key");
  });

  it("is copied to memory only", async () => {
    const elsewhere = withHeaderCopy(await readHeader(image), "/proc", () => Promise.resolve());
    expect(await refusal(elsewhere)).to.equal("storage/failed");
  });

  it("is never made over other files, nor in a directory of gocryptfs", async () => {
    const cipherDir = join(dir, "cipher");
    mkdirSync(cipherDir);
    writeFileSync(join(cipherDir, "gocryptfs.conf"), "{}");
    const opened = openLuks({ cipherDir, mountPoint: join(dir, "plain"), key: key(1), sizeMb: SIZE_MB });
    expect(await refusal(opened)).to.equal("storage/foreign-files");
    expect(readdirSync(cipherDir)).to.deep.equal(["gocryptfs.conf"]);
  });
});

describe("the lock of a LUKS2 volume", function () {
  this.timeout(30_000);
  let dir: string;
  before(async function () {
    const missing = await firstMissing(["flock"]);
    if (missing !== null) this.skip();
  });
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), "charter-lock-"))));
  afterEach(() => rmSync(dir, { recursive: true }));

  it("is one guest's at a time, and waits for what is still under way", async () => {
    const options = () => ({
      lock: join(dir, "lock"),
      mountPoint: join(dir, "plain"),
      name: mappingName(dir),
      env: luksEnvironment(),
    });
    const first = await holdLuks(options());
    expect(await refusal(holdLuks(options()))).to.equal("storage/in-use");
    const order: string[] = [];
    const [fifo, begun] = [join(dir, "fifo"), join(dir, "begun")];
    spawnSync("mkfifo", [fifo]);
    const step = luksSteps(`${options().lock}.step`);
    const script = ': > "$2"; cat "$1" >/dev/null';
    const working = step("sh", ["-c", script, "step", fifo, begun]).then(() => order.push("step"));
    while (!existsSync(begun)) await new Promise((done) => setTimeout(done, 10));
    const released = first.release().then(() => order.push("released"));
    expect(await refusal(holdLuks(options()))).to.equal("storage/in-use");
    writeFileSync(fifo, ""); // Its writer comes and goes: the step ends.
    await Promise.all([working, released]);
    expect(order).to.deep.equal(["step", "released"]);
    await (await holdLuks(options())).release();
  });

  it("says which program failed, and the end of what it said, but nothing that it was given", async () => {
    const step = luksSteps(join(dir, "step"));
    const input = luksPassphrase(key(1));
    try {
      await step("sh", ["-c", "cat >/dev/null; echo not here >&2; exit 4"], { input });
      expect.fail("it should have failed");
    } catch (error) {
      const { code, details } = error as { code: string; details: Record<string, unknown> };
      expect(code).to.equal("storage/failed");
      expect(details).to.include({ program: "sh", exit: 4, stderr: "not here\n" });
      expect(JSON.stringify(details)).not.to.include(input);
    }
  });
});
