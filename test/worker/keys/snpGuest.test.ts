import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { privateKeyToAccount } from "viem/accounts";

import { CharterError } from "../../../protocol/errors/CharterError.ts";
import { secretKeys } from "../../../protocol/keys/secretEnvelope.ts";
import { toHex, type Address } from "../../../protocol/words/hex.ts";
import { dryRuntime } from "../../../worker/guest/compose/Runtime.ts";
import { guestConfigSchema } from "../../../worker/guest/config.ts";
import { Guest } from "../../../worker/guest/Guest.ts";
import { openHoldings } from "../../../worker/guest/holdings/openHoldings.ts";
import { SnpKeys } from "../../../worker/keys/snp/SnpKeys.ts";
import { createTestPki } from "../../../worker/tee/simulator/pki.ts";
import { simulatedPlatform } from "../../../worker/tee/simulator/platform.ts";
import { SimulatedTdx } from "../../../worker/tee/simulator/SimulatedTdx.ts";
import { refusal } from "../../support/refusal.ts";
import { ManualClock } from "../support/ManualClock.ts";
import { makeSnpguest, snpguestCalls } from "../support/snpguest.ts";
import { CHAIN, LEASE_ACCOUNT, TestRelayer } from "../support/TestRelayer.ts";

const APP = `0x${"ab".repeat(20)}` as Address;
const STRANGER = privateKeyToAccount(`0x${"44".repeat(32)}`).address.toLowerCase() as Address;

/** A guest that finds `snpguest` where it runs. Its evidence is simulated: this is about when it asks for a key. */
describe("a guest with keys of the AMD security processor", () => {
  const pki = createTestPki();
  let dir: string;
  let relayer: TestRelayer;
  let stop: AbortController;
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "charter-snp-guest-"));
    mkdirSync(join(dir, "tsm"));
    writeFileSync(join(dir, "sev-guest"), "");
    relayer = await new TestRelayer(pki).start();
    stop = new AbortController();
  });
  afterEach(async () => {
    stop.abort();
    await relayer.server.close();
    rmSync(dir, { recursive: true });
  });

  const run = async (leaseSigners: readonly Address[]) => {
    const text = JSON.stringify({
      manifest_version: 2,
      name: "kept",
      runner: "docker-compose",
      docker_compose_file: `services: {web: {image: "busybox@sha256:${"1b".repeat(32)}"}}`,
      charter: { lease_signers: leaseSigners, secrets: [{ name: "TOKEN" }], secret_signers: [STRANGER] },
    });
    const composeHash = await relayer.keep(Buffer.from(text));
    const clock = new ManualClock();
    const config = guestConfigSchema.parse({
      ...{ chainId: CHAIN.chainId, genesisHash: CHAIN.genesisHash, ledger: CHAIN.ledger },
      ...{ relayerUrls: [relayer.url], app: APP, composeHash, release: 1, node: 1, slot: 0 },
      ...{ evidence: "machine", workdir: join(dir, "work") },
      places: {
        dstackSockets: [join(dir, "no.sock")],
        tsmRoot: join(dir, "tsm"),
        tdxDevice: join(dir, "no-tdx"),
        snpDevice: join(dir, "sev-guest"),
        snpguest: makeSnpguest(dir),
      },
    });
    return new Guest(config, {
      clock,
      source: new SimulatedTdx(simulatedPlatform(pki, { name: "one" }), { composeHash }),
      holdings: (project, manifest) =>
        openHoldings(config, project, manifest, { clock, report: () => undefined }),
      runtime: () => Promise.resolve({ ...dryRuntime("nothing runs here"), kind: "docker" as const }),
      report: () => undefined,
    }).run(stop.signal);
  };

  it("asks for one under a lease of a signer whom its manifest names, and tells the key that follows from it", async () => {
    const running = run([LEASE_ACCOUNT.address.toLowerCase() as Address]);
    const { publicKey } = await relayer.bindings.until(() => true);
    expect(snpguestCalls(dir)).to.have.length(1);
    const scope = {
      chainId: CHAIN.chainId,
      ledger: CHAIN.ledger,
      leaseSigners: [LEASE_ACCOUNT.address.toLowerCase() as Address],
    };
    const keys = new SnpKeys(scope, { program: makeSnpguest(dir), memoryDir: "/dev/shm" });
    const expected = await secretKeys(await keys.key(APP, "hpke"));
    expect(toHex(publicKey)).to.equal(toHex(expected.publicKey));
    stop.abort();
    expect(await running).to.equal("asked");
  });

  it("asks for none where the lease is denied, or is by a signer of a host's own", async () => {
    expect(await refusal(run([STRANGER]))).to.equal("lease/signer-not-named");
    relayer.denial = new CharterError("lease/denied", "revoked", { reason: "ReleaseNotAllowed" });
    expect(await refusal(run([LEASE_ACCOUNT.address.toLowerCase() as Address]))).to.equal("lease/denied");
    expect(snpguestCalls(dir)).to.deep.equal([]);
  });
});
