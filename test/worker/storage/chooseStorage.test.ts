import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";

import { chooseStorage, examineStorage } from "../../../worker/storage/chooseStorage.ts";
import { luksMissing } from "../../../worker/storage/luks/luksMissing.ts";
import { MARKS, STORAGE_KINDS, type StorageKind } from "../../../worker/storage/Volume.ts";
import { isCharterError } from "../../../protocol/errors/CharterError.ts";
import { refusal } from "../../support/refusal.ts";

describe("what encrypts a volume", function () {
  this.timeout(60_000);
  let dir: string;
  let here: Readonly<Record<StorageKind, string | null>>;
  before(async () => (here = await examineStorage()));
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), "charter-choice-"))));
  afterEach(() => rmSync(dir, { recursive: true }));

  const outcome = async (wanted: "auto" | StorageKind) => {
    try {
      return await chooseStorage(join(dir, "cipher"), wanted);
    } catch (error) {
      if (isCharterError(error)) return error.code;
      throw error;
    }
  };

  it("is the first kind that this machine can open, and none where it can open none", async () => {
    expect(await outcome("auto")).to.equal(
      STORAGE_KINDS.find((kind) => here[kind] === null) ?? "storage/none",
    );
  });

  it("is what the configuration says, or nothing: no other kind takes its place", async () => {
    for (const kind of STORAGE_KINDS) {
      expect(await outcome(kind)).to.equal(here[kind] === null ? kind : "storage/none");
    }
  });

  it("is what made the volume that is there, and a refusal where another is wanted", async () => {
    for (const kind of STORAGE_KINDS) {
      const cipherDir = mkdtempSync(join(dir, kind));
      writeFileSync(join(cipherDir, MARKS[kind]), "");
      const other = STORAGE_KINDS.find((each) => each !== kind) as StorageKind;
      expect(await refusal(chooseStorage(cipherDir, other))).to.equal("storage/other-kind");
      const isUsable = kind === "luks2" ? (await luksMissing()) === null : here[kind] === null;
      for (const wanted of ["auto", kind] as const) {
        const chosen = chooseStorage(cipherDir, wanted);
        if (isUsable) expect(await chosen).to.equal(kind);
        else expect(await refusal(chosen)).to.equal("storage/none");
      }
    }
  });
});
