import type { AgreementKey, ChannelCrypto } from "../crypto/crypto.ts";
import { CharterError } from "../errors/CharterError.ts";
import { concatBytes } from "../words/bytes.ts";
import { fromHex } from "../words/hex.ts";
import type { Handshake } from "./handshake.ts";

const TAG_BYTES = 32;
const KEY_BYTES = 32;
const INFO = "charter session 1";

/**
 * What two sides say once both have signed the handshake: frames of a tag and its body. The tag is HMAC-SHA256 under a key
 * of that direction over the frame's position and its body, so that a frame which was changed, repeated, left out, moved
 * or turned back is refused. Bodies can be read on the way, as over plain HTTP: nothing in them is secret.
 */
export class Channel {
  readonly #crypto: ChannelCrypto;
  readonly #sendKey: Uint8Array;
  readonly #receiveKey: Uint8Array;
  #sent = 0;
  #received = 0;

  constructor(crypto: ChannelCrypto, keys: { readonly send: Uint8Array; readonly receive: Uint8Array }) {
    this.#crypto = crypto;
    this.#sendKey = keys.send;
    this.#receiveKey = keys.receive;
  }

  /** The next frame with this body. */
  seal(body: Uint8Array): Uint8Array {
    const tag = this.#crypto.hmacSha256(this.#sendKey, position(this.#sent++), body);
    return concatBytes(tag, body);
  }

  /** The body of the next frame. @throws CharterError `session/frame-refused`; the session is over then. */
  open(frame: Uint8Array): Uint8Array {
    const body = frame.subarray(TAG_BYTES);
    const expected = this.#crypto.hmacSha256(this.#receiveKey, position(this.#received), body);
    if (!this.#crypto.areEqual(frame.subarray(0, TAG_BYTES), expected)) {
      throw new CharterError(
        "session/frame-refused",
        "the frame is not the next one that the other side sent",
        {
          position: this.#received,
        },
      );
    }
    this.#received++;
    return body;
  }
}

const positionBytes = new Uint8Array(8);
const positionView = new DataView(positionBytes.buffer);

/** A frame's place among its direction's: 64 bits, big-endian. To be read before the next is asked for. */
function position(count: number): Uint8Array {
  positionView.setUint32(0, Math.floor(count / 2 ** 32));
  positionView.setUint32(4, count % 2 ** 32);
  return positionBytes;
}

/**
 * The channel of a session that both sides have signed.
 * @param own the key whose public part was this side's challenge.
 * @throws CharterError `session/challenge-invalid` when the other side's challenge is a key that shares no secret.
 */
export function openChannel(
  crypto: ChannelCrypto,
  role: "guest" | "relayer",
  own: AgreementKey,
  shaken: Handshake,
): Channel {
  const [relayer, guest] = [fromHex(shaken.relayerChallenge), fromHex(shaken.guestChallenge)];
  const secret = own.agree(role === "guest" ? relayer : guest);
  if (secret === null) {
    throw new CharterError("session/challenge-invalid", "the other side's challenge is no X25519 key", {});
  }
  const derived = crypto.deriveKey(secret, concatBytes(relayer, guest), INFO, 2 * KEY_BYTES);
  const fromGuest = derived.subarray(0, KEY_BYTES);
  const fromRelayer = derived.subarray(KEY_BYTES);
  return new Channel(
    crypto,
    role === "guest" ? { send: fromGuest, receive: fromRelayer } : { send: fromRelayer, receive: fromGuest },
  );
}
