import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";
import { privateKeyToAccount } from "viem/accounts";

import { CharterError } from "../../../protocol/errors/CharterError.ts";
import { readSignerConfig } from "../../../relayer/committee/signerConfig.ts";
import { readRelayerConfig } from "../../../relayer/config.ts";
import type { RelayerConfig } from "../../../relayer/config.ts";
import type { AttestedKey } from "../../../relayer/keys/attestedKey.ts";

const PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
const address = (byte: string) => `0x${byte.repeat(20)}`;
const deployment = (chainId: number) => ({
  chainId,
  genesisHash: `0x${"0a".repeat(32)}`,
  startBlock: 1,
  appRegistry: address("01"),
  nodeRegistry: address("02"),
  attestationLedger: address("03"),
  committeeVerifier: address("04"),
  advisorySets: address("0a"),
  endorsements: address("0b"),
  timelock: address("05"),
  governor: address("06"),
  votes: address("07"),
});

function failure(read: () => unknown): CharterError {
  try {
    read();
  } catch (error) {
    if (error instanceof CharterError) return error;
    throw error;
  }
  throw new Error("expected a refusal");
}

describe("configuration", () => {
  let dir: string;
  let environment: Record<string, string>;

  before(() => {
    dir = mkdtempSync(join(tmpdir(), "charter-config-"));
    writeFileSync(join(dir, "31337.json"), JSON.stringify(deployment(31_337)));
    writeFileSync(join(dir, "1.json"), JSON.stringify(deployment(1)));
    writeFileSync(join(dir, "root.pem"), PEM);
    writeFileSync(join(dir, "two.pem"), PEM + PEM);
    environment = {
      CHARTER_RPC_URLS: "http://127.0.0.1:8545, https://rpc.test/key",
      CHARTER_DEPLOYMENT: join(dir, "31337.json"),
      CHARTER_OUTBOX_KEY: `0x${"11".repeat(32)}`,
      CHARTER_LEASE_KEY: `0x${"22".repeat(32)}`,
      CHARTER_COMMITTEE_URLS: "http://127.0.0.1:1,http://127.0.0.1:2",
    };
  });
  after(() => rmSync(dir, { recursive: true }));

  const read = (changes: Record<string, string> = {}): RelayerConfig =>
    readRelayerConfig({ ...environment, ...changes });

  it("needs little, and fills in the rest", () => {
    const config = read({ CHARTER_WEB_DIR: "" });
    expect(config.rpcUrls).to.deep.equal(["http://127.0.0.1:8545", "https://rpc.test/key"]);
    expect(config.deployment.chainId).to.equal(31_337);
    expect(config).to.include({
      finality: "finalized",
      maxLeaseSeconds: 60,
      maxHeadAgeSeconds: 60,
      host: "127.0.0.1",
      pcsUrl: "https://api.trustedservices.intel.com",
      kdsUrl: "https://kdsintf.amd.com",
      databaseUrl: undefined,
      webDir: undefined,
    });
    expect(config.bootAuth).to.deep.equal({ host: "127.0.0.1", tls: undefined });
    expect(config.publishers).to.deep.equal([]);
  });

  it("reads what is given", () => {
    const config = read({
      CHARTER_FINALITY: "12",
      PORT: "0",
      CHARTER_PUBLISHERS: `${address("AB")}, ${address("cd")}`,
      CHARTER_KDS_URL: "http://127.0.0.1:8082",
      CHARTER_TEST_ROOT: join(dir, "root.pem"),
      CHARTER_AMD_TEST_ROOT: join(dir, "root.pem"),
      BOOTAUTH_HOST: "::1",
    });
    expect(config).to.include({ finality: 12, port: 0, testRootPem: PEM, amdTestRootPem: PEM });
    expect(config.kdsUrl).to.equal("http://127.0.0.1:8082");
    expect(config.bootAuth.host).to.equal("::1");
    expect(config.publishers).to.deep.equal([address("ab"), address("cd")]);
  });

  it("reads the highest fees in gwei, also parts of one, and refuses what no transaction can have", () => {
    const caps = (max: string, priority = "") =>
      read({ CHARTER_MAX_FEE_GWEI: max, CHARTER_MAX_PRIORITY_FEE_GWEI: priority }).feeCaps;
    const wei = (maxFeePerGasWei: bigint, maxPriorityFeePerGasWei: bigint) => ({
      maxFeePerGasWei,
      maxPriorityFeePerGasWei,
    });
    expect(caps("")).to.deep.equal(wei(500_000_000_000n, 500_000_000_000n));
    expect(caps("30")).to.deep.equal(wei(30_000_000_000n, 30_000_000_000n));
    expect(caps("0.000000001")).to.deep.equal(wei(1n, 1n));
    expect(caps("1.5", "0.25")).to.deep.equal(wei(1_500_000_000n, 250_000_000n));
    expect(caps("", "500")).to.deep.equal(wei(500_000_000_000n, 500_000_000_000n));
    for (const [max, priority] of [
      ["0", ""],
      ["0.000000000", ""],
      ["-1", ""],
      ["1e3", ""],
      ["0x10", ""],
      ["1.0000000001", ""],
      ["1000000", ""],
      ["20 gwei", ""],
      ["2", "0"],
      ["2", "2.1"],
      ["", "501"],
    ] as const)
      expect(failure(() => caps(max, priority)).code, `${max} ${priority}`).to.equal("config/invalid");
  });

  it("keeps rows for as many days as it is told, relayer and signer alike", () => {
    const days = (keepDays: string): number[] => [
      read({ CHARTER_KEEP_DAYS: keepDays }).keepDays,
      readSignerConfig({
        ...environment,
        CHARTER_SIGNER_KEY: `0x${"33".repeat(32)}`,
        DATABASE_URL: "postgres://127.0.0.1/signer",
        CHARTER_KEEP_DAYS: keepDays,
      }).keepDays,
    ];
    expect(["", "0", "7", "9999"].map(days)).to.deep.equal([
      [30, 30],
      [0, 0],
      [7, 7],
      [9_999, 9_999],
    ]);
    for (const wrong of ["-1", "1.5", "07", "10000", "week"])
      expect(failure(() => days(wrong)).code, wrong).to.equal("config/invalid");
  });

  it("asks a majority of three endpoints and more, and refuses a quorum of more than there are", () => {
    const quorum = (urls: number, asked = "") =>
      read({
        CHARTER_RPC_URLS: Array.from({ length: urls }, (_, n) => `http://127.0.0.1:${n + 1}`).join(),
        CHARTER_RPC_QUORUM: asked,
      }).rpcQuorum;
    expect([1, 2, 3, 4, 5].map((urls) => quorum(urls))).to.deep.equal([1, 1, 2, 3, 3]);
    expect(quorum(2, "2")).to.equal(2);
    expect(failure(() => quorum(2, "3")).code).to.equal("config/invalid");
    expect(failure(() => quorum(2, "0")).code).to.equal("config/invalid");
  });

  it("refuses an endpoint that is named twice, which would agree with itself", () => {
    for (const urls of ["http://127.0.0.1:1,http://127.0.0.1:1", "https://a.test/x, https://A.test:443/x"]) {
      const { code, details } = failure(() => read({ CHARTER_RPC_URLS: urls }));
      expect(code).to.equal("config/invalid");
      expect(JSON.stringify(details)).to.contain("each endpoint once");
    }
  });

  it("takes one account to pay with, and no half of one", () => {
    const none = { CHARTER_OUTBOX_KEY: "" };
    const remote = {
      CHARTER_OUTBOX_SIGNER_URL: "http://127.0.0.1:9000",
      CHARTER_OUTBOX_ADDRESS: address("AB"),
    };
    expect(read({ ...none, ...remote }).outboxSigner.address).to.equal(address("ab"));
    for (const wrong of [
      none,
      remote,
      { ...none, CHARTER_OUTBOX_SIGNER_URL: remote.CHARTER_OUTBOX_SIGNER_URL },
      { ...none, CHARTER_OUTBOX_KEYSTORE: join(dir, "key.json") },
      { CHARTER_OUTBOX_PASSWORD_FILE: join(dir, "password") },
      { ...none, CHARTER_OUTBOX_SIGNER: "attested" }, // Nobody opened one.
    ]) {
      expect(failure(() => read(wrong)).code).to.equal("config/outbox-signer");
    }
    const absent = { CHARTER_OUTBOX_KEYSTORE: join(dir, "x"), CHARTER_OUTBOX_PASSWORD_FILE: join(dir, "y") };
    expect(failure(() => read({ ...none, ...absent })).code).to.equal("config/keystore");
  });

  it("takes one account to lease with, and no half of one", () => {
    const none = { CHARTER_LEASE_KEY: "" };
    const remote = { CHARTER_LEASE_URL: "http://127.0.0.1:9000", CHARTER_LEASE_ADDRESS: address("AB") };
    expect(read({ ...none, ...remote }).leaseAccount.address).to.equal(address("ab"));
    for (const wrong of [
      none,
      remote,
      { ...none, CHARTER_LEASE_URL: remote.CHARTER_LEASE_URL },
      { ...none, CHARTER_LEASE_KEYSTORE: join(dir, "key.json") },
      { CHARTER_LEASE_PASSWORD_FILE: join(dir, "password") },
    ]) {
      expect(failure(() => read(wrong)).code).to.equal("config/signer");
    }
  });

  it("batches by size and age, and claims what it batched, unless it is told otherwise", () => {
    const { batches, claims } = read();
    expect([batches, claims]).to.deep.equal([{ maxSize: 1_000, maxAgeMs: 2_000 }, "relayer"]);
    expect(read({ CHARTER_CLAIMS: "nobody", CHARTER_BATCH_MAX_SIZE: "7" })).to.deep.include({
      claims: "nobody",
      batches: { maxSize: 7, maxAgeMs: 2_000 },
    });
    for (const wrong of [{ CHARTER_BATCH_MAX_SIZE: "4097" }, { CHARTER_CLAIMS: "soon" }]) {
      expect(failure(() => read(wrong)).code).to.equal("config/invalid");
    }
  });

  it("holds no key in plain", () => {
    const written = JSON.stringify(read(), (_, value: unknown) =>
      typeof value === "bigint" ? value.toString() : value,
    );
    expect(written).not.to.contain("11".repeat(32));
    expect(written).not.to.contain("22".repeat(32));
  });

  it("names every wrong variable at once, and never its value", () => {
    const secret = `0x${"zz".repeat(32)}`;
    const error = failure(() =>
      readRelayerConfig({
        CHARTER_RPC_URLS: "ftp://x",
        CHARTER_DEPLOYMENT: join(dir, "absent.json"),
        CHARTER_OUTBOX_KEY: secret,
        CHARTER_COMMITTEE_URLS: "",
        CHARTER_FINALITY: "soon",
        PORT: "70000",
        LOG_LEVEL: "loud",
      }),
    );
    expect(error.code).to.equal("config/invalid");
    for (const variable of [
      "CHARTER_RPC_URLS",
      "CHARTER_DEPLOYMENT",
      "CHARTER_OUTBOX_KEY",
      "CHARTER_COMMITTEE_URLS",
      "CHARTER_FINALITY",
      "PORT",
      "LOG_LEVEL",
    ]) {
      expect(error.message).to.contain(`${variable}: expected`);
    }
    expect(JSON.stringify(error)).not.to.contain(secret);
  });

  it("refuses a test root on any chain but a development one", () => {
    const changes = { CHARTER_TEST_ROOT: join(dir, "root.pem"), CHARTER_DEPLOYMENT: join(dir, "1.json") };
    expect(failure(() => read(changes)).code).to.equal("config/test-root-refused");
    const signer = {
      ...environment,
      ...changes,
      CHARTER_SIGNER_KEY: `0x${"33".repeat(32)}`,
      DATABASE_URL: "postgres://u:p@127.0.0.1/x",
    };
    expect(failure(() => readSignerConfig(signer)).code).to.equal("config/test-root-refused");
    const amd = {
      CHARTER_TEST_ROOT: "",
      CHARTER_AMD_TEST_ROOT: join(dir, "root.pem"),
      CHARTER_DEPLOYMENT: join(dir, "1.json"),
    };
    expect(failure(() => read(amd)).code).to.equal("config/test-root-refused");
    expect(failure(() => readSignerConfig({ ...signer, ...amd })).code).to.equal("config/test-root-refused");
  });

  it("refuses a test root that is not one certificate", () => {
    expect(failure(() => read({ CHARTER_TEST_ROOT: join(dir, "two.pem") })).message).to.match(
      /one PEM certificate/,
    );
  });

  for (const host of ["0.0.0.0", "192.168.0.1", "::", "example.org", "127.0.0.1.example.org"]) {
    it(`refuses boot authorization on ${host}`, () => {
      expect(failure(() => read({ BOOTAUTH_HOST: host })).code).to.equal("config/bootauth-not-loopback");
    });
  }

  it("seats a signer whose key is its instance's own, on a node and by relayers, or not at all", () => {
    const DATABASE_URL = "postgres://u:p@127.0.0.1/x";
    const bare = { ...environment, DATABASE_URL, CHARTER_TEST_ROOT: "" };
    const seat = { CHARTER_SIGNER_NODE: "3", CHARTER_RELAYER_URLS: "https://a.test,https://b.test" };
    const account = privateKeyToAccount(`0x${"33".repeat(32)}`);
    const key = { account, app: `0x${"ab".repeat(20)}` } as unknown as AttestedKey;
    const attested = { ...bare, CHARTER_COMMITTEE_SIGNER: "attested" };
    const read = (changes: Record<string, string>) =>
      readSignerConfig({ ...attested, ...changes }, { committee: key }).seat;
    expect(read(seat)).to.deep.equal({
      key,
      node: 3,
      relayerUrls: ["https://a.test", "https://b.test"],
    });
    expect(read({})).to.equal(undefined);
    for (const alone of [{ CHARTER_SIGNER_NODE: "3" }, { CHARTER_RELAYER_URLS: "https://a.test" }])
      expect(failure(() => read(alone)).code).to.equal("config/signer");
    const named = { ...bare, ...seat, CHARTER_SIGNER_KEY: `0x${"33".repeat(32)}` };
    expect(failure(() => readSignerConfig(named)).code).to.equal("config/signer");
    expect(failure(() => read({ ...seat, CHARTER_SIGNER_NODE: "0" })).code).to.equal("config/invalid");
  });

  it("gives a signer its own database or nothing", () => {
    const signer = { ...environment, CHARTER_SIGNER_KEY: `0x${"33".repeat(32)}` };
    expect(failure(() => readSignerConfig(signer)).message).to.match(/DATABASE_URL: expected/);
  });
});
