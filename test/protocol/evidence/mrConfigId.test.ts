import { createHash } from "node:crypto";
import { expect } from "chai";

import { nodeCrypto } from "../../../protocol/crypto/node.ts";
import { webCrypto } from "../../../protocol/crypto/web.ts";
import { parseEventLog, bootFacts } from "../../../protocol/evidence/eventlog/eventLog.ts";
import {
  matchesMrConfigId,
  mrConfigVersion,
  type MrConfigFacts,
} from "../../../protocol/evidence/mrConfigId.ts";
import { parseSnpReport } from "../../../protocol/evidence/snp/parseReport.ts";
import { fromHex, type Hex } from "../../../protocol/words/hex.ts";
import { refusal, refusalOf } from "../../support/refusal.ts";
import { itOnVectors } from "../../support/vectors.ts";
import { dstackVector } from "./dstackVector.ts";
import { dstackSnpVector } from "./snp/snpVectors.ts";

const padded = (hex: string): Uint8Array => fromHex(`0x${hex.padEnd(96, "0")}`);
const provider = (name: string, id = ""): Uint8Array => Buffer.from(JSON.stringify({ name, id }));
const FACTS: MrConfigFacts = {
  composeHash: "0x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
  appId: "0x000102030405060708090a0b0c0d0e0f10111213",
  instanceId: `0x${"44".repeat(20)}`,
  keyProvider: provider("kms", "aabbccdd"),
};
const OTHER_HASH: Hex = `0x${"99".repeat(32)}`;
const OTHER_APP: Hex = `0x${"99".repeat(20)}`;

const V1 = padded(`01${FACTS.composeHash.slice(2)}`);
/** Values that dstack's own SDKs are tested with (their tests of `get_mr_config_id`). */
const V2_KMS = padded("02e472ed80a08042f044ba63b53b798e98e3ea5219cd078007b1ac8b3dfc762b94");
const V2_NONE = padded("02b21a3a65891c2c3955d82000b30fab13f4adc1a12dc4a84793ea322b71f1882a");

const FIELDS: Record<string, unknown> = {
  app_id: FACTS.appId.slice(2),
  compose_hash: FACTS.composeHash.slice(2),
  instance_id: FACTS.instanceId.slice(2),
  key_provider: "kms",
  key_provider_id: "aabbccdd",
  version: 3,
};
const v3 = (document: string): Uint8Array =>
  padded(`03${createHash("sha256").update(`dstack-mr-config-v3:\0${document}`).digest("hex")}`);
/** A document with these fields changed, and MRCONFIGID of it; undefined leaves a field out. */
function documented(changes: Record<string, unknown> = {}): { id: Uint8Array; document: string } {
  const document = JSON.stringify({ ...FIELDS, ...changes });
  return { id: v3(document), document };
}

const matches = (id: Uint8Array, changes: Partial<MrConfigFacts> = {}): Promise<boolean> =>
  matchesMrConfigId(id, { ...FACTS, ...changes }, nodeCrypto);
const ofDocument = (changes: Record<string, unknown>, facts: Partial<MrConfigFacts> = {}) => {
  const { id, document } = documented(changes);
  return matches(id, { document, ...facts });
};

describe("MRCONFIGID", () => {
  it("of version 1 is the compose hash", async () => {
    expect(mrConfigVersion(V1)).to.equal(1);
    expect(await matches(V1)).to.equal(true);
    expect(await matches(V1, { composeHash: OTHER_HASH })).to.equal(false);
  });

  it("of version 2 is the keccak of compose hash, app id and key provider", async () => {
    expect(mrConfigVersion(V2_KMS)).to.equal(2);
    expect(await matches(V2_KMS)).to.equal(true);
    expect(await matches(V2_NONE, { keyProvider: provider("none") })).to.equal(true);
    const real: MrConfigFacts = {
      composeHash: "0x4f475ed201ac079f2e4760fb7554763edcc97c48132d554666a2ec3fd2c9e099",
      appId: "0x8d8f406cf93e1cf54207fbf99c9bc437dd4d6aef",
      instanceId: "0x",
      keyProvider: provider(
        "kms",
        "3059301306072a8648ce3d020106082a8648ce3d030107034200048844eb42ccdf8c52fd4f174f362fcb9bbd19c45f" +
          "d48f1edec2d8f1ca23536ec1a74021b4cee610c074f8294d431b2b7fee2c39e5333fdaf0a4522d43fb159d9f",
      ),
    };
    const id = padded("02dd0db3893b8c47b5e4098d7630d22959a1423af536890d10aaf3f0a7b169921b");
    expect(await matchesMrConfigId(id, real, webCrypto)).to.equal(true);
    for (const changes of [
      { composeHash: OTHER_HASH },
      { appId: OTHER_APP },
      { keyProvider: provider("kms", "aabbccde") },
      { keyProvider: provider("kms") },
      ...["none", "local-sgx", "tpm", "amd-snp-derived"].map((name) => ({
        keyProvider: provider(name, "aabbccdd"),
      })),
    ]) {
      expect(await matches(V2_KMS, changes)).to.equal(false);
    }
  });

  it("of version 3 is the hash of a document that agrees with the facts", async () => {
    const { id, document } = documented();
    expect(mrConfigVersion(id)).to.equal(3);
    expect(await matches(id, { document })).to.equal(true);
    expect(await matchesMrConfigId(id, { ...FACTS, document }, webCrypto)).to.equal(true);
    // The exact text, not what it says.
    expect(await matches(id, { document: `${document} ` })).to.equal(false);
    for (const facts of [
      { composeHash: OTHER_HASH },
      { appId: OTHER_APP },
      { instanceId: OTHER_APP },
      { keyProvider: provider("kms", "aabbccde") },
      { keyProvider: provider("local-sgx", "aabbccdd") },
    ]) {
      expect(await matches(id, { document, ...facts })).to.equal(false);
    }
  });

  it("of version 3 need not bind app, instance and the key provider's id, and must bind the rest", async () => {
    for (const field of ["app_id", "instance_id", "key_provider_id"]) {
      expect(await ofDocument({ [field]: undefined }), field).to.equal(true);
    }
    expect(await ofDocument({ key_provider: undefined })).to.equal(false);
    expect(await refusal(ofDocument({ compose_hash: undefined }))).to.equal("mr-config/malformed");
    // Fields that Charter does not judge are in the hash all the same.
    expect(await ofDocument({ gpu_policy_hash: "55".repeat(32), init_script_hashes: [] })).to.equal(true);
    // As guests without an instance id have it, and older hosts write it.
    expect(await ofDocument({ instance_id: "" }, { instanceId: "0x" })).to.equal(true);
    for (const [name, kind] of [
      ["none", "none"],
      ["local-sgx", "local"],
      ["tpm", "tpm"],
      ["amd-snp-derived", "snp_derived"],
    ] as const) {
      const keyProvider = provider(name, "aabbccdd");
      expect(await ofDocument({ key_provider: kind }, { keyProvider }), name).to.equal(true);
    }
  });

  it("of zeros is none, and matches whatever runs", async () => {
    expect(mrConfigVersion(new Uint8Array(48))).to.equal(0);
    expect(await matches(new Uint8Array(48), { composeHash: OTHER_HASH })).to.equal(true);
  });

  it("with any byte flipped is refused or matches nothing", async () => {
    const { id: third, document } = documented();
    for (const id of [V1, V2_KMS, third]) {
      for (let offset = 0; offset < 48; offset++) {
        for (let bit = 0; bit < 8; bit++) {
          const flipped = Uint8Array.from(id);
          flipped[offset] = (flipped[offset] as number) ^ (1 << bit);
          const result = await matches(flipped, { document }).catch(() => false);
          expect(result, `version ${String(id[0])}, byte ${offset}`).to.equal(false);
        }
      }
    }
  });

  it("is refused by name where it, its document or the key provider is not what dstack makes", async () => {
    for (const version of ["04", "00", "ff"]) {
      const id = padded(`${version}${"11".repeat(32)}`);
      expect(refusalOf(() => mrConfigVersion(id))).to.equal("mr-config/unknown-version");
      expect(await refusal(matches(id))).to.equal("mr-config/unknown-version");
    }
    for (const length of [0, 32, 47, 49]) {
      expect(await refusal(matches(new Uint8Array(length)))).to.equal("mr-config/malformed");
    }
    expect(await refusal(matches(documented().id))).to.equal("mr-config/document-missing");
    for (const [text, code] of [
      ["{", "json/malformed"],
      ['{"name":"kms","name":"none","id":""}', "json/malformed"],
      ["\xff", "json/malformed"],
      ["null", "mr-config/malformed"],
      ['{"name":"kms"}', "mr-config/malformed"],
      ['{"name":"kms","id":"abc"}', "mr-config/malformed"],
      ['{"name":"kms","id":"","more":1}', "mr-config/malformed"],
      ['{"name":"another","id":""}', "mr-config/malformed"],
      [" ".repeat(5_000), "mr-config/malformed"],
    ] as const) {
      const keyProvider = Buffer.from(text, "latin1");
      expect(await refusal(matches(V2_KMS, { keyProvider })), text.slice(0, 40)).to.equal(code);
    }
    expect(await refusal(ofDocument({ key_provider_id: "abc" }))).to.equal("mr-config/malformed");
    expect(await refusal(ofDocument({ version: 4 }))).to.equal("mr-config/malformed");
    const broken = "{";
    expect(await refusal(matches(v3(broken), { document: broken }))).to.equal("json/malformed");
  });

  itOnVectors("of the real guest of 2026-02 would be these, by what it measured", async () => {
    const boot = bootFacts(parseEventLog(dstackVector().evidence.eventLog));
    expect(await matchesMrConfigId(padded(`01${boot.composeHash.slice(2)}`), boot, nodeCrypto)).to.equal(
      true,
    );
    expect(await matchesMrConfigId(V2_KMS, boot, nodeCrypto)).to.equal(false);
  });

  itOnVectors("of version 3 hashes a document as dstack does for SEV-SNP", async () => {
    const { report, mrConfig } = dstackSnpVector();
    const { hostData } = parseSnpReport(report);
    const fields = JSON.parse(mrConfig) as Record<string, string>;
    const facts: MrConfigFacts = {
      composeHash: `0x${fields["compose_hash"] as string}`,
      appId: `0x${fields["app_id"] as string}`,
      instanceId: `0x${fields["instance_id"] as string}`,
      keyProvider: provider("kms", fields["key_provider_id"]),
      document: mrConfig,
    };
    const id = padded(`03${Buffer.from(hostData).toString("hex")}`);
    expect(await matchesMrConfigId(id, facts, nodeCrypto)).to.equal(true);
    expect(await matchesMrConfigId(id, { ...facts, appId: OTHER_APP }, nodeCrypto)).to.equal(false);
  });
});
