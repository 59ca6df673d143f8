import type { KeyObject } from "node:crypto";

import { deriveKey, labelled, signRaw } from "../keys.ts";
import * as cbor from "./cbor.ts";
import { enclaveCertificate, type NitroPki } from "./nitroPki.ts";

/** Image that the simulated enclave runs. */
export const NITRO_IMAGE = [0, 1, 2].map((index) => labelled(`charter simulated enclave PCR${index}`, 48));

export interface NitroDefects {
  /** Debug mode: every PCR is zero. */
  readonly debug?: boolean;
  /** Milliseconds since the epoch; default a second after the enclave's certificate begins. */
  readonly timestamp?: number;
  /** Signs by a key that the certificate is not for. */
  readonly key?: KeyObject;
  /** In place of the PKI's bundle. */
  readonly cabundle?: readonly Uint8Array[];
  /** The enclave's certificate says that it is a CA. */
  readonly leafIsCa?: boolean;
  /** Protected header in CBOR; default {1: -35}. */
  readonly header?: Uint8Array;
  /** Unprotected header; default empty. */
  readonly unprotected?: Uint8Array;
  /** Entries put behind the others. */
  readonly extra?: readonly (readonly [string, Uint8Array])[];
  /** Fields left out. */
  readonly without?: readonly string[];
  /** PCRs, in place of the image's. */
  readonly pcrs?: readonly (readonly [number, Uint8Array])[];
  /** Writes COSE's tag before the document. */
  readonly tagged?: boolean;
}

export interface NitroBinding {
  readonly userData?: Uint8Array;
  readonly nonce?: Uint8Array;
  readonly publicKey?: Uint8Array;
}

const ES384 = Buffer.from("a1013822", "hex");
const COSE_SIGN1_TAG = Buffer.from([0xd2]);

/** One simulated enclave: attestation documents as AWS's hypervisor signs them. */
export class SimulatedNitro {
  readonly #pki: NitroPki;
  /** Unix seconds at which its certificate begins. */
  readonly #from: number;

  constructor(pki: NitroPki, from = pki.notBefore) {
    this.#pki = pki;
    this.#from = from;
  }

  attest({ userData, nonce, publicKey }: NitroBinding = {}, defects: NitroDefects = {}): Uint8Array {
    const own = deriveKey(this.#pki.secret, "enclave", "P-384");
    const { key = own, header = ES384, unprotected = cbor.map([]), debug = false } = defects;
    const certificate = enclaveCertificate(this.#pki, {
      key: own,
      from: this.#from,
      ...(defects.leafIsCa === true ? { ca: 0 } : {}),
    });
    const image = NITRO_IMAGE.map((pcr, i) => [i, debug ? Buffer.alloc(48) : pcr] as const);
    const rest = Array.from({ length: 13 }, (_, i) => [i + 3, Buffer.alloc(48)] as const);
    const pcrs = defects.pcrs ?? [...image, ...rest];
    const optional = (value: Uint8Array | undefined): Uint8Array =>
      value ? cbor.bytes(value) : cbor.nothing;
    const fields: (readonly [string, Uint8Array])[] = [
      ["module_id", cbor.text("i-0827e799ec9232d44-enc019b55a68bd2ed4b")],
      ["digest", cbor.text("SHA384")],
      ["timestamp", cbor.uint(defects.timestamp ?? (this.#from + 1) * 1000)],
      ["pcrs", cbor.map(pcrs.map(([index, value]) => [cbor.uint(index), cbor.bytes(value)]))],
      ["certificate", cbor.bytes(certificate)],
      ["cabundle", cbor.array((defects.cabundle ?? this.#pki.cabundle).map(cbor.bytes))],
      ["public_key", optional(publicKey)],
      ["user_data", optional(userData)],
      ["nonce", optional(nonce)],
    ];
    const kept = fields.filter(([name]) => !defects.without?.includes(name));
    const payload = cbor.openMap(
      [...kept, ...(defects.extra ?? [])].map(([name, value]) => [cbor.text(name), value]),
    );
    const signed = cbor.array([
      cbor.text("Signature1"),
      cbor.bytes(header),
      cbor.bytes(Buffer.alloc(0)),
      cbor.bytes(payload),
    ]);
    const document = cbor.array([
      cbor.bytes(header),
      unprotected,
      cbor.bytes(payload),
      cbor.bytes(signRaw(key, signed)),
    ]);
    return Uint8Array.from(defects.tagged === true ? Buffer.concat([COSE_SIGN1_TAG, document]) : document);
  }
}
