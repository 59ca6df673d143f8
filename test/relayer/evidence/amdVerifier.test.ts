import { expect } from "chai";

import { keccak256 } from "../../../protocol/crypto/keccak.ts";
import { nodeCrypto } from "../../../protocol/crypto/node.ts";
import { evidenceDigest } from "../../../protocol/evidence/facts/evidenceDigest.ts";
import { ZERO_BYTES32 } from "../../../protocol/evidence/facts/EvidenceFacts.ts";
import type { SnpProduct } from "../../../protocol/evidence/snp/amdRoots.ts";
import { mrConfigHash } from "../../../protocol/evidence/snp/hostData.ts";
import { TcbStatus, TeeKind } from "../../../protocol/words/enums.ts";
import { fromHex, toHex, type Bytes32 } from "../../../protocol/words/hex.ts";
import { evidenceVerifier } from "../../../relayer/evidence/verifier.ts";
import type { VendorConfig } from "../../../relayer/vendorConfig.ts";
import { openStore, type Store } from "../../../relayer/store/store.ts";
import type { AmdPki } from "../../../worker/tee/simulator/snp/amdPki.ts";
import { createKds } from "../../../worker/tee/simulator/snp/kds.ts";
import type { SnpDefects } from "../../../worker/tee/simulator/snp/SimulatedSnp.ts";
import {
  SNP_TCB,
  snpPlatform,
  type SnpPlatformOptions,
} from "../../../worker/tee/simulator/snp/snpPlatform.ts";
import { AT, guest, otherPki, pkiOf, REPORT_DATA } from "../../protocol/evidence/snp/simulatedSnp.ts";
import { freshDatabase } from "../../support/postgres.ts";
import { refusal } from "../../support/refusal.ts";
import { vendorsWith } from "../support/vendors.ts";

const DAY = 86_400;

/** The vendor's service on a port of its own, with a clock, a switch, and a count of requests by path. */
async function vendor(pkis: readonly AmdPki[]) {
  const world = {
    now: AT,
    revoked: [] as Uint8Array[],
    asked: [] as string[],
    /** In place of the vendor's own answer, by the end of the path. */
    answers: new Map<string, { code: number; headers?: Record<string, string>; body?: Buffer }>(),
  };
  const kds = createKds({
    pkis,
    machines: ["one", "two"],
    now: () => world.now,
    revoked: () => world.revoked,
  });
  kds.server.addHook("onRequest", async (request, reply) => {
    const path = request.url.split("?")[0] ?? "";
    const what = /\/(cert_chain|crl)$/.exec(path)?.[1] ?? "vcek";
    world.asked.push(what);
    const answer = world.answers.get(what) ?? world.answers.get("all");
    if (answer)
      await reply
        .code(answer.code)
        .headers(answer.headers ?? {})
        .send(answer.body);
  });
  const url = await kds.server.listen({ host: "127.0.0.1", port: 0 });
  return { world, kds, url };
}

describe("the relayer's verifier of SEV-SNP reports", function () {
  this.timeout(120_000);
  let store: Store;
  let open: { close: () => Promise<unknown> }[];

  beforeEach(async () => {
    open = [];
    store = await openStore(await freshDatabase());
  });
  afterEach(async () => {
    for (const one of open.reverse()) await one.close();
    await store.close();
  });

  async function serve(...pkis: readonly AmdPki[]) {
    const service = await vendor(pkis.length === 0 ? [pkiOf("Milan")] : pkis);
    open.push({ close: () => service.kds.server.close() });
    return service;
  }

  /** A replica over the same database; its clock runs a second ahead of the vendor's. */
  function start({ world, url }: Awaited<ReturnType<typeof vendor>>, more: Partial<VendorConfig> = {}) {
    const failures: string[] = [];
    const verifier = evidenceVerifier({
      vendors: vendorsWith({ kdsUrl: url, amdTestRootPem: pkiOf("Milan").root, ...more }),
      store,
      logger: { warn: () => undefined },
      onFetchFailed: (code, kind) => failures.push(`${kind} ${code}`),
      now: () => world.now + 1,
      threads: 1,
    });
    open.push(verifier);
    return { verifier, failures };
  }

  const quoteOf = (
    defects: SnpDefects = {},
    options: Partial<SnpPlatformOptions> = {},
    product: SnpProduct = "Milan",
  ): string => toHex(guest(options, pkiOf(product)).attest(REPORT_DATA, defects).report);

  for (const product of ["Milan", "Genoa", "Turin"] as const) {
    it(`verifies a report of ${product} that came alone, with certificates fetched once`, async () => {
      const service = await serve(pkiOf(product));
      const { verifier, failures } = start(service);
      const all = await Promise.all(
        Array.from({ length: 5 }, () => verifier.verifySnp(quoteOf({}, {}, product))),
      );
      expect(all[0]).to.include({ product, revocation: "good", simulated: true });
      expect(all[0]?.platformId).to.equal(guest({}, pkiOf(product)).platformId);
      expect(service.world.asked.toSorted()).to.deep.equal(["cert_chain", "crl", "vcek"]);
      expect([...verifier.secondsLeft()]).to.deep.equal([[`snp:vcek:${product}`, 30 * DAY - 1]]);
      expect(failures).to.deep.equal([]);
    });
  }

  const message = (quote: string, vmConfig = "{}", eventLog = "[]") => ({
    kind: "snp" as const,
    quote,
    eventLog,
    vmConfig,
    blockNumber: 1,
    blockHash: `0x${"00".repeat(32)}` as Bytes32,
  });
  const APP = "11".repeat(20);
  const COMPOSE_HASH = "22".repeat(32);
  const document = (fields: Record<string, unknown> = {}): string =>
    JSON.stringify({ version: 3, compose_hash: COMPOSE_HASH, app_id: APP, ...fields });
  const launchedWith = async (text: string): Promise<string> =>
    quoteOf({ hostData: await mrConfigHash(text, nodeCrypto) });

  it("says in the contracts' words what a launch bound, and what it measured", async () => {
    const { verifier } = start(await serve());
    const mr_config = document();
    const quote = await launchedWith(mr_config);
    const vmConfig = JSON.stringify({ mr_config, os_image_hash: "33".repeat(32) });
    const facts = await verifier.verify(message(quote, vmConfig));
    const { report } = await verifier.verifySnp(quote);
    expect(facts).to.include({
      kind: TeeKind.Snp,
      composeHash: `0x${COMPOSE_HASH}`,
      launchedFor: `0x${APP}`,
      osImageHash: `0x${"33".repeat(32)}`,
      measurementDigest: keccak256(report.measurement),
      platformId: guest().platformId,
      evidenceDigest: evidenceDigest({ kind: "snp", quote }),
    });
    expect(facts.pinnedMeasurementDigest).not.to.equal(facts.measurementDigest);
  });

  it("gives a report alone no manifest and no image", async () => {
    const { verifier } = start(await serve());
    const facts = await verifier.verify(message(quoteOf()));
    expect(facts).to.include({ composeHash: null, osImageHash: ZERO_BYTES32 });
    expect(facts.launchedFor).to.equal(undefined);
  });

  it("refuses what does not fit together, and says which check a false report fails", async () => {
    const { verifier } = start(await serve());
    const refused = async (quote: string, vmConfig?: string, log?: string): Promise<unknown> =>
      refusal(verifier.verify(message(quote, vmConfig, log)));
    expect(await refused(quoteOf({ debug: true }))).to.equal("evidence/snp-debug");
    const other = JSON.stringify({ mr_config: document({ compose_hash: "44".repeat(32) }) });
    expect(await refused(await launchedWith(document()), other)).to.equal("evidence/snp-mr-config");
    const nameless = document({ app_id: undefined });
    const config = JSON.stringify({ mr_config: nameless });
    expect(await refused(await launchedWith(nameless), config)).to.equal("evidence/snp-app-unnamed");
    expect(await refused(quoteOf(), "{}", '[{"imr":3}]')).to.equal("evidence/event-log-unexpected");
    const masked = guest({ signer: "VLEK" });
    const blind = toHex(masked.attest(REPORT_DATA, { maskedChipId: true }).report);
    const table = tableOf({ VLEK: masked.platform.certificates.leaf });
    expect(await refused(blind + table)).to.equal("evidence/snp-chip-masked");
  });

  it("calls firmware below the given floor out of date", async () => {
    const floors = { Milan: { ...SNP_TCB, snp: SNP_TCB.snp + 1 } };
    const { verifier } = start(await serve(), { snpFloors: floors });
    expect((await verifier.verify(message(quoteOf()))).status).to.equal(TcbStatus.OutOfDate);
    const met = start(await serve(), { snpFloors: { Milan: SNP_TCB } });
    expect((await met.verifier.verify(message(quoteOf()))).status).to.equal(TcbStatus.UpToDate);
  });

  it("looks ahead for a machine: what ends, and what the floors to come make of it", async () => {
    const service = await serve();
    const nextSnpFloors = { Milan: { ...SNP_TCB, microcode: SNP_TCB.microcode + 1 } };
    const { verifier } = start(service, { snpFloors: { Milan: SNP_TCB }, nextSnpFloors });
    const seen = await verifier.forecast(message(quoteOf()));
    expect([seen.kind, seen.now, seen.next]).to.deep.equal([
      "snp",
      { status: "UpToDate", refusedBy: null },
      { status: "OutOfDate", refusedBy: null },
    ]);
    expect(seen.endings[0]).to.deep.equal({ what: "AMD's revocation list", at: AT + 30 * DAY });
    expect(seen.endings.map(({ what }) => what).toSorted()).to.deep.equal([
      "AMD's revocation list",
      "ARK certificate",
      "ASK certificate",
      "VCEK or VLEK certificate",
    ]);
    const refused = await verifier.forecast(message(quoteOf({ debug: true })));
    expect(refused.now).to.deep.equal({ status: null, refusedBy: "snp-debug" });
  });

  it("takes from the kernel's table what is there, and the rest from AMD", async () => {
    const service = await serve();
    const { verifier } = start(service);
    const { certificates } = guest().platform;
    const { ask, ark } = certificates;
    const whole = quoteOf() + tableOf({ VCEK: certificates.leaf, ask, ark });
    expect(await verifier.verifySnp(whole)).to.include({ revocation: "good" });
    expect(await verifier.verifySnp(quoteOf() + tableOf({ VCEK: certificates.leaf }))).to.include({
      revocation: "good",
    });
    expect(service.world.asked).not.to.include("vcek");
    await verifier.verifySnp(quoteOf() + tableOf({}));
    expect(service.world.asked).to.include("vcek");
  });

  it("verifies a report signed with a VLEK that came along: AMD publishes none", async () => {
    const { verifier } = start(await serve());
    const vlek = guest({ signer: "VLEK" });
    const report = toHex(vlek.attest(REPORT_DATA).report);
    const table = tableOf({ VLEK: vlek.platform.certificates.leaf });
    expect((await verifier.verifySnp(report + table)).report.signer).to.equal("VLEK");
    expect([...verifier.secondsLeft().keys()]).to.deep.equal(["snp:vlek:Milan"]);
    expect(await refusal(verifier.verifySnp(report))).to.equal("evidence/collateral-missing");
  });

  it("starts while the vendor is down, with what another replica kept", async () => {
    const service = await serve();
    await start(service).verifier.verifySnp(quoteOf());
    service.world.answers.set("all", { code: 503 });
    const { verifier, failures } = start(service);
    expect(await verifier.verifySnp(quoteOf())).to.include({ revocation: "good" });
    expect(failures).to.deep.equal(["snp collateral/refused"]);
    expect(await refusal(verifier.verifySnp(quoteOf({}, { name: "two" })))).to.equal("collateral/refused");
    // The list ends, and with it everything.
    service.world.now += 30 * DAY;
    expect(await refusal(verifier.verifySnp(quoteOf()))).to.equal("collateral/refused");
    service.world.answers.clear();
    expect(await verifier.verifySnp(quoteOf())).to.include({ revocation: "good" });
  });

  it("asks for a VCEK once per chip and firmware, over days and restarts", async () => {
    const service = await serve();
    await start(service).verifier.verifySnp(quoteOf());
    service.world.now += 5 * DAY;
    const { verifier } = start(service);
    await verifier.verifySnp(quoteOf());
    service.world.now += 5 * DAY;
    await verifier.verifySnp(quoteOf());
    const vceks = () => service.world.asked.filter((what) => what === "vcek").length;
    expect(vceks()).to.equal(1);
    const older = { ...SNP_TCB, microcode: 200 };
    const old = { tcbs: { reported: older, current: older, committed: older, launch: older } };
    await verifier.verifySnp(quoteOf(old));
    expect(vceks()).to.equal(2);
    expect(service.world.asked.filter((what) => what === "crl")).to.have.length(3);
  });

  it("learns of a revoked CA at the next look", async () => {
    const service = await serve();
    const { verifier } = start(service);
    await verifier.verifySnp(quoteOf());
    service.world.revoked = [pkiOf("Milan").askSerial];
    service.kds.reissue();
    service.world.now += 6 * 3_600;
    expect(await refusal(verifier.verifySnp(quoteOf()))).to.equal("evidence/snp-revoked");
    // Also by those who start later, while the vendor is down: the list is kept.
    service.world.answers.set("all", { code: 503 });
    expect(await refusal(start(service).verifier.verifySnp(quoteOf()))).to.equal("evidence/snp-revoked");
  });

  it("keeps the newer list when the service answers an older one, and says so", async () => {
    const service = await serve();
    service.world.now = AT + 5 * DAY;
    await start(service).verifier.verifySnp(quoteOf());
    // Its clock goes back, or whoever stands in its place replays: genuine, and older.
    service.world.now = AT + DAY;
    const { verifier, failures } = start(service);
    service.kds.reissue();
    const crl = (await (await fetch(`${service.url}/vcek/v1/Milan/crl`)).arrayBuffer()) satisfies ArrayBuffer;
    service.world.now = AT + 5 * DAY;
    service.world.answers.set("crl", { code: 200, body: Buffer.from(crl) });
    await verifier.verifySnp(quoteOf());
    expect(failures).to.deep.equal(["snp collateral/older"]);
    expect([...verifier.secondsLeft().values()]).to.deep.equal([30 * DAY - 1]);
  });

  it("leaves the vendor alone after a 429 until its time", async () => {
    const service = await serve();
    const { verifier, failures } = start(service);
    service.world.answers.set("vcek", { code: 429, headers: { "Retry-After": "90" } });
    expect(await refusal(verifier.verifySnp(quoteOf()))).to.equal("collateral/rate-limited");
    service.world.answers.clear();
    const asked = service.world.asked.length;
    service.world.now += 89;
    expect(await refusal(verifier.verifySnp(quoteOf()))).to.equal("collateral/rate-limited");
    expect(service.world.asked).to.have.length(asked);
    service.world.now += 1;
    expect(await verifier.verifySnp(quoteOf())).to.include({ revocation: "good" });
    expect(failures).to.deep.equal(Array(2).fill("snp collateral/rate-limited"));
  });

  const twoOf = (options: Partial<SnpPlatformOptions> = {}) =>
    snpPlatform(pkiOf("Milan"), { name: "one", ...options }).certificates.leaf;
  const wrong: Record<string, [body: () => Uint8Array, code: string]> = {
    "another chip's certificate": [() => twoOf({ name: "two" }), "collateral/not-genuine"],
    "the certificate of other firmware": [
      () => twoOf({ tcb: { ...SNP_TCB, snp: 23 } }),
      "collateral/not-genuine",
    ],
    "a certificate of another vendor of the same names": [
      () => snpPlatform(otherPki(), { name: "one" }).certificates.leaf,
      "collateral/not-genuine",
    ],
    "a VLEK": [() => twoOf({ signer: "VLEK" }), "collateral/malformed"],
    "a CA": [() => pkiOf("Milan").certificates.ask, "collateral/malformed"],
    "a key of another curve": [() => twoOf({ curve: "P-256" }), "collateral/malformed"],
    garbage: [() => fromHex("0x3003020105"), "collateral/malformed"],
    "an answer without end": [() => new Uint8Array(1_048_577), "collateral/too-large"],
  };
  for (const [what, [body, code]] of Object.entries(wrong)) {
    it(`keeps nothing for a chip when it is served ${what}`, async () => {
      const service = await serve();
      const { verifier } = start(service);
      service.world.answers.set("vcek", { code: 200, body: Buffer.from(body()) });
      expect(await refusal(verifier.verifySnp(quoteOf()))).to.equal(code);
      expect((await store.pool.query("SELECT 1 FROM amd_vceks")).rowCount).to.equal(0);
      service.world.answers.clear();
      expect(await verifier.verifySnp(quoteOf())).to.include({ revocation: "good" });
    });
  }

  it("lets no CAs or list that AMD's root does not vouch for displace anything", async () => {
    const service = await serve();
    const forged = await serve(otherPki());
    const { verifier } = start(service);
    const body = async (pathOf: { url: string }, path: string) =>
      Buffer.from(await (await fetch(pathOf.url + path)).arrayBuffer());
    const cases: [string, () => Promise<Buffer>, string][] = [
      ["cert_chain", () => body(forged, "/vcek/v1/Milan/cert_chain"), "collateral/not-genuine"],
      ["cert_chain", () => body(service, "/vlek/v1/Milan/cert_chain"), "collateral/not-genuine"],
      ["crl", () => body(forged, "/vcek/v1/Milan/crl"), "collateral/not-genuine"],
      ["crl", () => Promise.resolve(Buffer.from("3003020105", "hex")), "collateral/malformed"],
    ];
    for (const [path, answer, code] of cases) {
      service.world.answers.set(path, { code: 200, body: await answer() });
      expect(await refusal(verifier.verifySnp(quoteOf()))).to.equal(code);
      service.world.answers.clear();
    }
    expect((await store.pool.query("SELECT 1 FROM amd_issuers")).rowCount).to.equal(0);
  });

  it("asks again for a kept VCEK that was damaged", async () => {
    const service = await serve();
    await start(service).verifier.verifySnp(quoteOf());
    await store.pool.query("UPDATE amd_vceks SET certificate = '\\x3000'");
    expect(await start(service).verifier.verifySnp(quoteOf())).to.include({ revocation: "good" });
    expect(service.world.asked.filter((what) => what === "vcek")).to.have.length(2);
  });
});

const GUIDS = {
  VCEK: "63da758de6644564adc5f4b93be8accd",
  VLEK: "a8074bc2a25a483eaae639c045a0b8a1",
  ask: "4ab7b379bbac4fe4a02f05aef327c782",
  ark: "c0b406a4a803495297433fb6014cd0ae",
} as const;

/** The kernel's table, as hex. */
function tableOf(certificates: Partial<Record<keyof typeof GUIDS, Uint8Array>>): string {
  const entries = Object.entries(certificates);
  let offset = 24 * (entries.length + 1);
  const rows = entries.map(([name, { length }]) => {
    const row = Buffer.alloc(24);
    row.write(GUIDS[name as keyof typeof GUIDS], "hex");
    row.writeUInt32LE(offset, 16);
    row.writeUInt32LE(length, 20);
    offset += length;
    return row;
  });
  return Buffer.concat([...rows, Buffer.alloc(24), ...entries.map(([, bytes]) => bytes)]).toString("hex");
}
