import { expect } from "chai";

import {
  askedFor,
  describeManifest,
  makeManifest,
  secretOption,
  tlsOption,
} from "../../cli/support/manifest.ts";
import { aboutManifest } from "../../protocol/note/aboutManifest.ts";
import { parseNote, type Note } from "../../protocol/note/note.ts";

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

  it("asks for GPUs and attested TLS, and says so", () => {
    const { manifest } = makeManifest(pinned, {
      ...launch,
      ...askedFor({ gpuService: ["model"], tls: tlsOption("web:8080") }),
    });
    expect(manifest.charter).to.deep.include({
      gpu: { services: ["model"] },
      tls: { service: "web", port: 8_080 },
    });
    const text = describeManifest(manifest);
    expect(text).to.include("GPUs for model");
    expect(text).to.include("attested TLS to web, port 8080");
    for (const wrong of ["web", "web:", ":80", "web:port"]) {
      expect(() => tlsOption(wrong), wrong).to.throw("expected <service>:<port>");
    }
  });

  describe("with a note whose recipe tells of it", () => {
    const asked = {
      allowUnpinnedImages: true,
      persistent: true,
      secretSigners: [`0x${"16".repeat(20)}`],
      secrets: ["API_TOKEN=web,other", "KEY"].map(secretOption),
      gpuServices: ["web"],
      tls: { service: "web", port: 8_080 },
    } as const;
    const noteOf = (more: object): Note => {
      const recipe = { compose: "compose.yml", ...launch, ...more };
      const source = { repository: "/src", commit: "1b".repeat(20), recipe };
      return parseNote(Buffer.from(JSON.stringify({ title: "t", source })));
    };
    const made = (more: object) => makeManifest(pinned, { ...launch, ...more });

    it("is made again from the recipe, byte for byte", () => {
      const { source } = noteOf(asked);
      const recipe = source?.recipe;
      if (recipe === undefined || !("compose" in recipe)) return expect.fail("expected a recipe");
      expect(makeManifest(pinned, recipe).bytes).to.deep.equal(made(asked).bytes);
    });

    it("agrees with that alone: each thing that differs is named", () => {
      expect(aboutManifest(noteOf(asked), made(asked).manifest)).to.deep.equal([]);
      expect(aboutManifest(noteOf({}), made({}).manifest)).to.deep.equal([]);
      const { secretSigners } = asked;
      for (const [what, more] of [
        ["unpinned images", { allowUnpinnedImages: true }],
        ["persistent volumes", { persistent: true }],
        ["secret signers", { secretSigners }],
        ["secrets", { secretSigners, secrets: [secretOption("KEY")] }],
        ["services with GPUs", { gpuServices: ["web"] }],
        ["attested TLS", { tls: asked.tls }],
      ] as const) {
        const [first] = aboutManifest(
          noteOf("secrets" in more ? { secretSigners } : {}),
          made(more).manifest,
        );
        expect(first).to.match(new RegExp(`^${what}: `));
        expect(aboutManifest(noteOf(more), made({}).manifest).map((text) => text.split(":")[0])).to.include(
          what,
        );
      }
    });
  });
});
