import type { PrivateKeyAccount } from "viem/accounts";

import { isCharterError } from "../../../protocol/errors/CharterError.ts";
import type { AttestationMessage } from "../../../protocol/session/attestation.ts";
import { endpointTypes, leaseDomain } from "../../../protocol/session/domains.ts";
import type { EndpointReport } from "../../../protocol/session/endpoints.ts";
import type { Address } from "../../../protocol/words/hex.ts";
import type { Clock } from "../../clock.ts";
import type { RelayerClient } from "../../session/RelayerClient.ts";
import type { Runtime } from "../compose/Runtime.ts";
import type { GuestConfig } from "../config.ts";
import { reported, type GuestState } from "../state.ts";
import { AttestedServer } from "./AttestedServer.ts";
import { knownAddress } from "./knownAddress.ts";
import { tlsIdentity, type TlsIdentity } from "./TlsIdentity.ts";

export interface TlsFrontOptions {
  readonly chainId: number;
  readonly ledger: Address;
  readonly app: Address;
  readonly account: PrivateKeyAccount;
  readonly relayers: readonly RelayerClient[];
  readonly runtime: Runtime;
  /** From the manifest: whom clients reach. */
  readonly to: { readonly service: string; readonly port: number };
  readonly listen: NonNullable<GuestConfig["tls"]>;
  readonly attestation: () => AttestationMessage | null;
  readonly clock: Clock;
  /** Unix seconds: certificates end by the world's time. */
  readonly unixNow: () => number;
  readonly report: (state: GuestState) => void;
}

/** A key lives for an hour, and is replaced after half of it. */
const LIFETIME_SECONDS = 3_600;
/** A relayer's clock is taken for an endpoint's end where it is no further from ours. */
const MOST_OFF_SECONDS = 3_600;
/** Relayers are told where this instance answers so often, for three times as long. */
const TELL_SECONDS = 30;

/** An app's attested TLS: server, keys that are replaced in time, and relayers that know where it answers. */
export class TlsFront {
  readonly #options: TlsFrontOptions;
  readonly #server: AttestedServer;
  readonly #port: number;
  #identity: TlsIdentity;
  #complaint = "";

  private constructor(options: TlsFrontOptions, server: AttestedServer, identity: TlsIdentity, port: number) {
    this.#options = options;
    this.#server = server;
    this.#identity = identity;
    this.#port = port;
  }

  /** @throws CharterError `tls/cannot-listen`. */
  static async open(options: TlsFrontOptions): Promise<TlsFront> {
    const { listen, runtime, to, attestation, report, account, clock } = options;
    const identity = await freshIdentity(options);
    const address = knownAddress(() => runtime.address(to.service, AbortSignal.timeout(5_000)), clock);
    const server = new AttestedServer({
      identity,
      attestation,
      target: async () => {
        const host = await address();
        return host === null ? null : { host, port: to.port };
      },
    });
    const port = await server.listen(listen.host, listen.port);
    report({ state: "tls", key: account.address, host: listen.publicHost ?? listen.host, port });
    return new TlsFront(options, server, identity, port);
  }

  /** Until the signal is given: keys are replaced and relayers told. Then every connection is cut off. */
  async run(ended: AbortSignal): Promise<void> {
    const { clock, unixNow } = this.#options;
    try {
      while (!ended.aborted) {
        if (this.#identity.notAfter - unixNow() < LIFETIME_SECONDS / 2) {
          this.#identity = await freshIdentity(this.#options);
          this.#server.renew(this.#identity);
        }
        await this.#tell(ended);
        await clock.sleep(TELL_SECONDS * 1_000, ended);
      }
    } finally {
      await this.close();
    }
  }

  close(): Promise<void> {
    return this.#server.close();
  }

  /** Every relayer, as gateways may ask any. One that is not told finds no way to this instance, and nothing else. */
  async #tell(ended: AbortSignal): Promise<void> {
    const { relayers, report } = this.#options;
    const told = await Promise.allSettled(relayers.map((relayer) => this.#tellOne(relayer, ended)));
    if (ended.aborted) return;
    const failed = told.find((one) => one.status === "rejected");
    const code = failed !== undefined && isCharterError(failed.reason) ? failed.reason.code : "";
    if (failed !== undefined && code !== this.#complaint) {
      report({ state: "endpoint-not-told", error: reported(failed.reason) });
    }
    this.#complaint = code;
  }

  /** By this machine's clock, or by the relayer's where that is minutes off: clients would find no way for so little. */
  async #tellOne(relayer: RelayerClient, ended: AbortSignal): Promise<void> {
    const { unixNow } = this.#options;
    try {
      await relayer.tellEndpoint(await this.#endpoint(unixNow()), ended);
    } catch (error) {
      const theirs = clockOf(error);
      if (theirs === null || Math.abs(theirs - unixNow()) > MOST_OFF_SECONDS) throw error;
      await relayer.tellEndpoint(await this.#endpoint(theirs), ended);
    }
  }

  async #endpoint(now: number): Promise<EndpointReport> {
    const { chainId, ledger, app, account, listen } = this.#options;
    const message = {
      app,
      host: listen.publicHost ?? listen.host,
      port: this.#port,
      until: now + 3 * TELL_SECONDS,
    };
    const signature = await account.signTypedData({
      domain: leaseDomain(chainId, ledger),
      types: endpointTypes,
      primaryType: "InstanceEndpoint",
      message,
    });
    return { ...message, key: account.address.toLowerCase() as Address, signature };
  }
}

/** Unix seconds of the relayer that refused an endpoint for its end; null for any other refusal. */
function clockOf(error: unknown): number | null {
  if (!isCharterError(error) || error.code !== "endpoint/until") return null;
  const [soonest] = Array.isArray(error.details.expected) ? (error.details.expected as unknown[]) : [];
  return Number.isSafeInteger(soonest) ? (soonest as number) : null;
}

const freshIdentity = ({ chainId, ledger, app, account, unixNow }: TlsFrontOptions): Promise<TlsIdentity> =>
  tlsIdentity({ chainId, ledger, app, account, now: unixNow(), lifetimeSeconds: LIFETIME_SECONDS });
