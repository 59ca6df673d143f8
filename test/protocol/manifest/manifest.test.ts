import { createHash } from "node:crypto";
import { expect } from "chai";

import { nodeCrypto } from "../../../protocol/crypto/node.ts";
import {
  cidOfDigest,
  composeHash,
  digestOfCid,
  MAX_MANIFEST_BYTES,
  parseManifest,
} from "../../../protocol/manifest/index.ts";
import { parseBytes32 } from "../../../protocol/words/hex.ts";

const signer = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
const manifest = {
  manifest_version: 2,
  name: "hello",
  runner: "docker-compose",
  docker_compose_file: "services: {}\n",
  charter: { lease_signers: [signer] },
};
const bytes = (value: unknown) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value));

describe("parseManifest", () => {
  const refused = (input: Uint8Array, mention = "", code = "manifest/malformed") =>
    expect(() => parseManifest(input))
      .to.throw(mention)
      .with.property("code", code);
  const changed = (more: Record<string, unknown>) => bytes({ ...manifest, ...more });

  it("reads a manifest with Charter's object and fills its defaults", () => {
    expect(parseManifest(bytes(manifest)).charter).to.deep.equal({
      lease_signers: [signer.toLowerCase()],
      max_lease_seconds: 60,
      persistent: false,
    });
  });

  it("reads a manifest of dstack's own", () => {
    const { charter: _charter, ...theirs } = manifest;
    const fields = {
      kms_enabled: true,
      gateway_enabled: true,
      public_logs: true,
      public_sysinfo: true,
      public_tcbinfo: true,
      local_key_provider_enabled: false,
      key_provider_id: "",
      allowed_envs: ["A"],
      no_instance_id: false,
      secure_time: false,
      pre_launch_script: "true",
    };
    expect(parseManifest(bytes({ ...theirs, ...fields })).charter).to.equal(undefined);
  });

  it("refuses unknown fields by name, in itself and in Charter's object", () => {
    refused(changed({ docker_config: {} }), "docker_config");
    refused(changed({ charter: { lease_signers: [signer], lease_singers: [] } }), "lease_singers");
  });

  it("refuses a key that stands twice", () => {
    refused(bytes(JSON.stringify(manifest).replace("{", '{"name":"other",')), "each key once");
  });

  it("refuses what is not a manifest", () => {
    for (const input of ["", "null", "[]", "{}", "{"]) refused(bytes(input));
    refused(Buffer.from([0x22, 0xff, 0x22]), "UTF-8");
    for (const more of [
      { manifest_version: 3 },
      { manifest_version: "2" },
      { runner: "bash" },
      { name: "" },
      { docker_compose_file: "" },
      { allowed_envs: "A" },
    ]) {
      refused(changed(more), Object.keys(more)[0]);
    }
  });

  it("refuses an empty or malformed set of lease signers, and leases out of bounds", () => {
    for (const lease_signers of [[], ["0x00"], [1], "all", undefined]) {
      refused(changed({ charter: { lease_signers } }), "lease_signers");
    }
    for (const max_lease_seconds of [0, 3601, 1.5, "60"]) {
      refused(changed({ charter: { lease_signers: [signer], max_lease_seconds } }), "max_lease_seconds");
    }
    refused(changed({ charter: { lease_signers: [signer], persistent: "yes" } }), "persistent");
  });

  it("reads which secrets an app has and who may set them, and refuses what nobody could set", () => {
    const charter = (more: Record<string, unknown>) =>
      changed({ charter: { lease_signers: [signer], ...more } });
    const secrets = [{ name: "API_TOKEN", services: ["web"] }, { name: "OTHER" }];
    expect(parseManifest(charter({ secret_signers: [signer], secrets })).charter).to.deep.include({
      secret_signers: [signer.toLowerCase()],
      secrets,
    });
    refused(charter({ secrets }), "secret_signers");
    refused(charter({ secret_signers: [], secrets: [] }), "secret_signers");
    refused(
      charter({ secret_signers: [signer], secrets: [{ name: "A" }, { name: "A" }] }),
      "each secret once",
    );
    for (const name of ["../../etc/passwd", "a b", "", "1A"]) {
      refused(charter({ secret_signers: [signer], secrets: [{ name }] }), "name");
    }
  });

  it("refuses more than 1 MiB before reading it", () => {
    const exactly = (size: number) => {
      const base = bytes({ ...manifest, pre_launch_script: "" });
      return bytes({ ...manifest, pre_launch_script: "x".repeat(size - base.length) });
    };
    expect(parseManifest(exactly(MAX_MANIFEST_BYTES)).name).to.equal("hello");
    refused(exactly(MAX_MANIFEST_BYTES + 1), "", "manifest/too-large");
  });
});

describe("compose hash and CID", () => {
  it("are of the raw bytes: nothing is made canonical", async () => {
    const raw = bytes(`${JSON.stringify(manifest, null, 2)}\n`);
    const expected = `0x${createHash("sha256").update(raw).digest("hex")}`;
    expect(await composeHash(raw, nodeCrypto)).to.equal(expected);
    expect(await composeHash(bytes(manifest), nodeCrypto)).not.to.equal(expected);
  });

  it("say the same: the well-known CID of five bytes", async () => {
    const digest = await composeHash(bytes("hello"), nodeCrypto);
    const cid = "bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq";
    expect(cidOfDigest(digest)).to.equal(cid);
    expect(digestOfCid(cid)).to.equal(digest);
  });

  it("go back and forth", () => {
    for (let i = 0; i < 16; i++) {
      const digest = parseBytes32(`0x${createHash("sha256").update(Buffer.of(i)).digest("hex")}`);
      expect(digestOfCid(cidOfDigest(digest))).to.equal(digest);
    }
  });

  it("refuse a CID of another version, codec or hash, and what is no CID", () => {
    for (const text of [
      "QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnrFFv", // version 0
      "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi", // dag-pb
      "bafkqabtimvwgy3yk", // identity hash
      "hello",
      "",
    ]) {
      expect(() => digestOfCid(text), text)
        .to.throw()
        .with.property("code", "cid/invalid");
    }
  });
});
