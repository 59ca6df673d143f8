import { expect } from "chai";

import type { EvidenceMessage } from "../../../protocol/session/messages.ts";
import { parseAddress, parseComposeHash, toHex, type Bytes32 } from "../../../protocol/words/hex.ts";
import { evidenceVerifier, type EvidenceVerifier } from "../../../relayer/evidence/verifier.ts";
import { openStore, type Store } from "../../../relayer/store/store.ts";
import { measureBoot } from "../../../worker/tee/measureBoot.ts";
import { createPcs, type Pcs } from "../../../worker/tee/simulator/pcs.ts";
import { createTestPki } from "../../../worker/tee/simulator/pki.ts";
import { SimulatedSgx } from "../../../worker/tee/simulator/SimulatedSgx.ts";
import { SimulatedTdx } from "../../../worker/tee/simulator/SimulatedTdx.ts";
import { AT, pki, platform } from "../../protocol/evidence/simulated.ts";
import { freshDatabase } from "../../support/postgres.ts";
import { refusal } from "../../support/refusal.ts";

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

  async function start(service: Awaited<ReturnType<typeof vendor>>, clock?: () => number) {
    const failures: string[] = [];
    const verifier: EvidenceVerifier = evidenceVerifier({
      pcsUrl: service.url,
      kdsUrl: service.url,
      testRootPem: pki.file.root,
      amdTestRootPem: undefined,
      store: store.collateral,
      amdStore: store.amdCollateral,
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
    const { quote } = await evidence();
    const seen = await verifier.forecast(quote);
    expect([seen.now, seen.next]).to.deep.equal(Array(2).fill({ status: "UpToDate", refusedBy: null }));
    expect(seen.endings[0]?.at).to.equal(AT + 30 * DAY);
    service.world.down = true;
    expect((await verifier.forecast(quote)).next).to.equal(null);
  });

  it("asks for the documents of the quote's own TEE", async () => {
    const service = await serve();
    const { verifier } = await start(service);
    const quote = toHex(new SimulatedSgx(platform).quote(new Uint8Array(64)));
    // An enclave's quote is judged as one, and refused only then: a guest with an event log is a TD.
    expect(await refusal(verifier.verify({ ...(await evidence()), quote }))).to.equal("evidence/quote-kind");
    expect([...verifier.secondsLeft().keys()]).to.deep.equal(["sgx:f0ca57000000:platform"]);
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
