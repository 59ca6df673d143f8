import { randomBytes } from "node:crypto";

import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import type { PrivateKeyAccount } from "viem/accounts";

import { quoteDigest } from "../../../protocol/evidence/dcap/quoteDigest.ts";
import { reportData } from "../../../protocol/evidence/reportData.ts";
import {
  instanceEntryTypes,
  leaseDomain,
  leaseRequestTypes,
  ledgerDomain,
  nodeEntryTypes,
  nodeRegistryDomain,
} from "../../../protocol/session/domains.ts";
import { chainInfoSchema } from "../../../protocol/session/messages.ts";
import type { ChainInfo, EvidenceMessage, LeaseRequest } from "../../../protocol/session/messages.ts";
import { fromHex, toHex } from "../../../protocol/words/hex.ts";
import type { Address, Bytes32, ComposeHash, Hex } from "../../../protocol/words/hex.ts";
import { SimulatedTdx } from "../../../worker/tee/simulator/SimulatedTdx.ts";
import { simulatedPlatform, type SimulatedPlatform } from "../../../worker/tee/simulator/platform.ts";
import type { TestPki } from "../../../worker/tee/simulator/pki.ts";

export interface Answer {
  readonly status: number;
  readonly body: {
    readonly error?: { readonly code: string; readonly details: Readonly<Record<string, unknown>> };
  } & Readonly<Record<string, unknown>>;
  /** Status and error code, for short comparisons. */
  readonly short: string;
}

export async function send(
  url: string,
  method: "GET" | "POST",
  path: string,
  body?: unknown,
): Promise<Answer> {
  const response = await fetch(url + path, {
    method,
    ...(body !== undefined && {
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    }),
  });
  const json = (await response.json()) as Answer["body"];
  return { status: response.status, body: json, short: `${response.status} ${json.error?.code ?? "ok"}` };
}

export const chainInfo = async (url: string): Promise<ChainInfo> =>
  chainInfoSchema.parse((await send(url, "GET", "/chain")).body);

export const newNonce = (): Bytes32 => toHex(randomBytes(32)) as Bytes32;

export const newKey = (): PrivateKeyAccount => privateKeyToAccount(generatePrivateKey());
const addressOf = (account: { address: Hex }) => account.address.toLowerCase() as Address;

/** Speaks to a relayer as a worker does (protocol/session/messages.ts), on one simulated platform. */
export class Worker {
  readonly #url: string;
  readonly #platform: SimulatedPlatform;

  constructor(url: string, pki: TestPki, platform: string) {
    this.#url = url;
    this.#platform = simulatedPlatform(pki, { name: platform });
  }

  /** Evidence of a TD that measured `composeHash`, bound to the newest final block. */
  async evidence(of: {
    purpose: "instance" | "node";
    subject: Address;
    key: Address;
    composeHash: ComposeHash;
    chainId?: number;
    debug?: boolean;
  }): Promise<EvidenceMessage> {
    const chain = await chainInfo(this.#url);
    const td = new SimulatedTdx(this.#platform, {
      debug: of.debug ?? false,
      ...(of.purpose === "instance" && { composeHash: of.composeHash }),
    });
    const extend = (name: string, payload: Uint8Array) => td.extend(name, payload);
    await extend("system-preparing", new Uint8Array());
    await extend("app-id", fromHex(of.subject));
    await extend("compose-hash", fromHex(of.composeHash));
    await extend("instance-id", fromHex(of.key));
    await extend("boot-mr-done", new Uint8Array());
    await extend("key-provider", Buffer.from('{"name":"none","id":""}'));
    await extend("system-ready", new Uint8Array());
    const binding = reportData({
      purpose: of.purpose,
      chainId: of.chainId ?? chain.chainId,
      consumer: of.purpose === "instance" ? chain.ledger : chain.nodeRegistry,
      subject: of.subject,
      key: of.key,
      blockNumber: BigInt(chain.finalized.number),
      blockHash: chain.finalized.hash,
    });
    const quoted = await td.quote(fromHex(binding));
    return { kind: "tdx", ...quoted, blockNumber: chain.finalized.number, blockHash: chain.finalized.hash };
  }

  /** `POST /nodes`. */
  async registerNode(operator: PrivateKeyAccount, key: PrivateKeyAccount): Promise<Answer> {
    const chain = await chainInfo(this.#url);
    const composeHash = `0x${"00".repeat(32)}` as ComposeHash;
    const subject = addressOf(operator);
    const evidence = await this.evidence({ purpose: "node", subject, key: addressOf(key), composeHash });
    const entry = {
      domain: nodeRegistryDomain(chain.chainId, chain.nodeRegistry),
      types: nodeEntryTypes,
      primaryType: "NodeEntry",
      message: {
        operator: subject,
        platformId: this.#platform.platformId,
        evidenceDigest: digestOf(evidence),
      },
    } as const;
    return send(this.#url, "POST", "/nodes", {
      operator: subject,
      key: addressOf(key),
      evidence,
      operatorSignature: await operator.signTypedData(entry),
      keySignature: await key.signTypedData(entry),
    });
  }

  /** `POST /instances` with evidence that may be anybody's; `signer` signs the entry. */
  async registerInstance(of: {
    app: Address;
    node: number;
    key: Address;
    signer: PrivateKeyAccount;
    evidence: EvidenceMessage;
  }): Promise<Answer> {
    const { app, node, key, signer, evidence } = of;
    const chain = await chainInfo(this.#url);
    const keySignature = await signer.signTypedData({
      domain: ledgerDomain(chain.chainId, chain.ledger),
      types: instanceEntryTypes,
      primaryType: "InstanceEntry",
      message: { app, evidenceDigest: digestOf(evidence) },
    });
    return send(this.#url, "POST", "/instances", { app, node, key, evidence, keySignature });
  }

  /** `POST /leases`, over a new nonce unless one is given. */
  async lease(app: Address, key: PrivateKeyAccount, nonce = newNonce()): Promise<Answer> {
    return send(this.#url, "POST", "/leases", await this.leaseRequest(app, key, nonce));
  }

  /** What `POST /leases` takes. */
  async leaseRequest(app: Address, key: PrivateKeyAccount, nonce = newNonce()): Promise<LeaseRequest> {
    const chain = await chainInfo(this.#url);
    const signature = await key.signTypedData({
      domain: leaseDomain(chain.chainId, chain.ledger),
      types: leaseRequestTypes,
      primaryType: "LeaseRequest",
      message: { app, nonce },
    });
    return { app, key: addressOf(key), nonce, signature };
  }
}

export const digestOf = ({ quote }: EvidenceMessage): Bytes32 => quoteDigest(fromHex(quote));
