import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";

import { isCharterError } from "../../../protocol/errors/CharterError.ts";
import type { Address } from "../../../protocol/words/hex.ts";
import { snpDerivedKey } from "../../../worker/keys/snp/snpDerivedKey.ts";
import { SnpKeys, type SnpScope } from "../../../worker/keys/snp/SnpKeys.ts";
import { refusal } from "../../support/refusal.ts";
import { makeSnpguest, snpguestCalls, type SnpguestState } from "../support/snpguest.ts";

const address = (digits: string) => `0x${digits.repeat(20)}` as Address;
const [APP, OTHER, ONE, TWO] = [address("ab"), address("ac"), address("01"), address("02")] as const;
const MEMORY = "/dev/shm";
const SCOPE: SnpScope = { chainId: 1, ledger: address("1e"), leaseSigners: [ONE, TWO] };

describe("keys that the AMD security processor derives", function () {
  this.timeout(30_000);
  let dir: string;
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), "charter-snp-"))));
  afterEach(() => rmSync(dir, { recursive: true }));

  const derived = (state: Partial<SnpguestState> = {}) =>
    snpDerivedKey({ program: makeSnpguest(dir, state), memoryDir: MEMORY });
  const hex = async (key: Promise<Uint8Array>) => Buffer.from(await key).toString("hex");
  const left = () => readdirSync(MEMORY).filter((name) => name.startsWith("charter-snp-"));

  it("are asked for with policy and measurement, of the chip's own root, at VMPL 0", async () => {
    await derived();
    expect(snpguestCalls(dir).map((call) => JSON.parse(call) as unknown)).to.deep.equal([
      { root: "vcek", vmpl: "0", guest_field_select: "0b001001", guest_svn: "0", tcb_version: "0" },
    ]);
  });

  it("are the same after a restart, with another TCB, and by whichever version of the program", async () => {
    const first = await hex(derived());
    const later: Partial<SnpguestState>[] = [
      {},
      { tcb: "2" },
      { version: "0.4.1" },
      { version: "0.7.1" },
      { version: "0.9.2" },
    ];
    for (const state of later) expect(await hex(derived(state)), JSON.stringify(state)).to.equal(first);
  });

  it("are another on another chip, with another OS image, and where the guest may be debugged", async () => {
    const all = [
      await hex(derived()),
      await hex(derived({ chip: "c2" })),
      await hex(derived({ measurement: "e2" })),
      await hex(derived({ policy: "b0000" })),
    ];
    expect(new Set(all).size).to.equal(4);
  });

  it("are refused where the program gives none, whatever its exit says, and leave nothing behind", async () => {
    for (const fault of ["refused", "zeros", "short", "nothing", "flood"] as const) {
      expect(await refusal(derived({ fault })), fault).to.equal("keys/snp-failed");
    }
    expect(await refusal(derived({ vmpl: 1 })), "not at VMPL 0").to.equal("keys/snp-failed");
    const none = snpDerivedKey({ program: join(dir, "none"), memoryDir: MEMORY });
    expect(await refusal(none)).to.equal("keys/snp-failed");
    await derived();
    expect(left()).to.deep.equal([]);
  });

  it("are refused by a program whose arguments are not known, before it is asked", async () => {
    for (const version of ["0.2.3", "1.0.0", "dev"]) {
      expect(await refusal(derived({ version })), version).to.equal("keys/snp-version");
    }
    expect(snpguestCalls(dir)).to.deep.equal([]);
  });

  it("never stand on a disk", async () => {
    const elsewhere = snpDerivedKey({ program: makeSnpguest(dir), memoryDir: "/proc" });
    expect(await refusal(elsewhere)).to.equal("keys/not-in-memory");
    expect(snpguestCalls(dir)).to.deep.equal([]);
  });

  it("say nothing of themselves when they fail", async () => {
    const key = await hex(derived());
    try {
      await derived({ fault: "short" });
      expect.fail("it should have failed");
    } catch (error) {
      if (!isCharterError(error)) throw error;
      expect(JSON.stringify(error)).not.to.include(key.slice(0, 16));
    }
  });

  describe("of an app", () => {
    const key = (scope: Partial<SnpScope> = {}, app = APP, use: "hpke" | "volume" = "volume") =>
      hex(
        new SnpKeys({ ...SCOPE, ...scope }, { program: makeSnpguest(dir), memoryDir: MEMORY }).key(app, use),
      );

    it("are the same for every release that names the same lease signers, in whatever order", async () => {
      const first = await key();
      expect(first).to.match(/^[0-9a-f]{64}$/);
      expect(await key({ leaseSigners: [TWO, ONE, TWO] })).to.equal(first);
    });

    it("are another for each app, use, chain and ledger, and for whoever else would lease", async () => {
      const all = [
        await key(),
        await key({}, OTHER),
        await key({}, APP, "hpke"),
        await key({ chainId: 31337 }),
        await key({ ledger: OTHER }),
        // A host starts the same image with a manifest that names a signer of its own, alone or beside the app's.
        await key({ leaseSigners: [OTHER] }),
        await key({ leaseSigners: [ONE, TWO, OTHER] }),
        await key({ leaseSigners: [ONE] }),
      ];
      expect(new Set(all).size).to.equal(all.length);
    });
  });
});
