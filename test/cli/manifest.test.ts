import { expect } from "chai";

import { describeManifest, makeManifest, secretOption } from "../../cli/support/manifest.ts";

describe("a manifest made from a Compose file", () => {
  const launch = { name: "app", leaseSigners: [`0x${"15".repeat(20)}`], maxLeaseSeconds: 60 };
  const tagged = "services: { web: { image: 'busybox:1.36' } }";
  const pinned = `services: { web: { image: 'busybox@sha256:${"1b".repeat(32)}' } }`;

  it("names images that are not pinned by digest, and says that guests refuse them", () => {
    const text = describeManifest(makeManifest(tagged, launch).manifest);
    expect(text).to.include("web: busybox:1.36  (not pinned by digest)");
    expect(text).to.include("guests refuse images that are not pinned by digest");
  });

  it("says that they are allowed where the manifest waives it", () => {
    const { manifest, bytes } = makeManifest(tagged, { ...launch, allowUnpinnedImages: true });
    expect(manifest.charter?.allow_unpinned_images).to.equal(true);
    expect(Buffer.from(bytes).toString("utf8")).to.include('"allow_unpinned_images": true');
    expect(describeManifest(manifest)).to.include("unpinned images are allowed");
  });

  it("says nothing of it, and has the same bytes as ever, where every image is pinned", () => {
    const { manifest, bytes } = makeManifest(pinned, launch);
    expect(describeManifest(manifest)).not.to.include("pinned");
    expect(Buffer.from(bytes).toString("utf8")).not.to.include("allow_unpinned_images");
  });

  it("asks for what is kept and told beyond containers, and says who reads and sets it", () => {
    const signer = `0x${"16".repeat(20)}`;
    const { manifest } = makeManifest(pinned, {
      ...launch,
      persistent: true,
      secrets: ["API_TOKEN=web,other", "KEY"].map(secretOption),
      secretSigners: [signer],
    });
    expect(manifest.charter).to.deep.include({
      persistent: true,
      secrets: [{ name: "API_TOKEN", services: ["web", "other"] }, { name: "KEY" }],
      secret_signers: [signer],
    });
    const text = describeManifest(manifest);
    expect(text).to.include("named volumes are kept");
    expect(text).to.include("secret API_TOKEN: readable by web, other");
    expect(text).to.include("secret KEY: readable by every service");
    expect(text).to.include(`secret signers: ${signer}`);
  });
});
