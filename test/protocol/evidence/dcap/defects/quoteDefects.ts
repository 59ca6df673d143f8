import { platform } from "../../simulated.ts";
import { keyOf } from "../forgery.ts";
import { flipped, layoutOf, resignedBody, resignedQe, type QuoteKind } from "../layout.ts";
import { makeQuote, SGX, TDX, type Case, type Defect } from "./defect.ts";
import { signRaw } from "../../../../../worker/tee/simulator/keys.ts";
import type { Random } from "../../../../support/random.ts";

type Range = (kind: QuoteKind) => readonly [from: number, to: number];

/** One flipped bit in a part of the quote, nothing signed anew. */
const flip = (name: string, range: Range): Defect => ({
  name: `flip: ${name}`,
  make: ({ kind, quote }, random) => {
    const [from, to] = range(kind);
    return { quote: flipped(quote, from + random.below(to - from), random.below(8)) };
  },
});

/** Other bytes in header or body, signed anew by the attestation key. */
const body = (
  name: string,
  offset: number,
  bytes: (random: Random) => readonly number[],
  kinds?: readonly QuoteKind[],
): Defect => ({
  name,
  ...(kinds ? { kinds } : {}),
  make: ({ kind, quote }, random) => ({
    quote: resignedBody(kind, quote, offset, bytes(random), platform.attestationKey),
  }),
});

/** Other bytes in the quoting enclave's report, signed anew by the PCK. */
const qe = (name: string, offset: number, bytes: (random: Random) => readonly number[]): Defect => ({
  name,
  make: ({ kind, quote }, random) => ({
    quote: resignedQe(kind, quote, offset, bytes(random), platform.pckKey),
  }),
});

const byte = (random: Random): number => 1 + random.below(255);
const BODY = 48;

const FLIPS: readonly Defect[] = [
  flip("version", () => [0, 2]),
  flip("attestation key type", () => [2, 4]),
  flip("TEE type", () => [4, 8]),
  flip("reserved and vendor", () => [8, 28]),
  flip("user data", () => [28, 48]),
  flip("report", (kind) => [BODY, layoutOf(kind).signatureLength]),
  flip("signature length", (kind) => [layoutOf(kind).signatureLength, layoutOf(kind).signature]),
  flip("quote signature", (kind) => [layoutOf(kind).signature, layoutOf(kind).attestationKey]),
  flip("attestation key", (kind) => [layoutOf(kind).attestationKey, layoutOf(kind).certification]),
  {
    ...flip("certification type", (kind) => [layoutOf(kind).certification, layoutOf(kind).certification + 2]),
    kinds: ["tdx4", "sgx4"],
  },
  {
    ...flip("certification size", (kind) => [layoutOf(kind).certification + 2, layoutOf(kind).qeReport]),
    kinds: ["tdx4", "sgx4"],
  },
  flip("QE report", (kind) => [layoutOf(kind).qeReport, layoutOf(kind).qeReportSignature]),
  flip("QE report signature", (kind) => [layoutOf(kind).qeReportSignature, layoutOf(kind).authLength]),
  flip("QE auth length", (kind) => [layoutOf(kind).authLength, layoutOf(kind).auth]),
  flip("QE auth data", (kind) => [layoutOf(kind).auth, layoutOf(kind).chainHeader]),
  flip("chain type", (kind) => [layoutOf(kind).chainHeader, layoutOf(kind).chainHeader + 2]),
];

/** The quote with the length of its PCK chain said to be `by` bytes less. */
function shortened({ kind, quote }: Case, by: number): Uint8Array {
  const copy = Uint8Array.from(quote);
  const view = new DataView(copy.buffer);
  const at = layoutOf(kind).chainHeader + 2;
  view.setUint32(at, view.getUint32(at, true) - by, true);
  return copy;
}

/** A TDX quote in version 5 with a named body (Intel TDX DCAP Quoting Library API §A.3). */
export function version5(
  { quote }: Case,
  type: number,
  more: Uint8Array = new Uint8Array(),
  size = 584 + more.length,
): Uint8Array {
  const { signatureLength, signature, attestationKey } = layoutOf("tdx4");
  const header = Uint8Array.from(quote.subarray(0, BODY));
  header[0] = 5;
  const name = new Uint8Array(6);
  new DataView(name.buffer).setUint16(0, type, true);
  new DataView(name.buffer).setUint32(2, size, true);
  const signed = Buffer.concat([header, name, quote.subarray(BODY, signatureLength), more]);
  return Buffer.concat([
    signed,
    quote.subarray(signatureLength, signature),
    signRaw(platform.attestationKey, signed),
    quote.subarray(attestationKey),
  ]);
}

const SHAPES: readonly Defect[] = [
  { name: "none", make: () => ({}) },
  {
    name: "truncated",
    make: ({ quote }, random) => ({ quote: quote.subarray(0, random.below(quote.length)) }),
  },
  {
    name: "zero padding",
    make: ({ quote }, random) => ({ quote: Buffer.concat([quote, new Uint8Array(1 + random.below(3000))]) }),
  },
  {
    name: "bytes after the quote",
    make: ({ quote }, random) => ({
      quote: Buffer.concat([quote, new Uint8Array(random.below(9)), Uint8Array.of(byte(random))]),
    }),
  },
  {
    name: "chain shorter than its certification data",
    make: (good) => ({ quote: shortened(good, 1) }),
  },
  { name: "version 4 of an enclave's quote", kinds: ["sgx4"], make: () => ({}) },
  { name: "version 5, TD 1.0", kinds: TDX, make: (good) => ({ quote: version5(good, 2) }) },
  {
    name: "version 5, TD 1.5",
    kinds: TDX,
    make: (good) => ({ quote: version5(good, 3, new Uint8Array(64)) }),
  },
  {
    name: "version 5 with a service TD",
    kinds: TDX,
    make: (good, random) => {
      const more = new Uint8Array(64);
      more[16 + random.below(48)] = byte(random);
      return { quote: version5(good, 3, more) };
    },
  },
  {
    name: "version 5 with a body of another size than it says",
    kinds: TDX,
    make: (good, random) => ({ quote: version5(good, 2, new Uint8Array(), 584 + 1 + random.below(64)) }),
  },
  {
    name: "version 5 with another body type",
    kinds: TDX,
    make: (good, random) => ({ quote: version5(good, random.pick([0, 1, 4, 0x102])) }),
  },
];

const SIGNERS: readonly Defect[] = [
  {
    name: "quote signed by another key",
    make: async ({ kind }) => ({ quote: await makeQuote(kind, platform, { signingKey: keyOf("stranger") }) }),
  },
  {
    name: "attestation key of another quoting enclave",
    make: async ({ kind, quote }) => {
      const { attestationKey, certification, signature } = layoutOf(kind);
      const theirs = await makeQuote(kind, { ...platform, attestationKey: keyOf("stranger") });
      const copy = Uint8Array.from(quote);
      copy.set(theirs.subarray(signature, certification), signature);
      copy.set(theirs.subarray(attestationKey, certification), attestationKey);
      return { quote: copy };
    },
  },
  {
    name: "QE report signed by another key",
    make: ({ kind, quote }) => ({ quote: resignedQe(kind, quote, 0, [], keyOf("stranger")) }),
  },
  qe("QE report data with a second half", 320 + 32, (random) => [byte(random)]),
  qe("QE report data of another key", 320, (random) => [random.below(256), random.below(256), byte(random)]),
  body("header of another QE vendor", 12, (random) => [0x92 ^ byte(random)]),
  body("header with reserved bytes and user data", 28, (random) => [byte(random), byte(random)]),
  body("header with another key type", 2, (random) => [random.pick([0, 1, 3, 4])]),
];

const bit =
  (...bits: readonly number[]) =>
  (random: Random): readonly number[] => [1 << random.pick(bits)];

const REPORTS: readonly Defect[] = [
  body("debug TD", BODY + 120, bit(0), TDX),
  body("TD with another untrusted attribute", BODY + 120, bit(1, 2, 3, 4, 5, 6, 7), TDX),
  body("TD with reserved attributes", BODY + 121, (random) => [byte(random), 0, 0x10], TDX),
  body("TD with LASS", BODY + 123, () => [0x18], TDX),
  body("migratable TD", BODY + 123, () => [0x30], TDX),
  body("TD with PKS, KL and PERFMON", BODY + 123, () => [0xd0, 0, 0, 0, 0x80], TDX),
  body("TD without SEPT_VE_DISABLE", BODY + 123, () => [0], TDX),
  body("TD with reserved attributes above", BODY + 124, (random) => [byte(random)], TDX),
  body("TD without x87 or SSE", BODY + 128, (random) => [random.pick([0xe4, 0xe5, 0xe6])], TDX),
  body("TD of another module signer", BODY + 64, (random) => [byte(random)], TDX),
  body("TD of a module with attributes", BODY + 112, (random) => [byte(random)], TDX),
  body("debug enclave", BODY + 48, () => [0x07], SGX),
  body("enclave not initialized or not 64-bit", BODY + 48, (random) => [random.pick([0x01, 0x04])], SGX),
  body("enclave with a launch key", BODY + 48, () => [0x25], SGX),
  body("enclave with a provisioning key, CET, KSS", BODY + 48, () => [0xd5, 0x04], SGX),
  body("enclave with reserved flags", BODY + 49, (random) => [random.pick([0x01, 0x08, 0x80])], SGX),
  body("enclave without x87 or SSE", BODY + 56, (random) => [random.pick([0xe4, 0xe5, 0xe6])], SGX),
  qe("debug QE", 48, () => [0x17]),
  qe("QE with another masked attribute", 48, () => [0x35]),
  qe("QE with an attribute outside the mask", 48, () => [0x11]),
  qe("QE with another MISCSELECT", 16, (random) => [byte(random)]),
  qe("QE of another signer", 128, (random) => [byte(random), byte(random), 0]),
  qe("QE of another product", 256, () => [9]),
  qe("QE with an old SVN", 258, () => [1]),
];

export const QUOTE_DEFECTS: readonly Defect[] = [...SHAPES, ...FLIPS, ...SIGNERS, ...REPORTS];
