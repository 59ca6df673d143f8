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
    let kept: Uint8Array | null = null;
    const terms = new ManifestTerms({
      get: async () => {
        reads++;
        return kept;
      },
    });
    await terms.maxLeaseSeconds(digest);
    kept = manifest({ lease_signers: signers, max_lease_seconds: 15 });
    expect(await terms.maxLeaseSeconds(digest)).to.equal(15);
    await terms.maxLeaseSeconds(digest);
    expect(reads).to.equal(2);
  });
});
