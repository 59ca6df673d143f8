import { expect } from "chai";

import { parseCertificate } from "../../../protocol/der/certificate.ts";
import { testRootFromPem } from "../../../protocol/evidence/chain/roots.ts";
import type { GpuEvidence } from "../../../protocol/evidence/gpu/gpuEvidence.ts";
import type { GpuVerification } from "../../../protocol/evidence/gpu/verifyGpu.ts";
import { isCharterError } from "../../../protocol/errors/CharterError.ts";
import { gpuVerifier } from "../../../relayer/evidence/gpuVerifier.ts";
import type { GpuPki } from "../../../worker/tee/simulator/gpu/gpuPki.ts";
import {
  ocspResponder,
  makeOcsp,
  refuseOcsp,
  type OcspState,
} from "../../../worker/tee/simulator/gpu/ocsp.ts";
import { createOcspServer } from "../../../worker/tee/simulator/gpu/ocspServer.ts";
import { makeRim } from "../../../worker/tee/simulator/gpu/rim.ts";
import { createRimServer, hopperRims } from "../../../worker/tee/simulator/gpu/rimServer.ts";
import { SimulatedGpu, type GpuDefects } from "../../../worker/tee/simulator/gpu/SimulatedGpu.ts";
import { AT, gpu, NONCE, NONCE_HEX, otherPki, pki } from "../../protocol/evidence/gpu/simulatedGpu.ts";
import { chain } from "../../protocol/evidence/gpu/simulatedOcsp.ts";
import { refusal } from "../../support/refusal.ts";
import { freshStore } from "../support/freshStore.ts";

const DAY = 86_400;
const HOUR = 3_600;
const DRIVER_ID = "NV_GPU_DRIVER_GH100_590.12";
const VBIOS_ID = "NV_GPU_VBIOS_G520_0200_885_9600A50001";
const [, device, provisioner, identity] = chain.map(({ serial }) => serial);
const [rimSigner, rimCa] = pki.rimChain.map((raw) => parseCertificate(raw).serial);

/** NVIDIA's two services on ports of their own, with a clock, switches, and what was asked. */
async function vendor(of: GpuPki = pki) {
  const world = {
    now: AT,
    states: new Map<string, OcspState>(),
    rims: hopperRims(of),
    /** Ids, and "ocsp" for each question about a certificate. */
    asked: [] as string[],
    /** In place of either service's own answer. */
    answers: new Map<"rim" | "ocsp", { code: number; headers?: Record<string, string>; body?: Uint8Array }>(),
  };
  const services = {
    rim: createRimServer({ pki: of, now: () => world.now, rims: world.rims }),
    ocsp: createOcspServer({ pki: of, now: () => world.now, stateOf: (serial) => world.states.get(serial) }),
  };
  for (const name of ["rim", "ocsp"] as const) {
    services[name].addHook("preHandler", async (request, reply) => {
      world.asked.push(name === "ocsp" ? name : (request.url.split("/").at(-1) as string));
      const answer = world.answers.get(name);
      if (answer) {
        await reply
          .code(answer.code)
          .headers(answer.headers ?? {})
          .send(answer.body && Buffer.from(answer.body));
      }
    });
  }
  const at = { host: "127.0.0.1", port: 0 };
  const rimUrl = await services.rim.listen(at);
  const ocspUrl = await services.ocsp.listen(at);
  const close = () => Promise.all([services.rim.close(), services.ocsp.close()]);
  return { world, rimUrl, ocspUrl, close };
}

describe("the relayer's verifier of GPU reports", function () {
  this.timeout(120_000);
  const { store, opened } = freshStore();

  const serve = async (of?: GpuPki) => opened(await vendor(of));

  /** A replica over the same database. */
  function start({ world, rimUrl, ocspUrl }: Awaited<ReturnType<typeof vendor>>, clockBehind = 0) {
    const failures: string[] = [];
    const verifier = gpuVerifier({
      rimUrl,
      ocspUrl,
      roots: [testRootFromPem(pki.root)],
      rimRoots: [testRootFromPem(pki.rimRoot)],
      store: store().gpuCollateral,
      now: () => world.now - clockBehind,
      onRefreshFailed: (cause) => failures.push(isCharterError(cause) ? cause.code : String(cause)),
    });
    const verify = (
      defects: GpuDefects = {},
      evidence: GpuEvidence = gpu.attest(NONCE, defects),
    ): Promise<GpuVerification> => verifier.verify(evidence, { nonce: NONCE_HEX });
    return { verifier, verify, failures };
  }
  const rows = async (table: string) => (await store().pool.query(`SELECT 1 FROM ${table}`)).rowCount;

  it("judges measurements and revocation by what it fetched, once for all who wait", async () => {
    const service = await serve();
    const { verifier, verify, failures } = start(service);
    const [first] = await Promise.all([verify(), verify(), verify()]);
    expect(first).to.include({ measured: "golden", revocation: "good", simulated: true });
    expect(first?.validUntil).to.equal(AT + DAY);
    // Three certificates of the GPU's chain, and two of the manifests'; the leaf and the roots are not asked for.
    expect(service.world.asked.toSorted()).to.deep.equal([
      DRIVER_ID,
      VBIOS_ID,
      ...Array<string>(5).fill("ocsp"),
    ]);
    expect([...verifier.held().values()].filter((until) => until === AT + DAY)).to.have.length(5);
    expect([await rows("gpu_rims"), await rows("ocsp_responses")]).to.deep.equal([2, 5]);
    expect(failures).to.deep.equal([]);
  });

  it("says when the certificates and manifests of a GPU end, answers about revocation aside", async () => {
    const { verifier } = start(await serve());
    const endings = await verifier.endings(gpu.attest(NONCE));
    expect(endings.map(({ what }) => what)).to.deep.equal([
      "GPU certificates",
      "GPU driver manifest",
      "GPU VBIOS manifest",
    ]);
    for (const { at } of endings) expect(at).to.equal(pki.notAfter);
  });

  it("finds developer's firmware, which a report alone does not show", async () => {
    const { verify } = start(await serve());
    expect(await refusal(verify({ devTools: true }))).to.equal("evidence/gpu-measurements");
    expect(await refusal(verify({ altered: 3 }))).to.equal("evidence/gpu-measurements");
  });

  it("asks NVIDIA nothing for what is no GPU's report over this nonce", async () => {
    const service = await serve();
    const { verify } = start(service);
    const other = new SimulatedGpu(otherPki, { name: "one" }).attest(NONCE);
    expect(await refusal(verify({}, other))).to.equal("evidence/root-pinned");
    expect(await refusal(verify({}, gpu.attest(new Uint8Array(32).fill(1))))).to.equal("evidence/gpu-nonce");
    expect(await refusal(verify({ ccOff: true }))).to.equal("evidence/gpu-opaque-format");
    expect(await refusal(verify({ fields: { 17: null } }))).to.equal("evidence/gpu-rim-id");
    expect(service.world.asked).to.deep.equal([]);
  });

  it("asks for Blackwell's manifests by their own names", async () => {
    const service = await serve();
    const blackwell = new SimulatedGpu(pki, { name: "two", arch: "BLACKWELL" });
    const { verify } = start(service);
    expect(await refusal(verify({}, blackwell.attest(NONCE)))).to.equal("collateral/refused");
    expect(service.world.asked).to.include("NV_GPU_CC_DRIVER_GB100_590.12");
    service.world.rims.set("NV_GPU_CC_DRIVER_GB102_590.12", makeRim(pki, { kind: "driver" }));
    const named = blackwell.attest(NONCE, { fields: { 35: Buffer.from("GB102\0") } });
    expect(await verify({}, named)).to.include({ arch: "BLACKWELL", measured: "golden" });
  });

  for (const [what, serial] of [
    ["the device's certificate", device],
    ["a provisioner", provisioner],
    ["an identity CA", identity],
    ["the manifests' signer", rimSigner],
    ["the manifests' CA", rimCa],
  ] as const) {
    it(`refuses where ${what} is revoked, on hold or unknown, and says which it is`, async () => {
      const service = await serve();
      for (const state of ["revoked", "hold", "unknown"] as const) {
        service.world.states.set(serial as string, state);
        await store().pool.query("TRUNCATE ocsp_responses");
        const error = await start(service)
          .verify()
          .catch((cause: unknown) => cause);
        expect(isCharterError(error) && error.code).to.equal("evidence/gpu-revoked");
        expect(isCharterError(error) && error.details["bad"]).to.deep.equal([{ serial, status: state }]);
      }
    });
  }

  it("learns of a revocation within hours, and does not forget it when NVIDIA is away", async () => {
    const service = await serve();
    const { verify } = start(service);
    await verify();
    service.world.states.set(provisioner as string, "revoked");
    service.world.now += 6 * HOUR;
    expect(await refusal(verify())).to.equal("evidence/gpu-revoked");
    service.world.answers.set("ocsp", { code: 503 });
    service.world.answers.set("rim", { code: 503 });
    expect(await refusal(start(service).verify())).to.equal("evidence/gpu-revoked");
  });

  it("starts while NVIDIA is away with what another replica kept, until the answers end", async () => {
    const service = await serve();
    await start(service).verify();
    service.world.answers.set("ocsp", { code: 503 });
    service.world.answers.set("rim", { code: 503 });
    const { verify, failures } = start(service);
    expect(await verify()).to.include({ measured: "golden", revocation: "good" });
    expect(failures).to.deep.equal(Array(7).fill("collateral/refused"));
    service.world.now += DAY;
    expect(await refusal(verify())).to.equal("collateral/refused");
    service.world.answers.clear();
    expect(await verify()).to.include({ revocation: "good" });
  });

  it("asks anew before the answers end, and backs off meanwhile", async () => {
    const service = await serve();
    const { verify } = start(service);
    await verify();
    const ocsp = () => service.world.asked.filter((one) => one === "ocsp").length;
    service.world.now += 6 * HOUR - 1;
    await verify();
    expect(ocsp()).to.equal(5);
    service.world.answers.set("ocsp", { code: 500 });
    service.world.now += 1;
    await verify();
    await verify();
    expect(ocsp()).to.equal(10);
    service.world.answers.clear();
    service.world.now += 60;
    expect((await verify()).validUntil).to.equal(service.world.now + DAY);
    expect(ocsp()).to.equal(15);
  });

  it("keeps the newer answer when the service gives an older one, and says so", async () => {
    const service = await serve();
    await start(service).verify();
    // Whoever stands in the service's place has a clock that is behind: genuine, and older.
    service.world.now -= HOUR;
    const { verify, failures } = start(service, -HOUR);
    expect((await verify()).validUntil).to.equal(AT + DAY);
    expect(failures).to.deep.equal(Array(5).fill("collateral/older"));
  });

  it("stands a clock that is some seconds behind the service's", async () => {
    const service = await serve();
    expect(await start(service, 60).verify()).to.include({ revocation: "good" });
    expect(await refusal(start(service, 61).verify())).to.equal("collateral/not-genuine");
  });

  it("leaves a service alone after a 429", async () => {
    const service = await serve();
    const { verify } = start(service);
    service.world.answers.set("ocsp", { code: 429, headers: { "Retry-After": "90" } });
    expect(await refusal(verify())).to.equal("collateral/rate-limited");
    service.world.answers.clear();
    const asked = service.world.asked.length;
    expect(await refusal(verify())).to.equal("collateral/rate-limited");
    expect(service.world.asked).to.have.length(asked);
    service.world.now += 90;
    expect(await verify()).to.include({ revocation: "good" });
  });

  const issuer = pki.cas[1];
  const replayed = () =>
    makeOcsp({
      issuer,
      responder: ocspResponder(pki, issuer),
      states: [[Buffer.from((provisioner as string).slice(2), "hex"), "good"]],
      thisUpdate: AT,
      nextUpdate: AT + DAY,
      nonce: new Uint8Array(32),
    });
  const wrong: Record<string, [body: () => Uint8Array, code: string]> = {
    "a response to another's question": [replayed, "collateral/not-genuine"],
    unauthorized: [() => refuseOcsp(6), "collateral/refused"],
    "try later": [() => refuseOcsp(3), "collateral/refused"],
    garbage: [() => Buffer.from("3003020105", "hex"), "collateral/malformed"],
    nothing: [() => new Uint8Array(), "collateral/malformed"],
    "an answer without end": [() => new Uint8Array(1_048_577), "collateral/too-large"],
  };
  for (const [what, [body, code]] of Object.entries(wrong)) {
    it(`takes no answer from the OCSP service that is ${what}`, async () => {
      const service = await serve();
      const { verify } = start(service);
      service.world.answers.set("ocsp", { code: 200, body: body() });
      expect(await refusal(verify())).to.equal(code);
      expect(await rows("ocsp_responses")).to.equal(0);
      service.world.answers.clear();
      expect(await verify()).to.include({ revocation: "good" });
    });
  }

  it("takes no answers and no manifests of another vendor of the same names", async () => {
    const forged = await serve(otherPki);
    const service = await serve();
    const manifests = start({ ...service, rimUrl: forged.rimUrl });
    expect(await refusal(manifests.verify())).to.equal("collateral/not-genuine");
    expect(await rows("gpu_rims")).to.equal(0);
    await store().pool.query("TRUNCATE ocsp_responses");
    const answers = start({ ...service, ocspUrl: forged.ocspUrl });
    expect(await refusal(answers.verify())).to.equal("collateral/refused");
    expect(await rows("ocsp_responses")).to.equal(0);
  });

  it("takes no manifest of another version under this one's id", async () => {
    const service = await serve();
    service.world.rims.set(DRIVER_ID, makeRim(pki, { kind: "driver", version: "590.11" }));
    const { verify } = start(service);
    expect(await refusal(verify())).to.equal("collateral/not-genuine");
    service.world.rims.set(DRIVER_ID, service.world.rims.get(VBIOS_ID) as string);
    expect(await refusal(verify())).to.equal("collateral/not-genuine");
    service.world.rims.set(DRIVER_ID, "<SoftwareIdentity/>");
    expect(await refusal(verify())).to.equal("collateral/malformed");
    service.world.rims.delete(DRIVER_ID);
    expect(await refusal(verify())).to.equal("collateral/refused");
  });

  it("asks again for what was kept and then damaged", async () => {
    const service = await serve();
    await start(service).verify();
    await store().pool.query("UPDATE ocsp_responses SET response = '\\x3000'");
    await store().pool.query("UPDATE gpu_rims SET xml = '<a/>'");
    expect(await start(service).verify()).to.include({ measured: "golden", revocation: "good" });
    await store().pool.query("UPDATE ocsp_responses SET response = '\\x3000'");
    service.world.answers.set("ocsp", { code: 503 });
    expect(await refusal(start(service).verify())).to.equal("collateral/refused");
  });
});
