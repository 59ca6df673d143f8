import { z } from "zod";

import { CharterError, isCharterError } from "../../protocol/errors/CharterError.ts";
import { MAX_MANIFEST_BYTES } from "../../protocol/manifest/manifest.ts";
import {
  acceptedSchema,
  chainInfoSchema,
  nodeInfoSchema,
  placementsSchema,
  releaseInfoSchema,
  signedLeaseSchema,
  type Accepted,
  type ChainInfo,
  type DrainMessage,
  type InstanceRegistration,
  type LeaseRequest,
  type NodeInfo,
  type NodeRegistration,
  type Placements,
  type ReleaseInfo,
} from "../../protocol/session/messages.ts";
import type { EndpointReport } from "../../protocol/session/endpoints.ts";
import type { SignedKeyBinding } from "../../protocol/keys/keyBinding.ts";
import { deliverySchema, keyBindingMessage, type Delivery } from "../../protocol/session/secretMessages.ts";
import {
  outlookAnswerSchema,
  type NodeReportMessage,
  type Outlook,
} from "../../protocol/session/nodeReport.ts";
import { POLL_HEADER, writePoll, type NodePoll } from "../../protocol/session/nodePoll.ts";
import type { SignedLease } from "../../protocol/session/lease.ts";
import type { Address, Bytes32 } from "../../protocol/words/hex.ts";
import { readBounded } from "./readBounded.ts";

const MAX_ANSWER_BYTES = 1_048_576;

const refusalSchema = z.object({
  error: z.object({
    code: z
      .string()
      .max(128)
      .regex(/^[a-z0-9-]+\/[a-z0-9-]+$/),
    message: z.string().max(2_000),
    details: z.record(z.string(), z.unknown()).default({}),
  }),
});

/**
 * One relayer, spoken to in the messages of protocol/session. Nothing that it says is trusted for being said: manifests
 * are hashed and leases verified by the caller.
 *
 * Every method throws a `CharterError`: the relayer's own refusal by its own code, or `relayer/unreachable`,
 * `relayer/answer-too-large`, `relayer/malformed-answer`.
 */
export class RelayerClient {
  readonly url: string;
  readonly #timeoutMs: number;

  constructor(url: string, timeoutMs = 20_000) {
    this.url = url.replace(/\/+$/, "");
    this.#timeoutMs = timeoutMs;
  }

  chain(signal?: AbortSignal): Promise<ChainInfo> {
    return this.#json("GET", "/chain", chainInfoSchema, undefined, signal);
  }

  /** The bytes that the relayer keeps under a CID, unchecked, at most so many. */
  blob(cid: string, signal?: AbortSignal, maxBytes = MAX_MANIFEST_BYTES): Promise<Uint8Array> {
    return this.#request("GET", `/ipfs/${cid}`, maxBytes, undefined, signal);
  }

  /** A release of an app as the final block has it. @throws CharterError `release/unknown`. */
  release(app: Address, number: number, signal?: AbortSignal): Promise<ReleaseInfo> {
    return this.#json("GET", `/apps/${app}/releases/${number}`, releaseInfoSchema, undefined, signal);
  }

  registerNode(message: NodeRegistration, signal?: AbortSignal): Promise<Accepted> {
    return this.#json("POST", "/nodes", acceptedSchema, message, signal);
  }

  /** The node of that key in the final block. @throws CharterError `node/unknown` until then. */
  node(key: Address, signal?: AbortSignal): Promise<NodeInfo> {
    return this.#json("GET", `/nodes/${key}`, nodeInfoSchema, undefined, signal);
  }

  /**
   * @param unlike digest of the placements that are known: the relayer may wait for others before it answers.
   * @param poll by the node's key: the relayer hears that its agent is there.
   */
  placements(key: Address, signal?: AbortSignal, unlike?: Bytes32, poll?: NodePoll): Promise<Placements> {
    const query = unlike === undefined ? "" : `?unlike=${unlike}`;
    const headers = poll === undefined ? {} : { [POLL_HEADER]: writePoll(poll) };
    return this.#json(
      "GET",
      `/nodes/${key}/placements${query}`,
      placementsSchema,
      undefined,
      signal,
      headers,
    );
  }

  /** An operator's word on a node of theirs. */
  async drain(message: DrainMessage, signal?: AbortSignal): Promise<void> {
    await this.#json("POST", "/drains", z.strictObject({}), message, signal);
  }

  /** Tells what a node says of itself; gives what the relayer foresees for it, null before it has looked. */
  async report(key: Address, message: NodeReportMessage, signal?: AbortSignal): Promise<Outlook | null> {
    const path = `/nodes/${key}/report`;
    return (await this.#json("POST", path, outlookAnswerSchema, message, signal)).outlook;
  }

  /** The same without a report. */
  async outlook(key: Address, signal?: AbortSignal): Promise<Outlook | null> {
    const path = `/nodes/${key}/outlook`;
    return (await this.#json("GET", path, outlookAnswerSchema, undefined, signal)).outlook;
  }

  registerInstance(message: InstanceRegistration, signal?: AbortSignal): Promise<Accepted> {
    return this.#json("POST", "/instances", acceptedSchema, message, signal);
  }

  lease(message: LeaseRequest, signal?: AbortSignal): Promise<SignedLease> {
    return this.#json("POST", "/leases", signedLeaseSchema, message, signal);
  }

  /** Tells where an instance answers TLS. */
  async tellEndpoint(message: EndpointReport, signal?: AbortSignal): Promise<void> {
    await this.#request("POST", "/instances/endpoint", MAX_ANSWER_BYTES, message, signal);
  }

  /** Tells an app's public key under the instance's signature. */
  async publishBinding(binding: SignedKeyBinding, signal?: AbortSignal): Promise<void> {
    await this.#json("POST", "/bindings", z.object({}), keyBindingMessage(binding), signal);
  }

  /** The app's secrets, sealed, where a lease would be granted for the same request; the signature is not checked here. */
  secrets(message: LeaseRequest, signal?: AbortSignal): Promise<Delivery> {
    return this.#json("POST", "/secrets/deliveries", deliverySchema, message, signal);
  }

  async #json<T>(
    method: "GET" | "POST",
    path: string,
    schema: z.ZodType<T>,
    body: unknown,
    signal: AbortSignal | undefined,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<T> {
    const bytes = await this.#request(method, path, MAX_ANSWER_BYTES, body, signal, headers);
    const parsed = schema.safeParse(parseJson(bytes));
    if (parsed.success) return parsed.data;
    throw new CharterError(
      "relayer/malformed-answer",
      "the relayer's answer has another shape than documented",
      {
        relayer: this.url,
        path,
        issues: parsed.error.issues.slice(0, 10).map((issue) => `${issue.path.join(".")}: ${issue.message}`),
      },
    );
  }

  async #request(
    method: "GET" | "POST",
    path: string,
    maxBytes: number,
    body: unknown,
    signal: AbortSignal | undefined,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Uint8Array> {
    const timeout = AbortSignal.timeout(this.#timeoutMs);
    try {
      const response = await fetch(`${this.url}${path}`, {
        method,
        redirect: "error",
        signal: signal ? AbortSignal.any([timeout, signal]) : timeout,
        ...(body === undefined
          ? { headers }
          : { headers: { ...headers, "content-type": "application/json" }, body: JSON.stringify(body) }),
      });
      const bytes = await readBounded(response, response.ok ? maxBytes : MAX_ANSWER_BYTES);
      if (response.ok) return bytes;
      throw this.#refusal(response.status, path, bytes);
    } catch (cause) {
      if (isCharterError(cause)) throw cause;
      throw new CharterError(
        "relayer/unreachable",
        "the relayer did not answer",
        { relayer: this.url, path },
        { cause },
      );
    }
  }

  #refusal(status: number, path: string, bytes: Uint8Array): CharterError {
    const parsed = refusalSchema.safeParse(parseJson(bytes));
    if (parsed.success) {
      const { code, message, details } = parsed.data.error;
      return new CharterError(code, message, { ...details, relayer: this.url });
    }
    return new CharterError("relayer/malformed-answer", "the relayer refused without a documented error", {
      relayer: this.url,
      path,
      status,
    });
  }
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8")) as unknown;
  } catch {
    return undefined; // No schema accepts it.
  }
}
