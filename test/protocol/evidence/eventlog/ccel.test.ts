import { expect } from "chai";

import { nodeCrypto } from "../../../../protocol/crypto/node.ts";
import { webCrypto } from "../../../../protocol/crypto/web.ts";
import { parseQuote } from "../../../../protocol/evidence/dcap/parseQuote.ts";
import { quoteBytes } from "../../../../protocol/evidence/dcap/quoteBytes.ts";
import { MAX_EVENT_DATA_BYTES, parseCcel, replayCcel } from "../../../../protocol/evidence/eventlog/ccel.ts";
import { parseEventLog } from "../../../../protocol/evidence/eventlog/eventLog.ts";
import { MAX_EVENT_LOG_BYTES, MAX_EVENTS } from "../../../../protocol/evidence/eventlog/events.ts";
import { toHex } from "../../../../protocol/words/hex.ts";
import { refusal, refusalOf } from "../../../support/refusal.ts";
import { itOnVectors } from "../../../support/vectors.ts";
import { dstackVector } from "../dstackVector.ts";
import { ccelLog, sha384, type CcelDefects, type Logged } from "./ccelLog.ts";

const EV_NO_ACTION = 3;
const EV_SEPARATOR = 4;
const EV_EVENT_TAG = 6;
const EV_PLATFORM_CONFIG_FLAGS = 0xa;
const EV_EFI_ACTION = 0x8000_0007;

const separator = (index: number): Logged => ({ index, type: EV_SEPARATOR, data: Buffer.alloc(4) });
/** Measures a hand-off block that the log only describes. */
const handOff: Logged = {
  index: 1,
  type: EV_PLATFORM_CONFIG_FLAGS,
  data: Buffer.from("td_hob"),
  digest: sha384(Buffer.from("the block itself")),
};
const LOG: readonly Logged[] = [
  { index: 0, type: EV_EVENT_TAG, data: Buffer.from("of MRTD") },
  handOff,
  { index: 1, type: EV_NO_ACTION, data: Buffer.from("StartupLocality"), digest: Buffer.alloc(48) },
  separator(1),
  { index: 2, type: EV_EFI_ACTION, data: Buffer.from("Calling EFI Application from Boot Option") },
  separator(2),
  { index: 3, type: EV_EVENT_TAG, data: Buffer.from("kernel command line") },
  { index: 4, type: EV_EVENT_TAG, data: Buffer.from("something at run time") },
];
const hexOf = (values: readonly Uint8Array[]): string[] => values.map(toHex);
const registers = async (log: Uint8Array): Promise<string[]> =>
  hexOf(await replayCcel(parseCcel(log), nodeCrypto));
const extended = (...digests: readonly Uint8Array[]): string =>
  toHex(digests.reduce<Uint8Array>((register, digest) => sha384(register, digest), Buffer.alloc(48)));

describe("a boot log (CCEL)", () => {
  it("gives RTMR0 to RTMR3, and nothing for MRTD or for events that only inform", async () => {
    const expected = [
      extended(handOff.digest as Uint8Array, sha384(Buffer.alloc(4))),
      extended(sha384(LOG[4]?.data as Uint8Array), sha384(Buffer.alloc(4))),
      extended(sha384(Buffer.from("kernel command line"))),
      extended(sha384(Buffer.from("something at run time"))),
    ];
    expect(await registers(ccelLog(LOG))).to.deep.equal(expected);
    const events = parseCcel(ccelLog(LOG));
    expect(events.map(({ register }) => register)).to.deep.equal([null, 0, null, 0, 1, 1, 2, 3]);
    expect(events.map(({ data }) => toHex(data))).to.deep.equal(LOG.map(({ data }) => toHex(data)));
    expect(hexOf(await replayCcel(events, webCrypto))).to.deep.equal(expected);
  });

  it("may be empty, end at its area's end or before zeros, and name its vendor", async () => {
    const zeros = ["0x", "0x", "0x", "0x"].map((prefix) => prefix + "00".repeat(48));
    expect(await registers(ccelLog([]))).to.deep.equal(zeros);
    const same: CcelDefects[] = [
      { filler: Buffer.alloc(0) },
      { filler: Buffer.alloc(3, 0xff) },
      { filler: Buffer.alloc(4_096) },
      { vendor: "td_shim", headerIndex: 0, platformClass: 1, versions: [0, 2, 0, 1] },
    ];
    for (const defects of same) {
      expect(await registers(ccelLog(LOG, defects))).to.deep.equal(await registers(ccelLog(LOG)));
    }
  });

  it("is refused in any other form", () => {
    const defects: CcelDefects[] = [
      { headerIndex: 5 },
      { headerType: EV_SEPARATOR },
      { headerDigest: Buffer.alloc(20, 1) },
      { signature: "Spec ID Event02\0" },
      { platformClass: 2 },
      { versions: [2, 1, 0, 2] },
      { versions: [1, 2, 0, 2] },
      { versions: [0, 2, 0, 4] },
      { algorithms: [] },
      { algorithms: [[0x000b, 32]] },
      { algorithms: [[0x000c, 32]] },
      {
        algorithms: [
          [0x000c, 48],
          [0x000b, 32],
        ],
      },
      { headerTail: Buffer.alloc(1) },
      { digests: 0 },
      { digests: 2 },
      { digestAlgorithm: 0x000b },
      { filler: Buffer.from(`${"ff".repeat(20)}00`, "hex") },
      { filler: Buffer.from(`${"00".repeat(20)}01`, "hex") },
      { filler: Buffer.alloc(12, 0x5a) },
    ];
    for (const [i, each] of defects.entries()) {
      expect(
        refusalOf(() => parseCcel(ccelLog(LOG, each))),
        `defect ${i}`,
      ).to.equal("evidence/event-log-format");
    }
    const beyond = ccelLog([...LOG, { index: 5, type: EV_EVENT_TAG, data: Buffer.alloc(1) }]);
    expect(refusalOf(() => parseCcel(beyond))).to.equal("evidence/event-log-format");
  });

  it("is refused beyond 1 MiB, 10,000 events or 64 KiB in one", () => {
    const many = (count: number) => ccelLog(Array.from({ length: count }, () => separator(1)));
    expect(parseCcel(many(MAX_EVENTS))).to.have.length(MAX_EVENTS);
    expect(refusalOf(() => parseCcel(many(MAX_EVENTS + 1)))).to.equal("evidence/event-log-format");
    const long = ccelLog(LOG, { filler: Buffer.alloc(MAX_EVENT_LOG_BYTES, 0xff) });
    expect(refusalOf(() => parseCcel(long))).to.equal("evidence/event-log-format");
    const sized = (bytes: number) =>
      ccelLog([{ index: 1, type: EV_EVENT_TAG, data: Buffer.alloc(bytes, 1) }]);
    expect(parseCcel(sized(MAX_EVENT_DATA_BYTES))).to.have.length(1);
    expect(refusalOf(() => parseCcel(sized(MAX_EVENT_DATA_BYTES + 1)))).to.equal("evidence/event-log-format");
  });

  it("is refused where data that were measured do not give the digest", async () => {
    for (const type of [EV_SEPARATOR, EV_EFI_ACTION, 0x8000_0001]) {
      const lied = ccelLog([{ index: 1, type, data: Buffer.from("x"), digest: Buffer.alloc(48, 1) }]);
      expect(await refusal(replayCcel(parseCcel(lied), nodeCrypto))).to.equal("evidence/event-log-format");
    }
  });

  it("cut off anywhere is refused, or is a log of fewer events", () => {
    const log = ccelLog(LOG, { filler: Buffer.alloc(0) });
    const ends = LOG.map((_, i) => ccelLog(LOG.slice(0, i), { filler: Buffer.alloc(0) }).length);
    for (let length = 0; length < log.length; length++) {
      const cut = log.subarray(0, length);
      const last = ends.findLastIndex((end) => end <= length);
      // Zeros at which an event was cut are as good as filler.
      const isEnd = last >= 0 && cut.subarray(ends[last]).every((byte) => byte === 0);
      if (isEnd) expect(parseCcel(cut), `${length} bytes`).to.have.length(last);
      else {
        const refused = refusalOf(() => parseCcel(cut));
        expect(refused, `${length} bytes`).to.equal("evidence/event-log-format");
      }
    }
  });

  it("with any byte flipped is refused or gives other registers, outside what nobody measures", async () => {
    const vendor = "td_shim";
    const log = ccelLog(LOG, { vendor, filler: Buffer.alloc(16, 0xff) });
    const whole = await registers(log);
    const free = new Set(unmeasured(LOG, vendor));
    for (let offset = 0; offset < log.length; offset++) {
      const seen: string[] = [];
      for (let bit = 0; bit < 8; bit++) {
        const flipped = Uint8Array.from(log);
        flipped[offset] = (flipped[offset] as number) ^ (1 << bit);
        const result = await registers(flipped).catch(() => null);
        seen.push(JSON.stringify(result) === JSON.stringify(whole) ? "the same" : "not");
      }
      if (!free.has(offset)) expect(seen, `byte ${offset}`).not.to.include("the same");
      // What is listed must be there for a reason.
      else expect(seen, `byte ${offset}`).to.include("the same");
    }
  });

  itOnVectors("of a real TD's firmware gives its quote's RTMR0, RTMR1 and RTMR2", async () => {
    const { evidence } = dstackVector();
    const events = parseEventLog(evidence.eventLog).filter(({ imr }) => imr < 3);
    const log = ccelLog(
      events.map(({ imr, type, payload, loggedDigest }) => ({
        index: imr + 1,
        type,
        data: payload,
        digest: loggedDigest,
      })),
    );
    const { report } = parseQuote(quoteBytes(evidence.quote));
    if (!("rtmrs" in report)) throw new Error("expected a TD report");
    expect((await registers(log)).slice(0, 3)).to.deep.equal(hexOf(report.rtmrs).slice(0, 3));
  });
});

/**
 * Offsets that no register speaks for: of the header, its register, class, errata, UINTN size and vendor; of an event
 * that extended nothing, all but what its form fixes; of an event whose digest is not that of its data, type and data;
 * of the last event, how much filler is its data.
 */
function unmeasured(events: readonly Logged[], vendor: string): number[] {
  const range = (from: number, length: number): number[] => Array.from({ length }, (_, i) => from + i);
  const SPEC_ID = 4 + 4 + 20 + 4;
  const out = [0, SPEC_ID + 16, SPEC_ID + 22];
  const vendorAt = SPEC_ID + 16 + 4 + 4 + 4 + 4 + 1;
  out.push(...range(vendorAt, vendor.length));
  let at = vendorAt + vendor.length;
  let lastSizeAt = 0;
  for (const { index, type, data } of events) {
    const [typeAt, digestAt, dataAt] = [at + 4, at + 14, at + 66];
    const isSelfDescribed = [EV_SEPARATOR, EV_EFI_ACTION].includes(type);
    if (index === 0) out.push(...range(typeAt, 4), ...range(digestAt, 48), ...range(dataAt, data.length));
    else if (type === EV_NO_ACTION) {
      out.push(at, ...range(digestAt, 48), ...range(dataAt, data.length));
    } else if (!isSelfDescribed) {
      out.push(...range(typeAt, 4), ...range(dataAt, data.length));
    } else {
      // A type that measures something else keeps the digest.
      out.push(...range(typeAt, 4));
    }
    at = dataAt + data.length;
    lastSizeAt = dataAt - 4;
  }
  out.push(lastSizeAt);
  return out;
}
