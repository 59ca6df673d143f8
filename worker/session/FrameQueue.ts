import type { RawData, WebSocket } from "ws";

import { CharterError } from "../../protocol/errors/CharterError.ts";

type Frame = readonly [data: Uint8Array, isBinary: boolean];

/** Frames that came and were not taken yet: a handshake needs two. */
const MAX_KEPT = 8;

/** A socket's frames, one after another: asked for during the handshake, handed over after it. None is lost between. */
export class FrameQueue {
  readonly #relayer: string;
  readonly #kept: Frame[] = [];
  #take: ((frame: Frame) => void) | undefined;
  #fail: ((cause: CharterError) => void) | undefined;
  #broken: CharterError | undefined;
  #listener: ((data: Uint8Array, isBinary: boolean) => void) | undefined;
  #onBroken: ((cause: CharterError) => void) | undefined;

  constructor(socket: WebSocket, relayer: string) {
    this.#relayer = relayer;
    socket.on("message", (data: RawData, isBinary: boolean) => this.#put([data as Buffer, isBinary]));
    socket.on("error", (cause) => this.#break(cause));
    socket.on("close", (_code, reason) => this.#break(undefined, reason.toString("utf8")));
  }

  /** The next frame, which must be text. @throws CharterError `relayer/unreachable`, `session/malformed` */
  async nextText(): Promise<Uint8Array> {
    const [data, isBinary] = await this.#next();
    if (!isBinary) return data;
    throw new CharterError("session/malformed", "a handshake speaks in text frames", {});
  }

  /** From now on every frame goes there. */
  onFrame(listener: (data: Uint8Array, isBinary: boolean) => void): void {
    this.#listener = listener;
    for (const [data, isBinary] of this.#kept.splice(0)) listener(data, isBinary);
  }

  /** Called once, at once when it has happened already. */
  onBroken(listener: (cause: CharterError) => void): void {
    this.#onBroken = listener;
    if (this.#broken !== undefined) listener(this.#broken);
  }

  #next(): Promise<Frame> {
    const kept = this.#kept.shift();
    if (kept !== undefined) return Promise.resolve(kept);
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    return new Promise((resolve, reject) => {
      this.#take = resolve;
      this.#fail = reject;
    });
  }

  #put(frame: Frame): void {
    if (this.#listener !== undefined) return this.#listener(...frame);
    const take = this.#take;
    this.#take = undefined;
    if (take !== undefined) take(frame);
    else if (this.#kept.length < MAX_KEPT) this.#kept.push(frame);
    else this.#break(new Error("more was sent than a handshake has"));
  }

  /** @param reason the other end's, where it gave one: for people, since nobody vouches for it. */
  #break(cause: unknown, reason = ""): void {
    if (this.#broken !== undefined) return;
    this.#broken = new CharterError(
      "relayer/unreachable",
      "the relayer did not answer",
      { relayer: this.#relayer, ...(reason === "" ? {} : { reason: reason.slice(0, 100) }) },
      { cause },
    );
    this.#fail?.(this.#broken);
    this.#onBroken?.(this.#broken);
  }
}
