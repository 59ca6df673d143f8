import { toPem, type CertificateRequest } from "../../../../../worker/tee/simulator/certificate.ts";
import * as der from "../../../../../worker/tee/simulator/der.ts";
import { createTestPki } from "../../../../../worker/tee/simulator/pki.ts";
import { simulatedPlatform } from "../../../../../worker/tee/simulator/platform.ts";
import { SGX_EXTENSIONS } from "../../../../../worker/tee/simulator/sgxExtensions.ts";
import type { Random } from "../../../../support/random.ts";
import { AT, pki, platform } from "../../simulated.ts";
import {
  blocksOf,
  certificate,
  chained,
  elementsOf,
  firstOf,
  keyOf,
  pckCertificate,
  reshaped,
  withExtensions,
} from "../forgery.ts";
import { makeQuote, type Defect } from "./defect.ts";

type Chain = readonly (Uint8Array | string)[];

const CA = pki.file.platformCa;
const ROOT = pki.file.root;
const [LEAF = ""] = blocksOf(platform.pckChain);
const impostor = createTestPki({ notBefore: AT - 1000, secret: new Uint8Array(32).fill(9) });
const impostorChain = simulatedPlatform(impostor, { name: "one" }).pckChain;

/** A quote whose PCK chain is this one. */
const chain = (name: string, make: (random: Random) => Chain): Defect => ({
  name,
  make: async ({ kind }, random) => ({ quote: await makeQuote(kind, chained(...make(random))) }),
});

/** A chain whose text was changed; `null` where this text cannot have the change. */
const text = (name: string, change: (pem: string, random: Random) => string): Defect =>
  chain(name, (random) => [change(platform.pckChain, random)]);

const replaced = (pem: string, offset: number, by: string): string =>
  pem.slice(0, offset) + by + pem.slice(offset + 1);

/** Offsets of the characters that a pattern finds. */
const offsetsOf = (pem: string, pattern: RegExp): number[] => [...pem.matchAll(pattern)].map((m) => m.index);

const flippedAt = (pem: string, offset: number, bit: number): string =>
  replaced(pem, offset, String.fromCharCode(pem.charCodeAt(offset) ^ (1 << bit)));

/** A CA certificate as the root issues it, but for this. */
const ca = (request: Partial<CertificateRequest> = {}): Buffer =>
  certificate({ issuer: pki.root, ca: 0, ...request });

const without = (id: string): Buffer =>
  withExtensions(ca(), pki.root.key, (list) => list.filter((each) => !each.includes(der.objectId(id))));

const reshapedPck = (change: (fields: Buffer[]) => readonly Uint8Array[]): Buffer =>
  reshaped(firstOf(LEAF), pki.platformCa.key, change);

/** A PCK certificate whose length leaves base64 padding, so that its last digit has bits that nothing reads. */
function paddedPck(): string {
  for (;;) {
    const pem = toPem(pckCertificate());
    if (pem.includes("=")) return pem;
  }
}

const ORDER: readonly Defect[] = [
  chain("chain in another order", (random) =>
    random.pick([
      [CA, LEAF, ROOT],
      [LEAF, ROOT, CA],
      [ROOT, CA, LEAF],
    ]),
  ),
  chain("chain without its PCK certificate", () => [CA, ROOT]),
  chain("chain without its CA", () => [LEAF, ROOT]),
  chain("chain without its root", () => [LEAF, CA]),
  chain("chain with its PCK certificate twice", () => [LEAF, LEAF, CA, ROOT]),
  chain("chain with its CA twice", () => [LEAF, CA, CA, ROOT]),
  chain("chain with its root twice", () => [LEAF, CA, ROOT, ROOT]),
  chain("no chain", () => [""]),
];

const FORGED: readonly Defect[] = [
  chain("chain of another vendor", () => [impostorChain]),
  chain("chain of another vendor with the real root at its end", () => [
    ...blocksOf(impostorChain).slice(0, 2),
    ROOT,
  ]),
  chain("PCK certificate signed by another key", () => [
    pckCertificate({ issuer: { ...pki.platformCa, key: keyOf("forger") } }),
    CA,
    ROOT,
  ]),
  chain("PCK certificate of another key than the QE's", () => [
    pckCertificate({ key: keyOf("other") }),
    CA,
    ROOT,
  ]),
  chain("leaf signed by a leaf", () => [
    pckCertificate({
      issuer: { name: "Intel SGX PCK Certificate", key: platform.pckKey },
      key: keyOf("second"),
    }),
    LEAF,
    CA,
    ROOT,
  ]),
];

const USES: readonly Defect[] = [
  chain("CA without the CA flag", () => [LEAF, certificate({ issuer: pki.root }), ROOT]),
  chain("CA without basicConstraints", () => [LEAF, without("2.5.29.19"), ROOT]),
  chain("CA without keyUsage", () => [LEAF, without("2.5.29.15"), ROOT]),
  chain("CA on P-384", () => {
    const issuer = { name: pki.platformCa.name, key: keyOf("CA", "P-384") };
    return [pckCertificate({ issuer }), ca({ key: issuer.key }), ROOT];
  }),
  chain("CA below a CA that allows none", () => {
    const issuer = { name: "Intel SGX PCK Processor CA", key: keyOf("sub CA") };
    const sub = ca({ issuer: pki.platformCa, subject: issuer.name, key: issuer.key });
    return [pckCertificate({ issuer }), sub, CA, ROOT];
  }),
  chain("PCK certificate of another name", () => [
    pckCertificate({ subject: "Intel SGX TCB Signing" }),
    CA,
    ROOT,
  ]),
  chain("PCK certificate that is a CA", () => [pckCertificate({ ca: 0 }), CA, ROOT]),
  chain("CA of another name", () => [
    pckCertificate({ issuer: { ...pki.platformCa, name: "Charter CA" } }),
    ca({ subject: "Charter CA" }),
    ROOT,
  ]),
  chain("issuer's name that is not the CA's", () => [
    pckCertificate({ issuer: { ...pki.platformCa, name: "Intel SGX PCK Processor CA" } }),
    CA,
    ROOT,
  ]),
  chain("processor CA", () => {
    const issuer = { name: "Intel SGX PCK Processor CA", key: pki.platformCa.key };
    return [pckCertificate({ issuer }), ca({ subject: issuer.name }), ROOT];
  }),
];

const FORMS: readonly Defect[] = [
  chain("extension that stands twice", () => [
    withExtensions(firstOf(LEAF), pki.platformCa.key, (list) => [...list, list[2] as Buffer]),
    CA,
    ROOT,
  ]),
  chain("SGX extensions that stand twice", () => [
    withExtensions(firstOf(LEAF), pki.platformCa.key, (list) => [...list, list.at(-1) as Buffer]),
    CA,
    ROOT,
  ]),
  chain("SGX extension that has its FMSPC twice", () => [
    pckCertificate({ extensions: [[SGX_EXTENSIONS, doubledFmspc()]] }),
    CA,
    ROOT,
  ]),
  chain("no SGX extensions", () => [pckCertificate({ extensions: [] }), CA, ROOT]),
  chain("unknown critical extension", () => [
    withExtensions(firstOf(LEAF), pki.platformCa.key, (list) => [
      ...list,
      der.sequence(der.objectId("1.3.6.1.4.1.99999.1"), der.yes(), der.octets(der.nothing())),
    ]),
    CA,
    ROOT,
  ]),
  chain("unknown extension that is not critical", () => [
    withExtensions(firstOf(LEAF), pki.platformCa.key, (list) => [
      ...list,
      der.sequence(der.objectId("1.3.6.1.4.1.99999.1"), der.octets(der.nothing())),
    ]),
    CA,
    ROOT,
  ]),
  chain("serial number that is not minimal", () => [
    reshapedPck(([version, , ...rest]) => [version as Buffer, Buffer.from([2, 2, 0, 0x41]), ...rest]),
    CA,
    ROOT,
  ]),
  chain("serial number below zero", () => [
    reshapedPck(([version, , ...rest]) => [version as Buffer, Buffer.from([2, 1, 0x81]), ...rest]),
    CA,
    ROOT,
  ]),
  chain("length that is not minimal", () => [
    reshapedPck(([version, , ...rest]) => [version as Buffer, Buffer.from([2, 0x81, 1, 0x41]), ...rest]),
    CA,
    ROOT,
  ]),
  chain("bytes after the certificate", () => [Buffer.concat([firstOf(LEAF), Buffer.of(0)]), CA, ROOT]),
  chain("field after the last", () => [reshapedPck((fields) => [...fields, der.nothing()]), CA, ROOT]),
  text("text before a certificate", (pem, random) => {
    const starts = offsetsOf(pem, /-----BEGIN/g);
    const at = random.pick(starts);
    return `${pem.slice(0, at)}subject=CN = Intel SGX PCK Certificate\n${pem.slice(at)}`;
  }),
  text("text after the chain", (pem) => `${pem}trailer`),
  text("boundary broken", (pem, random) =>
    flippedAt(pem, pem.lastIndexOf("-----BEGIN") + random.below(27), random.below(7)),
  ),
  text("boundary of the PCK certificate broken", (pem, random) =>
    flippedAt(pem, random.below(27), random.below(7)),
  ),
  text("digit flipped in PCK certificate or CA", (pem, random) => {
    const inside = offsetsOf(pem.slice(0, pem.lastIndexOf("-----BEGIN")), /^[A-Za-z0-9+/]{64}$/gm);
    return flippedAt(pem, random.pick(inside) + random.below(64), random.below(7));
  }),
  text("character that is no digit in the root", (pem, random) =>
    replaced(
      pem,
      pem.lastIndexOf("-----BEGIN") + 30 + random.below(60),
      random.pick(["-", "_", "*", "\x80"]),
    ),
  ),
  text("line feed replaced by a space or tabulator", (pem, random) =>
    replaced(pem, random.pick(offsetsOf(pem, /(?<=[A-Za-z0-9+/]{64})\n(?!-)/g)), random.pick([" ", "\t"])),
  ),
  text("line feed replaced by a vertical tabulator or form feed", (pem, random) =>
    replaced(pem, random.pick(offsetsOf(pem, /(?<=[A-Za-z0-9+/]{64})\n(?!-)/g)), random.pick(["\v", "\f"])),
  ),
  text("carriage returns", (pem) => pem.replaceAll("\n", "\r\n")),
  text("no line feeds in base64", (pem) => pem.replaceAll(/(?<=[A-Za-z0-9+/=])\n(?=[A-Za-z0-9+/])/g, "")),
  chain("stray bits before base64 padding", () => {
    const pem = paddedPck();
    const last = pem.indexOf("=") - 1;
    // The lowest bit of the last digit is never part of a byte.
    const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const stray = digits[digits.indexOf(pem[last] as string) ^ 1] as string;
    return [replaced(pem, last, stray), CA, ROOT];
  }),
];

/** SGX extensions with the FMSPC entry repeated. */
function doubledFmspc(): Buffer {
  const extension = elementsOf(
    elementsOf(elementsOf(elementsOf(firstOf(LEAF))[0] as Buffer).at(-1) as Buffer, 0xa3)[0] as Buffer,
  )
    .map((each) => elementsOf(each))
    .find(([id]) => id?.equals(der.objectId(SGX_EXTENSIONS)));
  const value = (extension?.at(-1) as Buffer).subarray(4);
  const entries = elementsOf(value);
  return der.sequence(...entries, entries[3] as Buffer);
}

const DATES: readonly Defect[] = [
  ["PCK certificate", (dates: Dates) => [pckCertificate(dates), CA, ROOT]],
  ["CA", (dates: Dates) => [LEAF, ca(dates), ROOT]],
  [
    "root",
    (dates: Dates) => [
      LEAF,
      CA,
      certificate({ issuer: pki.root, subject: pki.root.name, key: pki.root.key, ca: 1, ...dates }),
    ],
  ],
].flatMap(([name, make]) => {
  const part = make as (dates: Dates) => Chain;
  return [
    chain(`expired ${name as string}`, (random) => part({ notAfter: AT - random.below(900) })),
    chain(`${name as string} that is not valid yet`, (random) =>
      part({ notBefore: AT + 2 + random.below(900) }),
    ),
    chain(`${name as string} in its last second`, () => part({ notAfter: AT + 1 })),
    chain(`${name as string} in its first second`, () => part({ notBefore: AT + 1 })),
  ];
});
type Dates = Partial<Pick<CertificateRequest, "notBefore" | "notAfter">>;

const FACTS: readonly Defect[] = [
  chain("PCK certificate of another family", (random) => [
    pckCertificate({}, { fmspc: Buffer.from([random.below(256), 0x60, 0x6a, 0, 0, 0]) }),
    CA,
    ROOT,
  ]),
  chain("PCK certificate of another PCE", (random) => [
    pckCertificate({}, { pceId: Buffer.from([0, 1 + random.below(255)]) }),
    CA,
    ROOT,
  ]),
  chain("PCK certificate of an SVN below", (random) => {
    const cpuSvn = Uint8Array.from(platform.tcb.sgxSvns);
    const at = random.pick([0, 1, 2, 3, 4, 5, 7]);
    cpuSvn[at] = random.below(cpuSvn[at] as number);
    return [pckCertificate({}, { cpuSvn }), CA, ROOT];
  }),
  chain("PCK certificate of an SVN above", (random) => {
    const cpuSvn = platform.tcb.sgxSvns.map((svn) => svn + random.below(200));
    return [pckCertificate({}, { cpuSvn }), CA, ROOT];
  }),
  chain("PCK certificate of another PCESVN", (random) => [
    pckCertificate({}, { pceSvn: random.pick([0, 12, 13, 14, 127, 128, 255, 256, 0x7fff]) }),
    CA,
    ROOT,
  ]),
  chain("PCK certificate of a PCESVN with three bytes in DER", (random) => [
    pckCertificate({}, { pceSvn: 0x8000 + random.below(0x8000) }),
    CA,
    ROOT,
  ]),
  {
    name: "platform of old microcode",
    make: async ({ kind }) => ({
      quote: await makeQuote(kind, simulatedPlatform(pki, { name: "old", outOfDate: true })),
    }),
  },
];

export const CHAIN_DEFECTS: readonly Defect[] = [...ORDER, ...FORGED, ...USES, ...FORMS, ...DATES, ...FACTS];
