import { expect } from "chai";

import { keccak256 } from "../../../protocol/crypto/keccak.ts";
import { evidenceDigest } from "../../../protocol/evidence/facts/evidenceDigest.ts";
import type { EvidenceMessage } from "../../../protocol/session/messages.ts";
import { TeeKind } from "../../../protocol/words/enums.ts";
import { parseAddress, parseComposeHash, toHex, type Bytes32 } from "../../../protocol/words/hex.ts";
import { evidenceVerifier, type EvidenceVerifier } from "../../../relayer/evidence/verifier.ts";
import type { VendorConfig } from "../../../relayer/vendorConfig.ts";
import { openStore, type Store } from "../../../relayer/store/store.ts";
import { measureBoot } from "../../../worker/tee/measureBoot.ts";
import { createPcs, type Pcs } from "../../../worker/tee/simulator/pcs.ts";
import { createTestPki } from "../../../worker/tee/simulator/pki.ts";
import { createNitroPki } from "../../../worker/tee/simulator/nitro/nitroPki.ts";
import { SimulatedNitro } from "../../../worker/tee/simulator/nitro/SimulatedNitro.ts";
import {
  ENCLAVE,
  SimulatedSgx,
  type SimulatedSgxOptions,
} from "../../../worker/tee/simulator/SimulatedSgx.ts";
import { SimulatedTdx } from "../../../worker/tee/simulator/SimulatedTdx.ts";
import { AT, pki, platform } from "../../protocol/evidence/simulated.ts";
import { freshDatabase } from "../../support/postgres.ts";
import { refusal } from "../../support/refusal.ts";
import { vendorsWith } from "../support/vendors.ts";

const DAY = 86_400;

async function evidence(): Promise<EvidenceMessage> {
  const tdx = new SimulatedTdx(platform);
  await measureBoot(tdx, {
    app: parseAddress(`0x${"11".repeat(20)}`),
    composeHash: parseComposeHash(`0x${"22".repeat(32)}`),
    instanceId: `0x${"33".repeat(20)}`,
  });
  const quoted = await tdx.quote(new Uint8Array(64).fill(1));
  return { kind: "tdx", ...quoted, blockNumber: 1, blockHash: `0x${"00".repeat(32)}` as Bytes32 };
}

/** The vendor's service on a port of its own, with a clock and a switch. */
async function vendor(from = pki) {
  const world = { now: AT, down: false, requests: 0 };
  const pcs: Pcs = createPcs({ pki: from, now: () => world.now });
  pcs.server.addHook("onRequest", async (_request, reply) => {
    world.requests++;
    if (world.down) await reply.code(503).send();
  });
  const url = await pcs.server.listen({ host: "127.0.0.1", port: 0 });
  return { world, pcs, url };
}

describe("the relayer's verifier of evidence", function () {
  this.timeout(60_000);
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

  async function start(
    service: Awaited<ReturnType<typeof vendor>>,
    clock?: () => number,
    more: Partial<VendorConfig> = {},
  ) {
    const failures: string[] = [];
    const verifier: EvidenceVerifier = evidenceVerifier({
      vendors: vendorsWith({ pcsUrl: service.url, testRootPem: pki.file.root, ...more }),
      store,
      logger: { warn: () => undefined },
      onFetchFailed: (code) => failures.push(code),
      now: clock ?? (() => service.world.now + 1),
      threads: 1,
    });
    open.push(verifier);
    return { verifier, failures };
  }
  async function serve(from = pki) {
    const service = await vendor(from);
    open.push({ close: () => service.pcs.server.close() });
    return service;
  }

  it("verifies against what the vendor publishes, fetched once, and says how long it lasts", async () => {
    const service = await serve();
    const { verifier } = await start(service);
    const one = await evidence();
    await Promise.all(Array.from({ length: 5 }, () => verifier.verify(one)));
    expect(service.world.requests).to.equal(4);
    expect([...verifier.secondsLeft()]).to.deep.equal([["tdx:f0ca57000000:platform", 30 * DAY - 1]]);
  });

  it("looks ahead for a platform, under today's set and the announced one", async () => {
    const service = await serve();
    const { verifier } = await start(service);
    const one = await evidence();
    const seen = await verifier.forecast(one);
    expect([seen.now, seen.next]).to.deep.equal(Array(2).fill({ status: "UpToDate", refusedBy: null }));
    expect(seen.endings[0]?.at).to.equal(AT + 30 * DAY);
    service.world.down = true;
    expect((await verifier.forecast(one)).next).to.equal(null);
  });

  const bare = {
    eventLog: "[]",
    vmConfig: "{}",
    blockNumber: 1,
    blockHash: `0x${"00".repeat(32)}` as Bytes32,
  };
  const enclave = (options: SimulatedSgxOptions = {}): EvidenceMessage => {
    const quote = toHex(new SimulatedSgx(platform, options).quote(new Uint8Array(64).fill(2)));
    return { kind: "sgx", quote, ...bare };
  };

  it("asks for the documents of the quote's own TEE, and lets no quote stand for another kind", async () => {
    const service = await serve();
    const { verifier } = await start(service);
    const { quote } = enclave();
    // An enclave's quote is judged as one, and refused only then: a guest with an event log is a TD.
    expect(await refusal(verifier.verify({ ...(await evidence()), quote }))).to.equal("evidence/quote-kind");
    expect([...verifier.secondsLeft().keys()]).to.deep.equal(["sgx:f0ca57000000:platform"]);
    const td = { ...(await evidence()), ...bare, kind: "sgx" as const };
    expect(await refusal(verifier.verify(td))).to.equal("evidence/quote-kind");
  });

  it("says of an enclave what it measured, and that it binds no manifest", async () => {
    const { verifier } = await start(await serve());
    const facts = await verifier.verify(enclave());
    expect(facts).to.include({
      kind: TeeKind.Sgx,
      platformId: platform.platformId,
      composeHash: null,
      measurementDigest: keccak256(ENCLAVE.mrEnclave),
      pinnedMeasurementDigest: keccak256(ENCLAVE.mrEnclave, ENCLAVE.mrSigner, Uint8Array.of(7, 0, 3, 0)),
      evidenceDigest: evidenceDigest(enclave()),
    });
    expect(facts.reportData).to.equal(`0x${"02".repeat(64)}`);
  });

  it("refuses an enclave that can be debugged, and what is said beside a quote that binds nothing of it", async () => {
    const { verifier } = await start(await serve());
    const refused = (message: EvidenceMessage): Promise<unknown> => refusal(verifier.verify(message));
    expect(await refused(enclave({ flags: 0x07 }))).to.equal("evidence/enclave-debug");
    const log = '[{"imr":3}]';
    expect(await refused({ ...enclave(), eventLog: log })).to.equal("evidence/event-log-unexpected");
    expect(await refused({ ...enclave(), vmConfig: '{"a":1}' })).to.equal("evidence/vm-config-unexpected");
  });

  it("refuses a true document of AWS Nitro for want of a machine, and a false one for what is false", async () => {
    const nitro = createNitroPki({ notBefore: AT - 1000, secret: new Uint8Array(32).fill(3) });
    const { verifier } = await start(await serve(), undefined, { nitroTestRootPem: nitro.root });
    const made = new SimulatedNitro(nitro, AT - 60);
    const refused = (document: Uint8Array): Promise<unknown> =>
      refusal(verifier.verify({ kind: "nitro", quote: toHex(document), ...bare }));
    expect(await refused(made.attest())).to.equal("evidence/nitro-platform");
    expect(await refused(made.attest({}, { debug: true }))).to.equal("evidence/nitro-debug");
    const old = new SimulatedNitro(nitro, AT - 700).attest();
    expect(await refused(old)).to.equal("evidence/nitro-age");
    const stranger = createNitroPki({ notBefore: AT - 1000, secret: new Uint8Array(32).fill(4) });
    expect(await refused(new SimulatedNitro(stranger, AT - 60).attest())).to.equal("evidence/root-pinned");
  });

  it("starts while the vendor is down, with what another replica kept", async () => {
    const service = await serve();
    await (await start(service)).verifier.verify(await evidence());
    service.world.down = true;
    const { verifier, failures } = await start(service);
    expect((await verifier.verify(await evidence())).simulated).to.equal(true);
    expect(failures).to.deep.equal(["collateral/refused"]);
  });

  it("does not start on what has ended, nor on nothing", async () => {
    const service = await serve();
    service.world.down = true;
    const empty = await start(service);
    expect(await refusal(empty.verifier.verify(await evidence()))).to.equal("collateral/refused");
    service.world.down = false;
    await empty.verifier.verify(await evidence());
    service.world.down = true;
    const late = await start(service, () => AT + 30 * DAY);
    expect(await refusal(late.verifier.verify(await evidence()))).to.equal("collateral/refused");
  });

  it("keeps what it has when the service answers something older, and says so", async () => {
    const service = await serve();
    service.world.now = AT + 5 * DAY;
    await (await start(service)).verifier.verify(await evidence());
    // The vendor's clock, or whoever stands in its place, goes back: genuine, and older.
    service.world.now = AT + DAY;
    const { verifier, failures } = await start(service, () => AT + 5 * DAY + 1);
    await verifier.verify(await evidence());
    expect(failures).to.deep.equal(["collateral/older"]);
    expect([...verifier.secondsLeft().values()]).to.deep.equal([30 * DAY - 1]);
  });

  it("lets no service that the vendor's root does not vouch for displace anything", async () => {
    const stranger = createTestPki({ notBefore: AT - 1000, secret: new Uint8Array(32).fill(8) });
    const forged = await serve(stranger);
    const { verifier } = await start(forged);
    expect(await refusal(verifier.verify(await evidence()))).to.equal("collateral/not-genuine");
    const family = "tdx:f0ca57000000:platform";
    expect(await store.collateral.get(family)).to.equal(null);
  });
});
