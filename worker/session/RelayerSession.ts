import type { PrivateKeyAccount } from "viem/accounts";
import { WebSocket } from "ws";

import { nodeChannelCrypto } from "../../protocol/crypto/node.ts";
import { CharterError } from "../../protocol/errors/CharterError.ts";
import { openChannel, type Channel } from "../../protocol/session/channel.ts";
import {
  acceptedSessionSchema,
  challengeSchema,
  isAcceptedBy,
  openTypedData,
  type Handshake,
} from "../../protocol/session/handshake.ts";
import type { SignedLease } from "../../protocol/session/lease.ts";
import { readBody, relayerFrameSchema, writeBody } from "../../protocol/session/sessionMessages.ts";
import { toHex, type Address, type Bytes32 } from "../../protocol/words/hex.ts";
import { FrameQueue } from "./FrameQueue.ts";

export interface SessionTerms {
  readonly chainId: number;
  readonly ledger: Address;
  readonly app: Address;
  readonly account: PrivateKeyAccount;
  /** From the measured manifest: a session is held with nobody else. */
  readonly leaseSigners: readonly Address[];
}

const MAX_MESSAGE_BYTES = 65_536;
const HANDSHAKE_TIMEOUT_MS = 5_000;

interface Waiting {
  readonly resolve: (signed: SignedLease) => void;
  readonly reject: (cause: unknown) => void;
}

/**
 * A session held with one relayer (protocol/session/handshake.ts): the instance key signs once, then every lease costs a
 * nonce. What comes over it was sent by a lease signer that the manifest names; a lease is checked like any other all the
 * same.
 */
export class RelayerSession {
  readonly #socket: WebSocket;
  readonly #channel: Channel;
  readonly #onDenied: () => void;
  readonly #waiting = new Map<Bytes32, Waiting>();
  #broken: CharterError | undefined;

  private constructor(socket: WebSocket, frames: FrameQueue, channel: Channel, onDenied: () => void) {
    this.#socket = socket;
    this.#channel = channel;
    this.#onDenied = onDenied;
    frames.onFrame((data, isBinary) => this.#received(data, isBinary));
    frames.onBroken((cause) => this.#break(cause));
  }

  /**
   * Opens a session with the relayer at that URL.
   * @param onDenied called when the relayer says that it would deny now what it leased.
   * @throws CharterError `session/…` when the other end does not prove to be a named lease signer, `relayer/unreachable`
   * when it holds no sessions or does not answer; its own refusal by its own code, which nobody vouches for.
   */
  static async open(
    url: string,
    terms: SessionTerms,
    onDenied: () => void,
    signal?: AbortSignal,
  ): Promise<RelayerSession> {
    const socket = new WebSocket(`${url.replace(/^http/, "ws")}/sessions`, {
      maxPayload: MAX_MESSAGE_BYTES,
      perMessageDeflate: false,
      followRedirects: false,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    });
    const frames = new FrameQueue(socket, url);
    const timeout = AbortSignal.timeout(HANDSHAKE_TIMEOUT_MS);
    const ended = signal === undefined ? timeout : AbortSignal.any([timeout, signal]);
    const cut = (): void => socket.terminate();
    ended.addEventListener("abort", cut, { once: true });
    try {
      ended.throwIfAborted();
      const channel = await shakeHands(socket, frames, terms);
      return new RelayerSession(socket, frames, channel, onDenied);
    } catch (cause) {
      socket.terminate();
      if (cause instanceof CharterError) throw cause;
      throw unreachable(url, cause);
    } finally {
      ended.removeEventListener("abort", cut);
    }
  }

  get isOpen(): boolean {
    return this.#broken === undefined;
  }

  /**
   * Asks for a lease over this nonce.
   * @throws CharterError as `RelayerClient.lease`; the session is over when the answer does not come before the signal.
   */
  lease(nonce: Bytes32, signal?: AbortSignal): Promise<SignedLease> {
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    return new Promise((resolve, reject) => {
      const cut = (): void => this.#break(unreachable(this.#socket.url, signal?.reason));
      const done =
        <T>(settle: (value: T) => void) =>
        (value: T): void => {
          signal?.removeEventListener("abort", cut);
          this.#waiting.delete(nonce);
          settle(value);
        };
      this.#waiting.set(nonce, { resolve: done(resolve), reject: done(reject) });
      if (signal?.aborted === true) return cut();
      signal?.addEventListener("abort", cut, { once: true });
      this.#socket.send(this.#channel.seal(writeBody({ type: "lease", nonce })));
    });
  }

  close(): void {
    this.#break(new CharterError("session/closed", "the session was closed", {}));
  }

  #received(data: Uint8Array, isBinary: boolean): void {
    try {
      if (!isBinary) throw new CharterError("session/malformed", "a session speaks in binary frames", {});
      const said = readBody(relayerFrameSchema, this.#channel.open(data));
      if (said.type === "denied") return this.#onDenied();
      if (said.type === "lease") return this.#waiting.get(said.signed.lease.nonce)?.resolve(said.signed);
      const { code, message, details } = said.error;
      this.#waiting.get(said.nonce)?.reject(new CharterError(code, message, details));
    } catch (cause) {
      this.#break(cause);
    }
  }

  #break(cause: unknown): void {
    if (this.#broken !== undefined) return;
    this.#broken = cause instanceof CharterError ? cause : unreachable(this.#socket.url, cause);
    this.#socket.terminate();
    for (const { reject } of this.#waiting.values()) reject(this.#broken);
  }
}

/** Both sides prove who they are; what follows is the channel. */
async function shakeHands(
  socket: WebSocket,
  frames: FrameQueue,
  { chainId, ledger, app, account, leaseSigners }: SessionTerms,
): Promise<Channel> {
  const { relayer, challenge } = readBody(challengeSchema, await frames.nextText());
  if (!leaseSigners.includes(relayer)) {
    throw new CharterError(
      "lease/signer-not-named",
      "the manifest does not name this relayer's lease signer",
      {
        expected: leaseSigners,
        actual: relayer,
      },
    );
  }
  const agreement = nodeChannelCrypto.newAgreementKey();
  const shaken: Handshake = {
    app,
    key: account.address.toLowerCase() as Address,
    relayer,
    relayerChallenge: challenge,
    guestChallenge: toHex(agreement.publicKey) as Bytes32,
  };
  const place = { chainId, ledger };
  const channel = openChannel(nodeChannelCrypto, "guest", agreement, shaken);
  const signature = await account.signTypedData(openTypedData(place, shaken));
  const { key, guestChallenge } = shaken;
  socket.send(JSON.stringify({ type: "open", app, key, challenge: guestChallenge, signature }));
  const answer = readBody(acceptedSessionSchema, await frames.nextText());
  if (answer.type === "refused") {
    throw new CharterError(answer.error.code, answer.error.message, answer.error.details);
  }
  if (!(await isAcceptedBy(place, shaken, answer.signature))) {
    throw new CharterError("session/not-mutual", "the relayer did not prove to hold its lease signer's key", {
      expected: relayer,
    });
  }
  return channel;
}

const unreachable = (relayer: string, cause: unknown): CharterError =>
  new CharterError("relayer/unreachable", "the relayer did not answer", { relayer }, { cause });
