import { createHash } from "node:crypto";
import { expect } from "chai";
import { keccak256 } from "viem";

import { nodeCrypto } from "../../../protocol/crypto/node.ts";
import {
  bootInfoOf,
  parseCollateral,
  quoteBytes,
  verifyEvidence,
  type Evidence,
} from "../../../protocol/evidence/index.ts";
import { parseQuote } from "../../../protocol/evidence/dcap/parseQuote.ts";
import { quoteDigest } from "../../../protocol/evidence/dcap/quoteDigest.ts";
import { concatBytes } from "../../../protocol/words/bytes.ts";
import { TcbStatus } from "../../../protocol/words/enums.ts";
import { fromHex, parseAddress, parseComposeHash, toHex } from "../../../protocol/words/hex.ts";
import { SIMULATED_IMAGE } from "../../../worker/tee/simulator/measurements.ts";
import { simulatedPlatform } from "../../../worker/tee/simulator/platform.ts";
import { SimulatedTdx, type SimulatedTdxOptions } from "../../../worker/tee/simulator/SimulatedTdx.ts";
import { measureBoot } from "../../../worker/tee/measureBoot.ts";
import { itOnVectors } from "../../support/vectors.ts";
import { dstackVector } from "./dstackVector.ts";
import { AT, failedCheck, issued, pki, platform, quoteOf, root } from "./simulated.ts";

const app = parseAddress(`0x${"11".repeat(20)}`);
const composeHash = parseComposeHash(`0x${"22".repeat(32)}`);
const instanceId = `0x${"33".repeat(20)}` as const;

async function booted(options: SimulatedTdxOptions = {}, before: [string, string][] = []): Promise<Evidence> {
  const tdx = new SimulatedTdx(platform, options);
  for (const [name, payload] of before) await tdx.extend(name, Buffer.from(payload, "hex"));
  await measureBoot(tdx, { app, composeHash, instanceId });
  await tdx.extend("compose-hash", new Uint8Array(32));
  const { quote, eventLog, vmConfig } = await tdx.quote(new Uint8Array(64).fill(9));
  return { kind: "tdx", quote, eventLog, vmConfig };
}

const verify = (evidence: Evidence) =>
  verifyEvidence(evidence, {
    collateral: parseCollateral(issued()),
    at: AT + 1,
    crypto: nodeCrypto,
    roots: [root],
  });

describe("verifyEvidence", () => {
  it("says what runs, where, and under which key binding", async () => {
    const evidence = await booted({ composeHash });
    const verified = await verify(evidence);
    expect(verified.appId).to.equal(app);
    expect(verified.composeHash).to.equal(composeHash);
    expect(verified.instanceId).to.equal(instanceId);
    expect(verified.platformId).to.equal(platform.platformId);
    expect(verified.osImageHash).to.equal(SIMULATED_IMAGE.osImageHash);
    expect(verified.measurementDigest).to.equal(SIMULATED_IMAGE.measurementDigest);
    expect(verified.pinnedMeasurementDigest).to.equal(SIMULATED_IMAGE.pinnedMeasurementDigest);
    expect(verified.reportData).to.equal(`0x${"09".repeat(64)}`);
    // Header (48) and TD report (584), and the platform: neither signatures nor padding.
    const quote = quoteBytes(evidence.quote);
    const signed = keccak256(quote.subarray(0, 632));
    expect(verified.evidenceDigest).to.equal(
      keccak256(concatBytes(fromHex(signed), fromHex(platform.platformId))),
    );
    expect(quoteDigest(concatBytes(quote, new Uint8Array(70)))).to.equal(verified.evidenceDigest);
    expect(verified.simulated).to.equal(true);
  });

  it("holds MRCONFIGID of version 3 to its document, and refuses one without it or of no known version", async () => {
    const document = JSON.stringify({
      version: 3,
      compose_hash: composeHash.slice(2),
      app_id: app.slice(2),
      key_provider: "none",
    });
    const digest = createHash("sha256").update(`dstack-mr-config-v3:\0${document}`).digest();
    const mrConfigId = Buffer.concat([Buffer.from([3]), digest, Buffer.alloc(15)]);
    const evidence = await booted({ mrConfigId });
    const withDocument = (text: string): Evidence => ({
      ...evidence,
      vmConfig: JSON.stringify({ ...(JSON.parse(evidence.vmConfig) as object), mr_config: text }),
    });
    expect((await verify(withDocument(document))).composeHash).to.equal(composeHash);
    expect(await failedCheck(verify(withDocument(`${document} `)))).to.equal("mr-config-id");
    expect(await failedCheck(verify(evidence))).to.equal("mr-config-id");
    mrConfigId[0] = 4;
    expect(await failedCheck(verify(await booted({ mrConfigId })))).to.equal("mr-config-id");
  });

  it("holds MRCONFIGID of version 2 to compose hash, app and key provider", async () => {
    // 0: no key provider, which has no id.
    const idOf = (id: string, kind = "00"): Buffer => {
      const digest = keccak256(`0x${composeHash.slice(2)}${id.slice(2)}${kind}`);
      return Buffer.from(`02${digest.slice(2)}${"00".repeat(15)}`, "hex");
    };
    expect((await verify(await booted({ mrConfigId: idOf(app) }))).composeHash).to.equal(composeHash);
    for (const mrConfigId of [idOf(`0x${"12".repeat(20)}`), idOf(app, "02"), idOf(app, "00aa")]) {
      expect(await failedCheck(verify(await booted({ mrConfigId })))).to.equal("mr-config-id");
    }
  });

  it("refuses a document that is not text of at most 64 KiB, or that contradicts what was measured", async () => {
    const vmConfigWith = (evidence: Evidence, document: unknown): Evidence => ({
      ...evidence,
      vmConfig: JSON.stringify({ ...(JSON.parse(evidence.vmConfig) as object), mr_config: document }),
    });
    const evidence = await booted();
    for (const document of [null, 1, {}, "x".repeat(65_537)]) {
      expect(await failedCheck(verify(vmConfigWith(evidence, document)))).to.equal("vm-config-format");
    }
    const fields = { version: 3, compose_hash: composeHash.slice(2), key_provider: "none" };
    for (const change of [
      {},
      { compose_hash: "23".repeat(32) },
      { app_id: "12".repeat(20) },
      { instance_id: "34".repeat(20) },
      { key_provider: "kms" },
      { key_provider_id: "aa" },
      { version: 4 },
    ]) {
      const document = JSON.stringify({ ...fields, ...change });
      const digest = createHash("sha256").update(`dstack-mr-config-v3:\0${document}`).digest();
      const bound = await booted({ mrConfigId: Buffer.concat([Buffer.of(3), digest, Buffer.alloc(15)]) });
      const expected = Object.keys(change).length === 0 ? "none" : "mr-config-id";
      expect(await failedCheck(verify(vmConfigWith(bound, document))), document).to.equal(expected);
    }
  });

  it("gives one report on two platforms two digests, and each platform's the same digest again", async () => {
    const elsewhere = simulatedPlatform(pki, { name: "two" });
    const quotes = await Promise.all([platform, platform, elsewhere].map((on) => quoteOf({}, on)));
    const [first, again, other] = quotes as [Uint8Array, Uint8Array, Uint8Array];
    expect(parseQuote(other).signed).to.deep.equal(parseQuote(first).signed);
    expect(quoteDigest(again)).to.equal(quoteDigest(first));
    expect(quoteDigest(other)).to.not.equal(quoteDigest(first));
  });

  it("gives padded evidence the digest of the quote itself", async () => {
    const evidence = await booted();
    const padded = await verify({ ...evidence, quote: `${evidence.quote}0000` });
    expect(padded.evidenceDigest).to.equal((await verify(evidence)).evidenceDigest);
  });

  it("refuses a MRCONFIGID that is neither zero nor V1 of the logged compose hash", async () => {
    const other = parseComposeHash(`0x${"23".repeat(32)}`);
    expect(await failedCheck(verify(await booted({ composeHash: other })))).to.equal("mr-config-id");
  });

  it("refuses another OS image than the guest measured, where it measured one", async () => {
    const image = SIMULATED_IMAGE.osImageHash.slice(2);
    expect(await failedCheck(verify(await booted({}, [["os-image-hash", image]])))).to.equal("none");
    const lie = await booted({}, [["os-image-hash", "00".repeat(32)]]);
    expect(await failedCheck(verify(lie))).to.equal("os-image-hash");
  });

  it("refuses the event log of another guest", async () => {
    const evidence = await booted();
    const other = await booted({}, [["another", ""]]);
    expect(await failedCheck(verify({ ...evidence, eventLog: other.eventLog }))).to.equal("rtmr-replay");
  });

  it("refuses other kinds, and what is not hex or not JSON, by name", async () => {
    const evidence = await booted();
    expect(await failedCheck(verify({ ...evidence, kind: "snp" }))).to.equal("kind-unsupported");
    expect(await failedCheck(verify({ ...evidence, quote: "0xzz" }))).to.equal("quote-format");
    expect(await failedCheck(verify({ ...evidence, quote: "" }))).to.equal("quote-format");
    expect(await failedCheck(verify({ ...evidence, eventLog: "" }))).to.equal("event-log-format");
    for (const vmConfig of ["", "{}", "[]", '{"os_image_hash":"00"}', '{"os_image_hash":1}']) {
      expect(await failedCheck(verify({ ...evidence, vmConfig }))).to.equal("vm-config-format");
    }
  });

  itOnVectors("reads the real guest: compose hash, platform, and nothing after system-ready", async () => {
    const { evidence, collateral, at } = dstackVector();
    const verified = await verifyEvidence(evidence, {
      collateral: parseCollateral(collateral),
      at,
      crypto: nodeCrypto,
    });
    expect(verified.status).to.equal(TcbStatus.UpToDate);
    expect(verified.composeHash).to.equal(
      "0x3763bc34552cf3a27ff71ad5f7a90471562a1a2df552dfc1998cba2d60da27e7",
    );
    expect(verified.simulated).to.equal(false);
    expect(verified.reportData).to.match(/^0x1234(?:00)*$/);
    const events = JSON.parse(evidence.eventLog) as { event: string }[];
    expect(events.at(-1)?.event).to.equal("LIUM_MINER_HOTKEY");
    expect(JSON.stringify(verified.boot)).not.to.include("LIUM");
    expect(JSON.parse(Buffer.from(verified.boot.keyProvider).toString("utf8"))).to.include({
      name: "local-sgx",
    });
  });

  itOnVectors("gives dstack's boot info of the real guest", async () => {
    const { evidence, collateral, at } = dstackVector();
    const options = { collateral: parseCollateral(collateral), at, crypto: nodeCrypto };
    const info = await bootInfoOf(await verifyEvidence(evidence, options), nodeCrypto);
    expect(info).to.deep.equal({
      appId: "0x3763bc34552cf3a27ff71ad5f7a90471562a1a2d",
      composeHash: "0x3763bc34552cf3a27ff71ad5f7a90471562a1a2df552dfc1998cba2d60da27e7",
      instanceId: "0xc3714eb66990eace777b4e664c16e09375dec4c9",
      deviceId: "0xea0ba482106a22ecb76b59b95fed32b5cc3a81534b27ee01a25a10a87cca7d03",
      mrAggregated: "0x233c659f83048505bb1ef7f105245aa80f5d04e3d096c329da272d7ee13fbf38",
      mrSystem: "0xe1ae776a1492d4f87937b7e563d265c16300be4aba5d748207587023bb7dbb75",
      osImageHash: "0x14ad42d0270b444eaeb53918a5a94d9b17eec7a817cd336173b17c5327541c67",
      tcbStatus: "UpToDate",
      advisoryIds: [],
    });
  });

  it("counts the owner's registers into mrAggregated only when one is set", async () => {
    const free = await bootInfoOf(await verify(await booted()), nodeCrypto);
    const bound = await bootInfoOf(await verify(await booted({ composeHash })), nodeCrypto);
    expect(free.mrSystem).to.equal(bound.mrSystem);
    expect(free.mrAggregated).not.to.equal(bound.mrAggregated);
    const { report } = (await verify(await booted({ composeHash }))).tdx;
    const { mrTd, rtmrs, mrConfigId, mrOwner, mrOwnerConfig } = report;
    const whole = Buffer.concat([mrTd, ...rtmrs, mrConfigId, mrOwner, mrOwnerConfig]);
    expect(bound.mrAggregated).to.equal(toHex(await nodeCrypto.digest("SHA-256", whole)));
  });
});
