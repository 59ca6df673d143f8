import { expect } from "chai";

import { nodeChannelCrypto } from "../../../protocol/crypto/node.ts";
import { openChannel } from "../../../protocol/session/channel.ts";
import type { Handshake } from "../../../protocol/session/handshake.ts";
import { parseAddress, toHex } from "../../../protocol/words/hex.ts";
import type { Bytes32 } from "../../../protocol/words/hex.ts";
import { refusalOf } from "../../support/refusal.ts";

const text = (of: string) => Buffer.from(of, "utf8");

function pair() {
  const [relayer, guest] = [nodeChannelCrypto.newAgreementKey(), nodeChannelCrypto.newAgreementKey()];
  const shaken: Handshake = {
    app: parseAddress(`0x${"0a".repeat(20)}`),
    key: parseAddress(`0x${"0b".repeat(20)}`),
    relayer: parseAddress(`0x${"0c".repeat(20)}`),
    relayerChallenge: toHex(relayer.publicKey) as Bytes32,
    guestChallenge: toHex(guest.publicKey) as Bytes32,
  };
  return {
    shaken,
    guestKey: guest,
    guest: openChannel(nodeChannelCrypto, "guest", guest, shaken),
    relayer: openChannel(nodeChannelCrypto, "relayer", relayer, shaken),
  };
}

describe("a session's channel", () => {
  it("carries what each side says, in order", () => {
    const { guest, relayer } = pair();
    for (const word of ["one", "", "three"]) {
      expect(Buffer.from(relayer.open(guest.seal(text(word)))).toString()).to.equal(word);
      expect(Buffer.from(guest.open(relayer.seal(text(word)))).toString()).to.equal(word);
    }
  });

  const frames: Record<string, (of: ReturnType<typeof pair>) => Uint8Array> = {
    "a repeated frame": ({ guest, relayer }) => {
      const frame = guest.seal(text("lease"));
      relayer.open(frame);
      return frame;
    },
    "a frame whose predecessor was left out": ({ guest }) => {
      guest.seal(text("first"));
      return guest.seal(text("second"));
    },
    "a frame turned back to its sender": ({ relayer }) => relayer.seal(text("lease")),
    "a frame of another session": () => pair().guest.seal(text("lease")),
    "a frame that is too short for a tag": () => new Uint8Array(31),
  };
  for (const [what, frame] of Object.entries(frames)) {
    it(`refuses ${what}`, () => {
      const of = pair();
      expect(refusalOf(() => of.relayer.open(frame(of)))).to.equal("session/frame-refused");
    });
  }

  it("refuses a frame with any one bit changed", () => {
    const { guest, relayer } = pair();
    const sealed = guest.seal(text("lease"));
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const frame = Uint8Array.from(sealed);
      frame[bit >> 3] = (frame[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(
        refusalOf(() => relayer.open(frame)),
        `bit ${bit}`,
      ).to.equal("session/frame-refused");
    }
  });

  it("refuses a challenge that shares no secret", () => {
    const { shaken, guestKey } = pair();
    for (const point of ["00".repeat(32), `01${"00".repeat(31)}`]) {
      const low = { ...shaken, relayerChallenge: `0x${point}` as Bytes32 };
      expect(refusalOf(() => openChannel(nodeChannelCrypto, "guest", guestKey, low))).to.equal(
        "session/challenge-invalid",
      );
    }
  });

  it("derives other keys when a challenge was changed on the way", () => {
    const { shaken, guestKey, relayer } = pair();
    const other = toHex(nodeChannelCrypto.newAgreementKey().publicKey) as Bytes32;
    const moved = openChannel(nodeChannelCrypto, "guest", guestKey, { ...shaken, relayerChallenge: other });
    expect(refusalOf(() => relayer.open(moved.seal(text("lease"))))).to.equal("session/frame-refused");
  });
});
