import { createHash } from "node:crypto";
import { expect } from "chai";

import { nodeCrypto } from "../../../../protocol/crypto/node.ts";
import {
  bootFacts,
  parseEventLog,
  replayRtmrs,
  RUNTIME_EVENT,
  runtimeEventDigest,
} from "../../../../protocol/evidence/eventlog/eventLog.ts";
import { MAX_EVENT_LOG_BYTES, MAX_EVENTS } from "../../../../protocol/evidence/eventlog/events.ts";
import { toHex } from "../../../../protocol/words/hex.ts";
import { refusal } from "../../../support/refusal.ts";

const runtime = (event: string, payload = "", more: Record<string, unknown> = {}) => ({
  imr: 3,
  event_type: RUNTIME_EVENT,
  digest: "",
  event,
  event_payload: payload,
  ...more,
});
const BOOT = [
  runtime("system-preparing"),
  runtime("app-id", "11".repeat(20)),
  runtime("compose-hash", "22".repeat(32)),
  runtime("instance-id", "33".repeat(20)),
  runtime("boot-mr-done"),
  runtime("key-provider", "7b7d"),
  runtime("system-ready"),
];
const log = (events: unknown) => parseEventLog(JSON.stringify(events));
const code = (work: () => unknown) => refusal(Promise.resolve().then(work));
const sha384 = (...parts: Uint8Array[]) =>
  parts.reduce((hash, part) => hash.update(part), createHash("sha384")).digest();

describe("event log format", () => {
  const refused = async (events: unknown) =>
    expect(await code(() => log(events))).to.equal("evidence/event-log-format");

  it("takes a log without digests, as dstack strips it", () => {
    const { digest: _digest, ...bare } = runtime("app-id");
    expect(log([bare])[0]?.loggedDigest.length).to.equal(0);
  });

  it("refuses unknown and missing fields, another register, version or type, and hex that is not", async () => {
    const event = runtime("app-id");
    const { event: _name, ...nameless } = event;
    const cases = [
      { ...event, extra: 1 },
      nameless,
      { ...event, imr: 4 },
      { ...event, imr: 1.5 },
      { ...event, version: 3 },
      { ...event, event_type: -1 },
      { ...event, event_payload: "abc" },
      { ...event, event_payload: "0x00" },
      { ...event, digest: "zz" },
      { ...event, event: "x".repeat(1025) },
      { ...event, event: "\ud800" },
      { ...event, event: 1 },
      { ...event, event_type: 2 ** 32 },
      { ...event, event_type: 0.5 },
      { ...event, digest: null },
      { ...event, preimage: "0" },
      Object.assign(Object.create(null), event, JSON.parse('{"__proto__":1}')),
      [event],
      [],
      null,
      "event",
    ];
    for (const each of cases) await refused([each]);
    await refused({});
    await refused(null);
    await refused(Array.from({ length: MAX_EVENTS + 1 }, () => event));
  });

  it("refuses text that is not JSON, is too long, or has a key twice", async () => {
    const texts = ["", "[", `[${" ".repeat(MAX_EVENT_LOG_BYTES)}]`, '[{"imr":3,"imr":3}]'];
    for (const text of texts) {
      expect(await code(() => parseEventLog(text))).to.equal("evidence/event-log-format");
    }
  });
});

describe("event digests", () => {
  it("follow V1: SHA-384(LE32(type) : name : payload)", async () => {
    // Event app-id of the real guest of 2026-02, with the digest that it logged (first 35 bytes seen in its log).
    const payload = Buffer.from("3763bc34552cf3a27ff71ad5f7a90471562a1a2d", "hex");
    const digest = await runtimeEventDigest({ name: "app-id", payload, version: 1 }, nodeCrypto);
    expect(toHex(digest)).to.match(
      /^0x837c2dd72f8a4c740159e5e042ed79b7eaaa5ab3a151a45e27bc366bb8b27e6c3faec8/,
    );
  });

  it("follow V2: SHA-384 of the canonical JSON", async () => {
    const name = 'event"with\\special\nchars-🦀';
    const digest = await runtimeEventDigest(
      { name, payload: Buffer.from([0xab, 0xcd]), version: 2 },
      nodeCrypto,
    );
    const canonical = '{"name":"event\\"with\\\\special\\nchars-🦀","payload":"abcd","type":134217729}';
    expect(toHex(digest)).to.equal(toHex(sha384(Buffer.from(canonical))));
  });
});

describe("replay", () => {
  it("extends by recomputed digests, V1 and V2 mixed, whatever was logged", async () => {
    const events = log([
      runtime("a", "01", { digest: "ff".repeat(48) }),
      runtime("b", "02", { version: 2, preimage: "00" }),
    ]);
    const first = sha384(Buffer.from("01000008", "hex"), Buffer.from(":a:"), Buffer.of(1));
    const second = sha384(Buffer.from('{"name":"b","payload":"02","type":134217729}'));
    const expected = sha384(sha384(Buffer.alloc(48), first), second);
    expect(toHex((await replayRtmrs(events, nodeCrypto))[3] as Uint8Array)).to.equal(toHex(expected));
  });

  it("takes a firmware event's digest from its data where they are what was measured", async () => {
    const separator = {
      imr: 0,
      event_type: 4,
      digest: "ff".repeat(48),
      event: "",
      event_payload: "00000000",
    };
    const [rtmr0] = await replayRtmrs(log([separator]), nodeCrypto);
    expect(toHex(rtmr0 as Uint8Array)).to.equal(toHex(sha384(Buffer.alloc(48), sha384(Buffer.alloc(4)))));
  });

  it("refuses firmware events without a whole digest, and anything but runtime events in RTMR3", async () => {
    const kernel = { imr: 2, event_type: 6, digest: "00".repeat(32), event: "", event_payload: "00" };
    for (const event of [kernel, { ...kernel, imr: 3, digest: "00".repeat(48) }]) {
      expect(await refusal(replayRtmrs(log([event]), nodeCrypto))).to.equal("evidence/event-log-format");
    }
  });
});

describe("boot facts", () => {
  const refused = async (events: unknown) =>
    expect(await code(() => bootFacts(log(events)))).to.equal("evidence/event-log-facts");
  const without = (name: string) => BOOT.filter(({ event }) => event !== name);

  it("come from events before system-ready", () => {
    const facts = bootFacts(log([...BOOT, runtime("compose-hash", "99".repeat(32)), runtime("a:b")]));
    expect(facts.composeHash).to.equal(`0x${"22".repeat(32)}`);
    expect(facts.appId).to.equal(`0x${"11".repeat(20)}`);
    expect(facts.instanceId).to.equal(`0x${"33".repeat(20)}`);
    expect(facts.osImageHash).to.equal(null);
  });

  it("are refused without system-ready, without any of them, or with one twice", async () => {
    await refused([]);
    for (const name of ["system-ready", "app-id", "compose-hash", "instance-id", "key-provider"]) {
      await refused(without(name));
      if (name !== "system-ready")
        await refused([...without(name), BOOT.find(({ event }) => event === name)]);
    }
    await refused([runtime("app-id", "44".repeat(20)), ...BOOT]);
  });

  it("are refused with a payload of another length", async () => {
    for (const [name, payload] of Object.entries({
      "app-id": "11",
      "compose-hash": "22",
      "instance-id": "33",
    })) {
      await refused(BOOT.map((event) => (event.event === name ? runtime(name, payload) : event)));
    }
    await refused([runtime("os-image-hash", "44"), ...BOOT]);
  });

  it("may have no instance id", () => {
    const events = BOOT.map((event) => (event.event === "instance-id" ? runtime("instance-id") : event));
    expect(bootFacts(log(events)).instanceId).to.equal("0x");
  });

  it("are refused with a colon in a name: its digest would not say where the name ends", async () => {
    await refused([runtime("compose-hash:", ""), ...BOOT]);
  });

  it("are not read from firmware registers", async () => {
    const moved = BOOT.map((event) => (event.event === "app-id" ? { ...event, imr: 2 } : event));
    await refused(moved);
  });
});
