import { expect } from "chai";

import { parseBytes32 } from "../../../protocol/words/hex.ts";
import { ManifestTerms } from "../../../relayer/leases/ManifestTerms.ts";

const digest = parseBytes32(`0x${"01".repeat(32)}`);
const manifest = (charter: object | undefined) =>
  Buffer.from(
    JSON.stringify({
      manifest_version: 2,
      name: "hello",
      runner: "docker-compose",
      docker_compose_file: "services: {}",
      charter,
    }),
  );
const signers = [`0x${"02".repeat(20)}`];

describe("ManifestTerms", () => {
  const cases: Record<string, [Uint8Array | null, number]> = {
    "what the manifest names": [manifest({ lease_signers: signers, max_lease_seconds: 15 }), 15],
    "the manifest's default": [manifest({ lease_signers: signers }), 60],
    "nothing of a manifest without terms": [manifest(undefined), Infinity],
    "nothing of bytes that are no manifest": [Buffer.from("{"), Infinity],
    "nothing of a manifest that is not kept here": [null, Infinity],
  };
  for (const [what, [bytes, seconds]] of Object.entries(cases)) {
    it(`says ${what}`, async () => {
      const terms = new ManifestTerms({ get: async () => bytes });
      expect(await terms.maxLeaseSeconds(digest)).to.equal(seconds);
    });
  }

  it("reads a manifest once, and looks again for one that was not there", async () => {
    let reads = 0;
    let clock = 0;
    let kept: Uint8Array | null = null;
    const get = async (): Promise<Uint8Array | null> => {
      reads++;
      return kept;
    };
    const terms = new ManifestTerms({ get }, () => clock);
    const ask = () => Promise.all([terms.maxLeaseSeconds(digest), terms.maxLeaseSeconds(digest)]);
    expect(await ask()).to.deep.equal([Infinity, Infinity]);
    kept = manifest({ lease_signers: signers, max_lease_seconds: 15 });
    clock = 999;
    expect([await ask(), reads]).to.deep.equal([[Infinity, Infinity], 1]);
    clock = 1_000;
    expect([await ask(), reads]).to.deep.equal([[15, 15], 2]);
    clock = 1e9;
    expect([await ask(), reads]).to.deep.equal([[15, 15], 2]);
  });

  it("says of a store that is away that it is, and asks it again at once", async () => {
    let isAway = true;
    const get = (): Promise<Uint8Array | null> =>
      isAway
        ? Promise.reject(new Error("away"))
        : Promise.resolve(manifest({ lease_signers: signers, max_lease_seconds: 15 }));
    const terms = new ManifestTerms({ get }, () => 0);
    expect(await terms.maxLeaseSeconds(digest).catch((error: Error) => error.message)).to.equal("away");
    isAway = false;
    expect(await terms.maxLeaseSeconds(digest)).to.equal(15);
  });
});
