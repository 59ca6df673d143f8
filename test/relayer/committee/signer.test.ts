import { expect } from "chai";
import pino from "pino";
import { recoverTypedDataAddress } from "viem";
import { privateKeyToAccount } from "viem/accounts";

import type { CommitteeRequest, VerdictMessage } from "../../../protocol/session/messages.ts";
import { verdictTypedData } from "../../../protocol/session/verdict.ts";
import { TcbStatus } from "../../../protocol/words/enums.ts";
import { parseAddress, parseBytes32, parsePlatformId } from "../../../protocol/words/hex.ts";
import { CommitteeSigner } from "../../../relayer/committee/CommitteeSigner.ts";
import { signerServer } from "../../../relayer/committee/server.ts";
import { signerMetrics } from "../../../relayer/committee/signerMetrics.ts";
import { openStore } from "../../../relayer/store/store.ts";
import type { Store } from "../../../relayer/store/store.ts";
import { freshDatabase } from "../../support/postgres.ts";
import { refusal } from "../../support/refusal.ts";

const CHAIN = 31_337;
const account = privateKeyToAccount(`0x${"11".repeat(32)}`);
const verifier = parseAddress(`0x${"0a".repeat(20)}`);
const word = (byte: string) => parseBytes32(`0x${byte.repeat(32)}`);

const verdictOf = (evidenceDigest: string): VerdictMessage => ({
  consumer: parseAddress(`0x${"01".repeat(20)}`),
  subject: parseAddress(`0x${"02".repeat(20)}`),
  key: parseAddress(`0x${"03".repeat(20)}`),
  evidenceBlock: 7,
  evidenceBlockHash: word("07"),
  platformId: parsePlatformId(word("08")),
  composeHash: word("09"),
  osImageHash: word("0a"),
  measurementDigest: word("0b"),
  pinnedMeasurementDigest: word("0c"),
  kind: 1,
  status: TcbStatus.UpToDate,
  advisoriesDigest: word("00"),
  evidenceDigest: word(evidenceDigest),
  gpuDigest: word("00"),
  validUntil: 2_000_000,
  simulated: true,
});

const request = (validUntil = 3_000_000): CommitteeRequest => ({
  purpose: "instance",
  app: parseAddress(`0x${"02".repeat(20)}`),
  key: parseAddress(`0x${"03".repeat(20)}`),
  evidence: {
    kind: "tdx",
    quote: "0x00",
    eventLog: "[]",
    vmConfig: "{}",
    blockNumber: 7,
    blockHash: word("07"),
  },
  validUntil,
});

describe("CommitteeSigner on a real Postgres", () => {
  let store: Store;
  before(async function () {
    this.timeout(60_000);
    store = await openStore(await freshDatabase());
  });
  after(() => store.close());

  /** A signer that finds `verdict`, whatever it is shown. */
  const signer = (verdict: VerdictMessage) =>
    new CommitteeSigner({
      account,
      chainId: CHAIN,
      verifier,
      verdicts: store.verdicts,
      judge: async () => verdict,
    });

  it("signs what it found, for the verifier that will count it", async () => {
    const { verdict, signature } = await signer(verdictOf("a1")).sign(request());
    expect(verdict).to.deep.equal(verdictOf("a1"));
    const by = await recoverTypedDataAddress({ ...verdictTypedData(CHAIN, verifier, verdict), signature });
    expect(by).to.equal(account.address);
  });

  it("stays within the asked validity, and never goes beyond its own", async () => {
    const found = signer(verdictOf("a2"));
    expect((await found.sign(request(1_500_000))).verdict.validUntil).to.equal(1_500_000);
    expect((await found.sign(request(9_000_000))).verdict.validUntil).to.equal(2_000_000);
  });

  it("judges the same evidence again when collateral has changed", async () => {
    const before = verdictOf("a3");
    await signer(before).sign(request());
    const after = {
      ...before,
      status: TcbStatus.OutOfDate,
      advisoriesDigest: word("ad"),
      validUntil: 2_500_000,
    };
    expect((await signer(after).sign(request())).verdict).to.deep.equal(after);
  });

  const facts: Record<string, Partial<VerdictMessage>> = {
    "another key": { key: parseAddress(`0x${"ff".repeat(20)}`) },
    "another app": { subject: parseAddress(`0x${"ff".repeat(20)}`) },
    "another platform": { platformId: parsePlatformId(word("ff")) },
    "another compose hash": { composeHash: word("ff") },
    "another measurement": { measurementDigest: word("ff") },
    "another word on simulation": { simulated: false },
  };
  for (const [what, change] of Object.entries(facts)) {
    it(`never signs ${what} over evidence that it has signed`, async () => {
      await signer(verdictOf("a4")).sign(request());
      const lie = signer({ ...verdictOf("a4"), ...change });
      expect(await refusal(lie.sign(request()))).to.equal("committee/conflicting-verdict");
    });
  }

  it("answers a request above its rate with 429, and is healthy while its store is", async () => {
    const server = await signerServer({
      logger: pino({ level: "silent" }),
      maxRequestsPerMinute: 2,
      sign: (asked) => signer(verdictOf("a5")).sign(asked),
      judge: () => Promise.reject(new Error("not asked")),
      signBatch: () => Promise.reject(new Error("not asked")),
      metrics: signerMetrics({ collateralSecondsLeft: () => new Map() }),
      pingStore: () => store.ping(),
      pingChain: () => Promise.resolve(),
    });
    const health = async () => {
      const response = await server.inject({ method: "GET", url: "/health" });
      return `${response.statusCode} ${response.json<{ error?: { code: string } }>().error?.code ?? "ok"}`;
    };
    expect([await health(), await health(), await health()]).to.deep.equal([
      "200 ok",
      "200 ok",
      "429 api/too-many-requests",
    ]);
    await server.close();
  });
});
