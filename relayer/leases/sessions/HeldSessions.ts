import type { CharterError } from "../../../protocol/errors/CharterError.ts";
import type { Address } from "../../../protocol/words/hex.ts";
import { busy } from "../../busy.ts";
import { InstanceMap } from "../InstanceMap.ts";
import type { Touched } from "../touched.ts";
import { GuestSession } from "./GuestSession.ts";
import type { SessionSeams, Wire } from "./GuestSession.ts";

interface Options extends Omit<SessionSeams, "requireShare" | "onOpen" | "onClose" | "now"> {
  /** Sessions at once, those that are being opened included. */
  readonly maxSessions: number;
  /** A session that is silent for longer has nothing left to hold: every lease of it is over. */
  readonly idleSeconds: number;
  /** Which node a key's evidence named. */
  readonly nodeOf: (app: Address, key: Address) => number | undefined;
  /** Why the lease that this key holds would not be granted now. */
  readonly objection: (app: Address, key: Address) => CharterError | null;
  /** Told how many stand, each time that one comes or goes. */
  readonly onCount?: (sessions: number) => void;
  readonly now?: () => number;
  readonly later?: (run: () => void) => void;
}

/** A handshake takes two messages; whoever has not spoken by then is not a guest. */
const HANDSHAKE_SECONDS = 10;
/** Handshakes at once, of all and of one address. */
const MAX_OPENING = 512;
const MAX_OPENING_PER_ADDRESS = 256;
/** Looking through all that are held for what is silent takes milliseconds, and none is urgent. */
const IDLE_SWEEP_MS = 30_000;
/** Decisions between two turns of the event loop. */
const CHUNK = 250;

/** WebSocket close codes (RFC 6455 §7.4). */
const GOING_AWAY = 1_001;
const POLICY = 1_008;

/** Every session that guests hold with this relayer: one per key, the newest. */
export class HeldSessions {
  readonly #options: Options;
  readonly #seams: SessionSeams;
  readonly #now: () => number;
  readonly #later: (run: () => void) => void;
  readonly #opening = new Map<GuestSession, string>();
  readonly #openingOf = new Map<string, number>();
  readonly #held = new InstanceMap<GuestSession>();
  readonly #heldOf = new Map<number, number>();
  #nextIdleSweep = 0;

  constructor(options: Options) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#later = options.later ?? setImmediate;
    this.#seams = {
      ...options,
      now: this.#now,
      requireShare: (app, key) => this.#requireShare(app, key),
      onOpen: (session) => this.#opened(session),
      onClose: (session) => this.#closed(session),
    };
  }

  /** Sessions that stand. */
  get size(): number {
    return this.#held.size;
  }

  /** @throws CharterError `relayer/busy` when no further session can be begun. */
  requireRoom(address: string): void {
    if (this.#held.size + this.#opening.size >= this.#options.maxSessions) throw busy("sessions", 30);
    if (this.#opening.size >= MAX_OPENING || (this.#openingOf.get(address) ?? 0) >= MAX_OPENING_PER_ADDRESS) {
      throw busy("handshakes", 1);
    }
  }

  /** Begins a session over this wire, with the challenge. */
  begin(wire: Wire, address: string): GuestSession {
    const session = new GuestSession(this.#seams, wire, address);
    this.#opening.set(session, address);
    this.#openingOf.set(address, (this.#openingOf.get(address) ?? 0) + 1);
    return session;
  }

  /** Decides anew, a few at a time, every lease that may be concerned, and tells those that would be denied now. */
  redecide(touched: Touched): void {
    const concerned: GuestSession[] = [];
    for (const session of this.#held.values()) {
      const { whose } = session;
      if (whose === undefined) continue;
      const node = this.#options.nodeOf(whose.app, whose.key);
      if (node !== undefined && touched({ app: whose.app, node })) concerned.push(session);
    }
    const next = (): void => {
      for (const session of concerned.splice(0, CHUNK)) {
        const { whose } = session;
        const objection = whose === undefined ? null : this.#options.objection(whose.app, whose.key);
        if (objection !== null) session.tellDenied(objection);
      }
      if (concerned.length > 0) this.#later(next);
    };
    next();
  }

  /** Ends what was begun and not opened, and now and then what has been silent. */
  sweep(): void {
    const now = this.#now();
    for (const session of this.#opening.keys()) {
      if (now - session.heardAt > HANDSHAKE_SECONDS * 1_000)
        session.close(POLICY, "session/handshake-timeout");
    }
    if (now < this.#nextIdleSweep) return;
    this.#nextIdleSweep = now + IDLE_SWEEP_MS;
    for (const session of this.#held.values()) {
      if (now - session.heardAt > this.#options.idleSeconds * 1_000) session.close(POLICY, "session/idle");
    }
  }

  closeAll(): void {
    for (const session of [...this.#opening.keys(), ...this.#held.values()]) session.close(GOING_AWAY, "");
  }

  #opened(session: GuestSession): void {
    this.#handshakeOver(session);
    const { whose } = session;
    if (whose === undefined) return;
    const former = this.#held.get(whose.app, whose.key);
    if (former !== undefined) this.#count(former, -1);
    this.#held.set(whose.app, whose.key, session);
    session.node = this.#options.nodeOf(whose.app, whose.key);
    this.#count(session, 1);
    this.#options.onCount?.(this.#held.size);
    former?.close(POLICY, "session/replaced");
  }

  /** However many keys one machine attests, it never takes the last room from all others: half of what it left, at most. */
  #requireShare(app: Address, key: Address): void {
    if (this.#held.get(app, key) !== undefined) return; // In place of the one that stands.
    const node = this.#options.nodeOf(app, key);
    const free = this.#options.maxSessions - this.#held.size;
    if (node !== undefined && (this.#heldOf.get(node) ?? 0) > free) throw busy("sessions of this node", 30);
  }

  #count({ node }: GuestSession, change: 1 | -1): void {
    if (node === undefined) return;
    const count = (this.#heldOf.get(node) ?? 0) + change;
    if (count > 0) this.#heldOf.set(node, count);
    else this.#heldOf.delete(node);
  }

  #closed(session: GuestSession): void {
    this.#handshakeOver(session);
    const { whose } = session;
    if (whose === undefined || this.#held.get(whose.app, whose.key) !== session) return;
    this.#held.delete(whose.app, whose.key);
    this.#count(session, -1);
    this.#options.onCount?.(this.#held.size);
  }

  #handshakeOver(session: GuestSession): void {
    const address = this.#opening.get(session);
    if (address === undefined) return;
    this.#opening.delete(session);
    const left = (this.#openingOf.get(address) ?? 1) - 1;
    if (left > 0) this.#openingOf.set(address, left);
    else this.#openingOf.delete(address);
  }
}
