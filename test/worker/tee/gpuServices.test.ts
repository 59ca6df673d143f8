import { expect } from "chai";

import { nodeCrypto } from "../../../protocol/crypto/node.ts";
import type { Certificate } from "../../../protocol/der/certificate.ts";
import { parseOcsp } from "../../../protocol/evidence/gpu/ocsp/parseOcsp.ts";
import { ocspRequest } from "../../../protocol/evidence/gpu/ocsp/ocspRequest.ts";
import { verifyOcsp } from "../../../protocol/evidence/gpu/ocsp/verifyOcsp.ts";
import type { OcspState } from "../../../worker/tee/simulator/gpu/ocsp.ts";
import { createOcspServer } from "../../../worker/tee/simulator/gpu/ocspServer.ts";
import { createRimServer } from "../../../worker/tee/simulator/gpu/rimServer.ts";
import { AT, pki } from "../../protocol/evidence/gpu/simulatedGpu.ts";
import { chain, NONCE } from "../../protocol/evidence/gpu/simulatedOcsp.ts";

describe("the simulated vendor's OCSP service", () => {
  const states = new Map<string, OcspState>();
  const server = createOcspServer({ pki, now: () => AT, stateOf: (serial) => states.get(serial) });
  const post = async (payload: Uint8Array, type = "application/ocsp-request") => {
    const headers = { "content-type": type };
    return server.inject({ method: "POST", url: "/", headers, payload: Buffer.from(payload) });
  };
  const ask = async (serial: string, issuer: Certificate) =>
    (await post(await ocspRequest(issuer, [serial], NONCE, nodeCrypto))).rawPayload;

  it("answers for every certificate below the root but the leaf, of which it knows nothing", async () => {
    for (const [i, { serial }] of chain.slice(0, -1).entries()) {
      const issuer = chain[i + 1] as Certificate;
      const response = await ask(serial, issuer);
      if (i === 0) {
        expect(parseOcsp(response)).to.deep.equal({ status: "unauthorized", response: null });
        continue;
      }
      const options = { at: AT, crypto: nodeCrypto, issuer, serials: [serial], nonce: NONCE };
      const { answers, validUntil } = await verifyOcsp(response, options);
      expect(answers[0]?.status).to.equal("good");
      expect(validUntil).to.equal(AT + 86_400);
    }
  });

  it("says what was recorded, and good of a serial that nobody knows", async () => {
    const { serial } = chain[2] as Certificate;
    const issuer = chain[3] as Certificate;
    const said = async (of: string) => parseOcsp(await ask(of, issuer)).response?.answers[0]?.status;
    states.set(serial, "hold");
    expect(await said(serial)).to.equal("hold");
    states.delete(serial);
    expect(await said(serial)).to.equal("good");
    expect(await said("0x01")).to.equal("good");
  });

  it("refuses what is no question", async () => {
    const whole = await ocspRequest(chain[3] as Certificate, ["0x01"], NONCE, nodeCrypto);
    for (const bytes of [Buffer.from("3000", "hex"), whole.subarray(0, -1), Buffer.from("a")]) {
      expect(parseOcsp((await post(bytes)).rawPayload).status).to.equal("malformedRequest");
    }
    const two = await ocspRequest(chain[3] as Certificate, ["0x01", "0x02"], NONCE, nodeCrypto);
    expect(parseOcsp((await post(two)).rawPayload).status).to.equal("malformedRequest");
    expect((await post(whole, "application/octet-stream")).statusCode).to.equal(415);
  });
});

describe("the simulated vendor's RIM service", () => {
  it("lists its manifests, serves each, and has no other", async () => {
    const server = createRimServer({ pki, now: () => AT });
    const get = (path: string) => server.inject({ url: `/v1/rim/${path}` });
    const { ids } = (await get("ids")).json<{ ids: string[] }>();
    expect(ids).to.deep.equal(["NV_GPU_DRIVER_GH100_590.12", "NV_GPU_VBIOS_G520_0200_885_9600A50001"]);
    for (const id of ids) {
      const answer = (await get(id)).json<Record<string, string>>();
      expect(answer).to.include({ id, rim_format: "TCG", last_updated: "2027-01-15T08:00:00.000000" });
    }
    expect((await get("NV_GPU_DRIVER_GH100_1")).statusCode).to.equal(404);
  });
});
