import { CharterError } from "../../protocol/errors/CharterError.ts";

/** A ClientHello is a few hundred bytes, with post-quantum key shares about two thousand. */
export const MAX_HELLO_BYTES = 16_384;

const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
const HOST_NAME = 0;
/** RFC 8446 §5.1: a record of plaintext carries at most 2^14 bytes. */
const MAX_RECORD_BYTES = 16_384;

/**
 * The server name of a TLS ClientHello (RFC 8446 §4.1.2, RFC 6066 §3), in lower case; null where it names none;
 * undefined while more bytes are needed. Nothing is decrypted: the name travels in the clear.
 * @throws CharterError `gateway/not-tls` for bytes that begin no ClientHello, or one beyond `MAX_HELLO_BYTES`.
 */
export function readServerName(bytes: Buffer): string | null | undefined {
  const handshake = handshakeBytes(bytes);
  if (handshake.length < 4) return undefined;
  if (handshake[0] !== CLIENT_HELLO) throw notTls("a ClientHello");
  const length = handshake.readUIntBE(1, 3);
  if (length > MAX_HELLO_BYTES) throw notTls(`a ClientHello of at most ${MAX_HELLO_BYTES} bytes`);
  if (handshake.length < 4 + length) {
    if (bytes.length > 2 * MAX_HELLO_BYTES) throw notTls("records that carry more than their own headers");
    return undefined;
  }
  const hello = new Cursor(handshake.subarray(4, 4 + length));
  hello.take(2 + 32); // legacy_version, random
  hello.vector(1); // legacy_session_id
  hello.vector(2); // cipher_suites
  hello.vector(1); // legacy_compression_methods
  if (hello.isAtEnd) return null;
  const extensions = new Cursor(hello.vector(2));
  if (!hello.isAtEnd) throw notTls("nothing behind the extensions");
  let name: string | null = null;
  while (!extensions.isAtEnd) {
    const type = extensions.number(2);
    const body = extensions.vector(2);
    if (type !== SERVER_NAME) continue;
    if (name !== null) throw notTls("one server name");
    name = hostName(body);
  }
  return name;
}

/**
 * At least so many bytes more must come before the name of these can be known. A client that sends one byte at a time would
 * otherwise have all before it read again for each.
 * @throws CharterError as `readServerName`.
 */
export function bytesMissing(bytes: Buffer): number {
  const handshake = handshakeBytes(bytes);
  return Math.max(1, endOf(handshake, handshake.length) - handshake.length);
}

/** The payloads of the records so far, put together up to the hello's end: it may be cut anywhere. */
function handshakeBytes(bytes: Buffer): Buffer {
  const message = Buffer.alloc(Math.min(bytes.length, 4 + MAX_HELLO_BYTES));
  let size = 0;
  for (let at = 0; at < bytes.length && size < endOf(message, size);) {
    if (bytes[at] !== HANDSHAKE) throw notTls("a handshake record");
    if (bytes.length < at + 5) break;
    if (bytes[at + 1] !== 3) throw notTls("a record of TLS 1.x");
    const length = bytes.readUInt16BE(at + 3);
    if (length === 0 || length > MAX_RECORD_BYTES) throw notTls(`1 to ${MAX_RECORD_BYTES} bytes in a record`);
    size += bytes.copy(message, size, at + 5, at + 5 + length);
    at += 5 + length;
  }
  return message.subarray(0, size);
}

/** Where the message ends; while its header is not there yet, behind that. What follows a whole hello is not ours to read. */
const endOf = (message: Buffer, size: number): number => (size < 4 ? 4 : 4 + message.readUIntBE(1, 3));

function hostName(body: Buffer): string {
  const outer = new Cursor(body);
  const names = new Cursor(outer.vector(2));
  if (!outer.isAtEnd) throw notTls("one list of server names");
  let found: string | null = null;
  while (!names.isAtEnd) {
    const type = names.number(1);
    const name = names.vector(2).toString("latin1");
    if (type !== HOST_NAME) continue;
    // RFC 6066 §3: no more than one name of a type.
    if (found !== null || !/^[A-Za-z0-9._-]{1,253}$/.test(name)) throw notTls("one host name in ASCII");
    found = name.toLowerCase();
  }
  if (found === null) throw notTls("a host name");
  return found;
}

const notTls = (expected: string): CharterError =>
  new CharterError("gateway/not-tls", "these bytes begin no TLS connection", { expected });

/** Reads big-endian numbers and vectors; every length is checked. */
class Cursor {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  take(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw notTls("lengths that the message holds");
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  number(size: 1 | 2): number {
    return this.take(size).readUIntBE(0, size);
  }

  vector(lengthSize: 1 | 2): Buffer {
    return this.take(this.number(lengthSize));
  }
}
