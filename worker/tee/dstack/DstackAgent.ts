import { DstackClient } from "@phala/dstack-sdk";
import { z } from "zod";

import { CharterError } from "../../../protocol/errors/CharterError.ts";

/** Where dstack's guest agent listens (dstack 0.5: the first that exists). */
export const DSTACK_SOCKETS: readonly string[] = [
  "/var/run/dstack.sock",
  "/run/dstack.sock",
  "/var/run/dstack/dstack.sock",
  "/run/dstack/dstack.sock",
];

const hex = (bytes: number) => z.string().regex(new RegExp(`^(?:0x)?[0-9a-fA-F]{${2 * bytes}}$`));
const infoSchema = z.looseObject({
  app_id: hex(20),
  compose_hash: hex(32),
  device_id: hex(32),
  key_provider_info: z.string().max(65_536).default(""),
});
const quoteSchema = z.looseObject({
  quote: z
    .string()
    .max(2 * 65_536)
    .regex(/^(?:[0-9a-fA-F]{2})+$/),
  event_log: z.string().max(1_048_576),
  vm_config: z.string().min(1).max(65_536),
});

/**
 * dstack's guest agent behind its own SDK. The SDK looks at little of what comes back (an `EmitEvent` that failed resolves
 * like one that did not), so every answer is read strictly here.
 */
export class DstackAgent {
  readonly #client: DstackClient;
  readonly socket: string;

  /** @throws CharterError `tee/agent-absent` where there is no such socket. */
  constructor(socket: string) {
    this.socket = socket;
    try {
      this.#client = new DstackClient(socket);
    } catch (cause) {
      throw new CharterError(
        "tee/agent-absent",
        "no dstack guest agent at this socket",
        { socket },
        { cause },
      );
    }
  }

  /** What the agent says of its TD. @throws CharterError `tee/agent-failed`, `tee/agent-malformed`. */
  async info(): Promise<z.output<typeof infoSchema>> {
    return this.#read("Info", infoSchema, await this.#ask("Info", () => this.#client.info()));
  }

  /** A quote over 64 bytes, hex without 0x, as dstack writes it. @throws as `info`. */
  async quote(reportData: Uint8Array): Promise<z.output<typeof quoteSchema>> {
    return this.#read(
      "GetQuote",
      quoteSchema,
      await this.#ask("GetQuote", () => this.#client.getQuote(reportData)),
    );
  }

  /** Extends RTMR3. That it happened is seen in the next quote's event log only. @throws as `info`. */
  async emitEvent(event: string, payload: Uint8Array): Promise<void> {
    await this.#ask("EmitEvent", () => this.#client.emitEvent(event, payload));
  }

  /** 32 bytes that this app, and no other, gets again at the same path on any machine. @throws as `info`. */
  async key(path: string, purpose: string): Promise<Uint8Array> {
    const { key } = await this.#ask("GetKey", () => this.#client.getKey(path, purpose));
    if (key.length !== 32) throw malformed("GetKey", `a key of 32 bytes, not ${key.length}`);
    return key;
  }

  async #ask<T>(method: string, call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (cause) {
      const { socket } = this;
      throw new CharterError(
        "tee/agent-failed",
        "dstack's guest agent did not answer",
        { method, socket },
        { cause },
      );
    }
  }

  #read<S extends z.ZodType>(method: string, schema: S, answer: unknown): z.output<S> {
    const parsed = schema.safeParse(answer);
    if (parsed.success) return parsed.data;
    throw malformed(
      method,
      parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; "),
    );
  }
}

const malformed = (method: string, problem: string): CharterError =>
  new CharterError("tee/agent-malformed", "dstack's guest agent answered in an unknown form", {
    method,
    problem,
  });
