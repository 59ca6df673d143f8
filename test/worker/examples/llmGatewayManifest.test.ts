import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";

import { describeManifest, makeManifest, secretOption } from "../../../cli/support/manifest.ts";
import { CharterError } from "../../../protocol/errors/CharterError.ts";
import type { Address } from "../../../protocol/words/hex.ts";
import { launchFile } from "../../../worker/guest/compose/launchFile.ts";
import { guestConfigSchema } from "../../../worker/guest/config.ts";
import { Guest } from "../../../worker/guest/Guest.ts";
import { openHoldings } from "../../../worker/guest/holdings/openHoldings.ts";
import { loadOrCreateTestPki } from "../../../worker/tee/simulator/pki.ts";
import { openSource } from "../../../worker/tee/openSource.ts";
import { refusal } from "../../support/refusal.ts";
import { ManualClock } from "../support/ManualClock.ts";
import { CHAIN, LEASE_ACCOUNT, TestRelayer } from "../support/TestRelayer.ts";

const COMPOSE = fileURLToPath(new URL("../../../examples/llm-gateway/docker-compose.yml", import.meta.url));
const APP = `0x${"ad".repeat(20)}` as Address;

describe("the manifest of examples/llm-gateway", () => {
  let dir: string;
  let relayer: TestRelayer;
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "charter-llm-"));
    relayer = await new TestRelayer(loadOrCreateTestPki(dir)).start();
  });
  afterEach(async () => {
    await relayer.server.close();
    rmSync(dir, { recursive: true });
  });

  /** As its README makes it. */
  const made = () =>
    makeManifest(readFileSync(COMPOSE, "utf8"), {
      name: "llm",
      leaseSigners: [LEASE_ACCOUNT.address],
      maxLeaseSeconds: 60,
      gpuServices: ["model"],
      secrets: [secretOption("GATEWAY_KEY=gateway")],
      secretSigners: [LEASE_ACCOUNT.address],
    });
  /** Runs its guest up to the moment when containers would be prepared, and gives what Compose would be given. */
  const launched = async (gpu: boolean) => {
    const composeHash = await relayer.keep(Buffer.from(made().bytes));
    const clock = new ManualClock();
    const config = guestConfigSchema.parse({
      ...{ chainId: CHAIN.chainId, genesisHash: CHAIN.genesisHash, ledger: CHAIN.ledger },
      ...{ relayerUrls: [relayer.url], app: APP, composeHash, release: 1, node: 1, slot: 0 },
      ...{ simulatorDir: dir, platform: "one", gpu, workdir: join(dir, "work") },
    });
    let file: Readonly<Record<string, unknown>> | undefined;
    const guest = new Guest(config, {
      clock,
      source: openSource({ simulatorDir: dir, platform: "one", gpu }, CHAIN.chainId, {
        app: APP,
        composeHash,
      }),
      holdings: (project, manifest) =>
        openHoldings(config, project, manifest, { clock, report: () => undefined }),
      runtime: (project, manifest) => {
        file = launchFile(project, {}, manifest.charter.gpu?.services);
        return Promise.reject(new CharterError("compose/no-engine", "far enough", {}));
      },
      report: () => undefined,
    });
    return { code: await refusal(guest.run(new AbortController().signal)), file };
  };

  it("is refused by a guest whose evidence binds no GPU, before anything is prepared", async () => {
    expect(await launched(false)).to.deep.equal({ code: "manifest/unsupported", file: undefined });
  });

  it("has the GPU given to the model alone, by NVIDIA's runtime, where the evidence binds one", async () => {
    const { code, file } = await launched(true);
    expect(code).to.equal("compose/no-engine");
    const { gateway, model } = (file as { services: Record<string, Record<string, unknown>> }).services;
    expect(model).to.deep.include({
      runtime: "nvidia",
      environment: { NVIDIA_VISIBLE_DEVICES: "all" },
      networks: ["inside"],
    });
    expect(gateway).to.not.have.property("runtime");
    expect(gateway?.environment).to.deep.equal({ UPSTREAM: "http://model:8080" });
    expect((file as { networks: unknown }).networks).to.deep.equal({
      clients: {},
      inside: { internal: true },
    });
  });

  it("says that it needs one to whoever is about to sign", () => {
    const { manifest, bytes } = made();
    expect(manifest.charter?.gpu).to.deep.equal({ services: ["model"] });
    const text = describeManifest(manifest);
    expect(text).to.include("GPUs for model");
    expect(text).to.include("secret GATEWAY_KEY: readable by gateway");
    expect(text).not.to.include("not pinned");
    expect(Buffer.from(bytes).toString()).to.include('"gpu"');
  });
});
