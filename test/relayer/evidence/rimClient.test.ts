import { createHash } from "node:crypto";

import { expect } from "chai";

import { nodeCrypto } from "../../../protocol/crypto/node.ts";
import { verifyRim } from "../../../protocol/evidence/gpu/rim/verifyRim.ts";
import { isCharterError } from "../../../protocol/errors/CharterError.ts";
import { RimClient } from "../../../relayer/evidence/rimClient.ts";
import { MAX_ANSWER_BYTES } from "../../../relayer/evidence/vendorHttp.ts";
import { createRimServer, hopperRims } from "../../../worker/tee/simulator/gpu/rimServer.ts";
import { AT, pki, rimRoot } from "../../protocol/evidence/gpu/simulatedGpu.ts";
import { refusal } from "../../support/refusal.ts";

const ID = "NV_GPU_DRIVER_GH100_590.12";
const XML = hopperRims(pki).get(ID) as string;
const answer = {
  id: ID,
  rim: Buffer.from(XML).toString("base64"),
  sha256: createHash("sha256").update(XML).digest("hex"),
  last_updated: "2026-09-14T15:09:03.011000",
  rim_format: "TCG",
  request_id: "ca80a80a-054c-476e-bdd2-7be7e3047fe5",
};

/** A client of a service that answers this, and what it was asked. */
function clientOf(body: string | Uint8Array | object, status = 200) {
  const asked: [url: string, init: RequestInit | undefined][] = [];
  const text = typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body);
  const client = new RimClient({
    url: "http://rim.invalid/",
    fetch: (url, init) => {
      asked.push([typeof url === "string" ? url : "", init]);
      return Promise.resolve(new Response(typeof text === "string" ? text : Buffer.from(text), { status }));
    },
  });
  return { client, asked };
}

describe("the client of NVIDIA's RIM service", () => {
  it("fetches a manifest that verifies under the vendor's root", async () => {
    const server = createRimServer({ pki, now: () => AT });
    try {
      const client = new RimClient({ url: await server.listen({ host: "127.0.0.1", port: 0 }) });
      const xml = await client.rim(ID);
      const rim = await verifyRim(xml, { at: AT, crypto: nodeCrypto, roots: [rimRoot] });
      expect(rim).to.include({ version: "590.12", revocation: "unchecked" });
      const error = await client.rim("NV_GPU_DRIVER_GH100_1.2").catch((cause: unknown) => cause);
      expect(isCharterError(error) && [error.code, error.details["actual"]]).to.deep.equal([
        "collateral/refused",
        404,
      ]);
    } finally {
      await server.close();
    }
  });

  it("asks for the id alone, and follows no redirect", async () => {
    const { client, asked } = clientOf(answer);
    expect(await client.rim(ID)).to.equal(XML);
    expect(asked[0]?.[0]).to.equal(`http://rim.invalid/v1/rim/${ID}`);
    expect(asked[0]?.[1]?.redirect).to.equal("error");
    for (const id of ["", "a/b", "..%2f", "a b", "a?b", "ü", "a".repeat(129)]) {
      expect(await refusal(client.rim(id)), id).to.equal("collateral/malformed");
    }
    expect(asked).to.have.length(1);
  });

  it("reads an answer of a service that does not name the form, or writes the digest in capitals", async () => {
    const { rim_format: _form, ...older } = answer;
    expect(await clientOf(older).client.rim(ID)).to.equal(XML);
    const capitals = { ...answer, sha256: answer.sha256.toUpperCase() };
    expect(await clientOf(capitals).client.rim(ID)).to.equal(XML);
  });

  const wrong: Record<string, [body: string | Uint8Array | object, code: string]> = {
    "another manifest": [{ ...answer, id: "NV_GPU_DRIVER_GH100_590.13" }, "collateral/not-genuine"],
    "another digest": [{ ...answer, sha256: "00".repeat(32) }, "collateral/digest-mismatch"],
    "the digest of the base64": [
      { ...answer, sha256: createHash("sha256").update(answer.rim).digest("hex") },
      "collateral/digest-mismatch",
    ],
    "a manifest that was changed on the way": [
      { ...answer, rim: Buffer.from(XML.replace("590.12", "590.13")).toString("base64") },
      "collateral/digest-mismatch",
    ],
    "no digest": [{ ...answer, sha256: undefined }, "collateral/malformed"],
    "a short digest": [{ ...answer, sha256: "00" }, "collateral/malformed"],
    "no manifest": [{ ...answer, rim: "" }, "collateral/malformed"],
    "what is no base64": [{ ...answer, rim: "<xml/>" }, "collateral/malformed"],
    "a CoRIM": [{ ...answer, rim_format: "CORIM" }, "collateral/malformed"],
    "a manifest in no UTF-8": [
      {
        ...answer,
        rim: "gICA",
        sha256: createHash("sha256").update(Buffer.from("808080", "hex")).digest("hex"),
      },
      "collateral/malformed",
    ],
    "a list": [[answer], "collateral/malformed"],
    "two ids": [JSON.stringify(answer).replace("{", `{"id":"${ID}",`), "collateral/malformed"],
    "a page": ["<html>", "collateral/malformed"],
    nothing: ["", "collateral/malformed"],
    bytes: [Uint8Array.of(0xff, 0xfe, 0), "collateral/malformed"],
    "an answer without end": [new Uint8Array(MAX_ANSWER_BYTES + 1), "collateral/too-large"],
  };
  for (const [what, [body, code]] of Object.entries(wrong)) {
    it(`takes no answer that is ${what}`, async () => {
      expect(await refusal(clientOf(body).client.rim(ID))).to.equal(code);
    });
  }

  it("says whether the service refuses, or does not answer in time", async () => {
    for (const status of [404, 500, 301]) {
      expect(await refusal(clientOf(answer, status).client.rim(ID))).to.equal("collateral/refused");
    }
    const silent = new RimClient({
      url: "http://rim.invalid",
      timeoutMs: 1,
      fetch: (_url, init) =>
        new Promise((_resolve, reject) => {
          const abort = () => reject(new Error("aborted"));
          init?.signal?.addEventListener("abort", abort);
        }),
    });
    expect(await refusal(silent.rim(ID))).to.equal("collateral/unreachable");
  });
});
