import type { AgreementKey, ChannelCrypto } from "../../../protocol/crypto/crypto.ts";
import { CharterError, isCharterError } from "../../../protocol/errors/CharterError.ts";
import { openChannel } from "../../../protocol/session/channel.ts";
import type { Channel } from "../../../protocol/session/channel.ts";
import { acceptTypedData, openSchema, openTypedData } from "../../../protocol/session/handshake.ts";
import type { Handshake, OpenMessage, SessionPlace } from "../../../protocol/session/handshake.ts";
import type { SignedLease } from "../../../protocol/session/lease.ts";
import { guestFrameSchema, readBody, writeBody } from "../../../protocol/session/sessionMessages.ts";
import { toHex } from "../../../protocol/words/hex.ts";
import type { Address, Bytes32, Hex } from "../../../protocol/words/hex.ts";
import { recoverTypedData } from "../../keys/recoverTypedData.ts";

/** The other end, as a WebSocket gives it. */
export interface Wire {
  send(data: string | Uint8Array): void;
  close(code: number, reason: string): void;
}

/** What a lease signer needs, to vouch for a session: viem's local account has it. */
export interface SessionSigner {
  readonly address: Hex;
  signTypedData(parameters: ReturnType<typeof acceptTypedData>): Promise<Hex>;
}

/** What all sessions of a relayer share. */
export interface SessionSeams extends SessionPlace {
  readonly crypto: ChannelCrypto;
  readonly signer: SessionSigner;
  /** Whether the key gave evidence. */
  readonly knows: (app: Address, key: Address) => Promise<boolean>;
  readonly grant: (app: Address, key: Address, nonce: Bytes32) => Promise<SignedLease>;
  /** Runs what a signature opens, within what key and address may ask for. */
  readonly guarded: <T>(key: Address, address: string, work: () => Promise<T>) => Promise<T>;
  /** @throws CharterError `relayer/busy` where this key's node holds its share of sessions. */
  readonly requireShare: (app: Address, key: Address) => void;
  readonly onOpen: (session: GuestSession) => void;
  readonly onClose: (session: GuestSession) => void;
  /** A defect of ours, for the log. */
  readonly onDefect: (error: unknown) => void;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
}

/** Leases that one session may ask for in a minute: a guest with the shortest lease asks each second. */
const MAX_PER_MINUTE = 240;
/** Asked and not answered yet. */
const MAX_PENDING = 4;

/** WebSocket close codes (RFC 6455 §7.4). */
const POLICY = 1_008;
const NORMAL = 1_000;

/**
 * The relayer's side of one session (protocol/session/handshake.ts): challenge, the guest's signature, our own, and then
 * one lease per nonce until either side ends it. Whatever is not exactly the next thing to be said ends it.
 */
export class GuestSession {
  readonly #seams: SessionSeams;
  readonly #wire: Wire;
  readonly #address: string;
  readonly #relayer: Address;
  /** Until the handshake is done. */
  #agreement: AgreementKey | undefined;
  #channel: Channel | undefined;
  #whose: { readonly app: Address; readonly key: Address } | undefined;
  #pending = 0;
  #minuteEndsAt = 0;
  #asked = 0;
  #isClosed = false;
  /** Which node its key's evidence named when it was opened. */
  node: number | undefined;
  /** Milliseconds, monotonic: when something was last heard. */
  heardAt: number;

  constructor(seams: SessionSeams, wire: Wire, address: string) {
    this.#seams = seams;
    this.#wire = wire;
    this.#address = address;
    this.#relayer = seams.signer.address.toLowerCase() as Address;
    this.heardAt = seams.now();
    this.#agreement = seams.crypto.newAgreementKey();
    const challenge = toHex(this.#agreement.publicKey);
    wire.send(JSON.stringify({ type: "challenge", relayer: this.#relayer, challenge }));
  }

  /** Whose session this is, or was; undefined until it is open. */
  get whose(): { readonly app: Address; readonly key: Address } | undefined {
    return this.#whose;
  }

  /** A text frame: the guest's part of the handshake, and nothing after it. */
  async onText(text: string): Promise<void> {
    const agreement = this.#agreement;
    this.#agreement = undefined;
    if (agreement === undefined) return this.close(POLICY, "session/malformed");
    try {
      await this.#open(agreement, readBody(openSchema, Buffer.from(text)));
    } catch (error) {
      const refused = this.#told(error);
      if (!this.#isClosed) this.#wire.send(JSON.stringify({ type: "refused", error: refused.toJSON() }));
      this.close(POLICY, refused.code);
    }
  }

  /** A binary frame: the guest's next nonce. */
  async onBinary(frame: Uint8Array): Promise<void> {
    const [channel, whose] = [this.#channel, this.#whose];
    if (channel === undefined || whose === undefined || this.#isClosed) {
      return this.close(POLICY, "session/malformed");
    }
    let nonce: Bytes32;
    try {
      ({ nonce } = readBody(guestFrameSchema, channel.open(frame)));
    } catch (error) {
      return this.close(POLICY, this.#told(error).code);
    }
    this.heardAt = this.#seams.now();
    if (!this.#mayAsk()) return this.close(POLICY, "api/too-many-requests");
    this.#pending++;
    try {
      const { blockNumber, ...signed } = await this.#seams.grant(whose.app, whose.key, nonce);
      this.#seal({ type: "lease", signed: { ...signed, blockNumber: Number(blockNumber) } });
    } catch (error) {
      this.#seal({ type: "refused", nonce, error: this.#told(error).toJSON() });
    } finally {
      this.#pending--;
    }
  }

  /** Tells the guest that its lease would be denied now, so that it asks again at once. */
  tellDenied(error: CharterError): void {
    this.#seal({ type: "denied", error: error.toJSON() });
  }

  close(code = NORMAL, reason = ""): void {
    if (!this.#isClosed) this.#wire.close(code, reason);
    this.onClosed();
  }

  /** The socket is gone. */
  onClosed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#agreement = undefined;
    this.#seams.onClose(this);
  }

  async #open(agreement: AgreementKey, { app, key, challenge, signature }: OpenMessage): Promise<void> {
    const { crypto, signer, guarded, knows, requireShare, onOpen, now } = this.#seams;
    const shaken: Handshake = {
      app,
      key,
      relayer: this.#relayer,
      relayerChallenge: toHex(agreement.publicKey) as Bytes32,
      guestChallenge: challenge,
    };
    await guarded(key, this.#address, async () => {
      if (recoverTypedData(openTypedData(this.#seams, shaken), signature) !== key) {
        throw new CharterError("session/signature-invalid", "a session must be opened by the instance key", {
          key,
        });
      }
      if (!(await knows(app, key))) {
        throw new CharterError("lease/denied", "this key gave no evidence", {
          reason: "EvidenceMissing",
          app,
          key,
        });
      }
      requireShare(app, key);
    });
    const channel = openChannel(crypto, "relayer", agreement, shaken);
    const accepted = await signer.signTypedData(acceptTypedData(this.#seams, shaken));
    if (this.#isClosed) return;
    this.#wire.send(JSON.stringify({ type: "accepted", signature: accepted }));
    this.#channel = channel;
    this.#whose = { app, key };
    this.heardAt = now();
    onOpen(this);
  }

  #mayAsk(): boolean {
    const now = this.#seams.now();
    if (now >= this.#minuteEndsAt) {
      this.#minuteEndsAt = now + 60_000;
      this.#asked = 0;
    }
    this.#asked++;
    return this.#asked <= MAX_PER_MINUTE && this.#pending < MAX_PENDING;
  }

  #seal(body: unknown): void {
    if (this.#channel === undefined || this.#isClosed) return;
    this.#wire.send(this.#channel.seal(writeBody(body)));
  }

  /** What may be told of an error; a defect of ours is masked. */
  #told(error: unknown): CharterError {
    if (isCharterError(error)) return error;
    this.#seams.onDefect(error);
    return new CharterError("api/internal", "an internal failure; the log has it", {});
  }
}
