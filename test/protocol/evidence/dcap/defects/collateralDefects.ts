import { X509Certificate } from "node:crypto";

import { issueCrl, toPem, type Issuer } from "../../../../../worker/tee/simulator/certificate.ts";
import type { IssuedCollateral } from "../../../../../worker/tee/simulator/collateral.ts";
import { signRaw } from "../../../../../worker/tee/simulator/keys.ts";
import { COLLATERAL_VALIDITY_SECONDS } from "../../../../../worker/tee/simulator/collateral.ts";
import type { Random } from "../../../../support/random.ts";
import { AT, issued, pki, platform, reissued } from "../../simulated.ts";
import { blocksOf, certificate, keyOf, pckCertificate } from "../forgery.ts";
import { SGX, TDX, teeOf, type Case, type Defect } from "./defect.ts";
import type { QuoteKind } from "../layout.ts";

const ROOT = pki.file.root;
const [LEAF = ""] = blocksOf(platform.pckChain);
const LATE = AT + COLLATERAL_VALIDITY_SECONDS;

/** Other collateral for the same quote. */
const collateral = (
  name: string,
  make: (good: Case, random: Random) => Partial<IssuedCollateral>,
  kinds?: readonly QuoteKind[],
): Defect => ({
  name,
  ...(kinds ? { kinds } : {}),
  make: (good, random) => ({ collateral: { ...good.collateral, ...make(good, random) } }),
});

const crl = (
  issuer: Issuer,
  options: { revoked?: readonly Uint8Array[]; from?: number; until?: number } = {},
): string =>
  issueCrl({
    issuer,
    number: 2,
    thisUpdate: options.from ?? AT,
    nextUpdate: options.until ?? LATE,
    revokedSerials: options.revoked ?? [],
  }).toString("hex");

const serialOf = (pem: string): Uint8Array => Buffer.from(new X509Certificate(pem).serialNumber, "hex");

/** Flips one bit of hex text's bytes. */
const flippedHex = (text: string, random: Random): string => {
  const bytes = Buffer.from(text, "hex");
  const at = random.below(bytes.length);
  bytes[at] = (bytes[at] as number) ^ (1 << random.below(8));
  return bytes.toString("hex");
};

const REVOCATION: readonly Defect[] = [
  collateral("PCK certificate revoked", () => ({
    pck_crl: crl(pki.platformCa, { revoked: [platform.pckSerial] }),
  })),
  collateral("CA revoked", () => ({
    root_ca_crl: crl(pki.root, { revoked: [serialOf(pki.file.platformCa)] }),
  })),
  collateral("TCB signer revoked", () => ({
    root_ca_crl: crl(pki.root, { revoked: [serialOf(pki.file.signing)] }),
  })),
  collateral("root revoked by itself", () => ({ root_ca_crl: crl(pki.root, { revoked: [serialOf(ROOT)] }) })),
  collateral("other serials revoked", (_, random) => {
    const revoked = Array.from({ length: 1 + random.below(20) }, () =>
      Uint8Array.of(0x40, random.below(256)),
    );
    return { pck_crl: crl(pki.platformCa, { revoked }), root_ca_crl: crl(pki.root, { revoked }) };
  }),
  collateral("serial of the PCK certificate on the root's list", () => ({
    root_ca_crl: crl(pki.root, { revoked: [platform.pckSerial] }),
  })),
  collateral("serial of the CA on the CA's own list", () => ({
    pck_crl: crl(pki.platformCa, { revoked: [serialOf(pki.file.platformCa)] }),
  })),
  collateral("root's list flipped", (good, random) => ({
    root_ca_crl: flippedHex(good.collateral.root_ca_crl, random),
  })),
  collateral("PCK list flipped", (good, random) => ({
    pck_crl: flippedHex(good.collateral.pck_crl, random),
  })),
  collateral("list signed by another key", (_, random) => {
    const key = keyOf("forger");
    return random.chance(0.5)
      ? { pck_crl: crl({ ...pki.platformCa, key }) }
      : { root_ca_crl: crl({ ...pki.root, key }) };
  }),
  collateral("list of another issuer's name", (_, random) =>
    random.chance(0.5)
      ? { pck_crl: crl({ ...pki.platformCa, name: "Intel SGX PCK Processor CA" }) }
      : { root_ca_crl: crl({ ...pki.root, name: "Intel SGX Root" }) },
  ),
  collateral("root's list in the place of the CA's", (good) => ({ pck_crl: good.collateral.root_ca_crl })),
  collateral("CA's list in the place of the root's", (good) => ({ root_ca_crl: good.collateral.pck_crl })),
  collateral("list of another CA and its chain", () => {
    const other = { name: "Intel SGX PCK Processor CA", key: keyOf("processor CA") };
    const ca = certificate({ issuer: pki.root, subject: other.name, key: other.key, ca: 0 });
    return { pck_crl: crl(other), pck_crl_issuer_chain: toPem(ca) + ROOT };
  }),
  collateral("no list", (_, random) => (random.chance(0.5) ? { pck_crl: "" } : { root_ca_crl: "" })),
  collateral("expired list", (_, random) => {
    const dates = { from: AT - 2000, until: AT - random.below(900) };
    return random.chance(0.5)
      ? { pck_crl: crl(pki.platformCa, dates) }
      : { root_ca_crl: crl(pki.root, dates) };
  }),
  collateral("list of tomorrow", (_, random) => {
    const dates = { from: AT + 2 + random.below(900) };
    return random.chance(0.5)
      ? { pck_crl: crl(pki.platformCa, dates) }
      : { root_ca_crl: crl(pki.root, dates) };
  }),
  collateral("no issuer chain of the CRL", () => ({ pck_crl_issuer_chain: "" })),
];

const WHICH = ["tcb_info", "qe_identity"] as const;
type Which = (typeof WHICH)[number];

const signature = (key: Parameters<typeof signRaw>[0], text: string): string =>
  signRaw(key, Buffer.from(text)).toString("hex");

/** Either document, with the chain and signature of another signer. */
const signedBy = (name: string, key: Parameters<typeof signRaw>[0], chain: string): Defect =>
  collateral(name, (good, random) => {
    const which = random.pick(WHICH);
    return {
      [`${which}_issuer_chain`]: chain,
      [`${which}_signature`]: signature(key, good.collateral[which]),
    };
  });

/** Either document, with other text that the vendor really signed. */
const retold = (
  name: string,
  change: (text: string, random: Random) => string,
  which: readonly Which[] = WHICH,
): Defect =>
  collateral(name, (good, random) => {
    const part = random.pick(which);
    const text = change(good.collateral[part], random);
    return { [part]: text, [`${part}_signature`]: signature(pki.signing.key, text) };
  });

const SIGNERS: readonly Defect[] = [
  signedBy("document signed by another key", keyOf("forger"), pki.signingChain),
  signedBy("document signed by the PCK CA", pki.platformCa.key, pki.pckIssuerChain),
  signedBy("document signed by the PCK", platform.pckKey, platform.pckChain),
  signedBy(
    "document signed by a PCK certificate under the root",
    platform.pckKey,
    toPem(pckCertificate({ issuer: pki.root })) + ROOT,
  ),
  signedBy("document signed by the root", pki.root.key, ROOT),
  signedBy("document signed by a chain without root", pki.signing.key, pki.file.signing),
  signedBy("document signed by a chain with its root twice", pki.signing.key, pki.signingChain + ROOT),
  signedBy(
    "document signed by a leaf of the leaf",
    keyOf("second"),
    [
      toPem(
        certificate({ issuer: { ...pki.signing }, subject: "Intel SGX TCB Signing", key: keyOf("second") }),
      ),
      pki.signingChain,
    ].join(""),
  ),
  collateral("document signature flipped", (good, random) => {
    const part = `${random.pick(WHICH)}_signature` as const;
    return { [part]: flippedHex(good.collateral[part], random) };
  }),
  collateral("document flipped", (good, random) => {
    const part = random.pick(WHICH);
    const text = good.collateral[part];
    const at = random.below(text.length);
    const other = String.fromCharCode(text.charCodeAt(at) ^ (1 << random.below(7)));
    return { [part]: text.slice(0, at) + other + text.slice(at + 1) };
  }),
  collateral("issuer chain in carriage returns", (good) => ({
    tcb_info_issuer_chain: good.collateral.tcb_info_issuer_chain.replaceAll("\n", "\r\n"),
  })),
  collateral("issuer chain with comments", (good) => ({
    tcb_info_issuer_chain: `# Intel\n${good.collateral.tcb_info_issuer_chain}`,
  })),
  collateral(
    "pck_certificate_chain beside the quote's own",
    () => ({ pck_certificate_chain: LEAF }) as object,
  ),
];

const FORMS: readonly Defect[] = [
  retold("document with an unknown key", (text) => text.replace("{", '{"charter":1,')),
  retold("document with a key twice", (text, random) =>
    text.replace("{", `{"version":${random.pick([2, 3])},`),
  ),
  retold("document with white space", (text) => ` ${text.replaceAll(",", ",\n  ")} `),
  retold("document with lower case hex", (text) =>
    text.replaceAll(/"[0-9A-F]{8,}"/g, (hex) => hex.toLowerCase()),
  ),
  retold(
    "TCB info of another version",
    (text, random) => text.replace('"version":3', `"version":${random.pick([1, 2, 4])}`),
    ["tcb_info"],
  ),
  retold(
    "QE identity of another version",
    (text, random) => text.replace('"version":2', `"version":${random.pick([1, 4])}`),
    ["qe_identity"],
  ),
  retold("TCB info of another type", (text) => text.replace('"tcbType":0', '"tcbType":1'), ["tcb_info"]),
  retold("document with a time of another form", (text) => text.replaceAll('Z"', '.000Z"')),
  retold("document with a number as text", (text) =>
    text.replace(/"tcbEvaluationDataNumber":(\d+)/, '"tcbEvaluationDataNumber":"$1"'),
  ),
  retold("document without its levels", (text) => text.replace(/"tcbLevels":\[.*$/, '"tcbLevels":[]}')),
  collateral("document of the other kind", (good, random) => {
    const theirs = issued({ tee: teeOf(good.kind) === "tdx" ? "sgx" : "tdx" });
    const which = random.pick(WHICH);
    return { [which]: theirs[which], [`${which}_signature`]: theirs[`${which}_signature`] };
  }),
  collateral("documents of the other kind", (good) =>
    issued({ tee: teeOf(good.kind) === "tdx" ? "sgx" : "tdx" }),
  ),
];

/** All dates of both documents and both lists at once, or one of them. */
const DATES: readonly Defect[] = [
  { name: "collateral in its first second", make: () => ({ at: AT }) },
  { name: "collateral before its first second", make: (_, random) => ({ at: AT - 1 - random.below(900) }) },
  { name: "collateral in the second before its next update", make: () => ({ at: LATE - 1 }) },
  { name: "collateral in the second of its next update", make: () => ({ at: LATE }) },
  { name: "collateral after its next update", make: (_, random) => ({ at: LATE + 1 + random.below(900) }) },
  {
    name: "one document after its next update",
    make: (good, random) => {
      const late = issued({ at: AT + 1000, tee: teeOf(good.kind) });
      const which = random.pick(WHICH);
      const old = {
        [which]: good.collateral[which],
        [`${which}_signature`]: good.collateral[`${which}_signature`],
      };
      return { collateral: { ...late, ...old }, at: LATE + 1 + random.below(900) };
    },
  },
];

interface Level {
  tcb: Record<string, unknown> & { isvsvn?: number; pcesvn?: number };
  tcbStatus: string;
  advisoryIDs?: string[];
}
const levelsOf = (document: Record<string, unknown>): Level[] => document["tcbLevels"] as Level[];

/** A document that says something else, and that the vendor signed. */
const judged = (
  name: string,
  which: Which,
  change: (document: Record<string, unknown>, random: Random) => void,
  kinds?: readonly QuoteKind[],
): Defect =>
  collateral(
    name,
    (good, random) =>
      reissued(
        which,
        (document) => {
          change(document, random);
        },
        good.collateral,
      ),
    kinds,
  );

const PLATFORM_STATUSES = [
  "UpToDate",
  "SWHardeningNeeded",
  "ConfigurationNeeded",
  "ConfigurationAndSWHardeningNeeded",
  "OutOfDate",
  "OutOfDateConfigurationNeeded",
] as const;

const JUDGEMENTS: readonly Defect[] = [
  judged("TCB info of another family", "tcb_info", (info, random) => {
    info["fmspc"] = random.pick(["000000000000", "F0CA57000001", "00606A000000"]);
  }),
  judged("TCB info of another PCE", "tcb_info", (info) => {
    info["pceId"] = "0001";
  }),
  judged("platform status", "tcb_info", (info, random) => {
    const [level] = levelsOf(info) as [Level];
    level.tcbStatus = random.pick(PLATFORM_STATUSES);
    level.advisoryIDs = random.pick([[], ["INTEL-SA-00002", "INTEL-SA-00001"], ["INTEL-SA-00615"]]);
  }),
  judged("platform revoked", "tcb_info", (info) => {
    (levelsOf(info)[0] as Level).tcbStatus = "Revoked";
  }),
  judged("platform of an unknown status", "tcb_info", (info) => {
    (levelsOf(info)[0] as Level).tcbStatus = "Fine";
  }),
  judged("platform below every level", "tcb_info", (info) => {
    for (const { tcb } of levelsOf(info)) tcb.pcesvn = 14;
  }),
  judged("levels in another order", "tcb_info", (info) => {
    levelsOf(info).reverse();
  }),
  judged("levels that want other SVNs", "tcb_info", (info, random) => {
    for (const { tcb } of levelsOf(info)) {
      const list = tcb["sgxtcbcomponents"] as { svn: number }[];
      (list[random.below(8)] as { svn: number }).svn += random.below(3);
    }
  }),
  judged("QE out of date", "qe_identity", (identity) => {
    (levelsOf(identity)[0] as Level).tcbStatus = "OutOfDate";
    (levelsOf(identity)[0] as Level).advisoryIDs = ["INTEL-SA-00077"];
  }),
  judged("QE revoked", "qe_identity", (identity) => {
    (levelsOf(identity)[0] as Level).tcbStatus = "Revoked";
  }),
  judged("QE below every level", "qe_identity", (identity) => {
    (levelsOf(identity)[0] as Level).tcb.isvsvn = 99;
  }),
  judged("QE identity whose mask leaves DEBUG open, for a QE that is closed", "qe_identity", (identity) => {
    identity["attributesMask"] = `F9${"F".repeat(14)}${"0".repeat(16)}`;
  }),
  judged("QE identity of another product", "qe_identity", (identity) => {
    identity["isvprodid"] = 77;
  }),
  judged("QE identity of another signer", "qe_identity", (identity) => {
    identity["mrsigner"] = "AB".repeat(32);
  }),
  ...(["ConfigurationNeeded", "ConfigurationAndSWHardeningNeeded", "SWHardeningNeeded"] as const).map(
    (status) =>
      ({
        name: `platform ${status}, QE out of date`,
        make: (good) => {
          const platformly = reissued(
            "tcb_info",
            (info) => {
              (levelsOf(info)[0] as Level).tcbStatus = status;
            },
            good.collateral,
          );
          return {
            collateral: reissued(
              "qe_identity",
              (identity) => {
                (levelsOf(identity)[0] as Level).tcbStatus = "OutOfDate";
              },
              platformly,
            ),
          };
        },
      }) satisfies Defect,
  ),
];

interface ModuleIdentity {
  id: string;
  mrsigner: string;
  tcbLevels: Level[];
}
const moduleOf = (info: Record<string, unknown>): ModuleIdentity =>
  (info["tdxModuleIdentities"] as ModuleIdentity[])[0] as ModuleIdentity;

const MODULES: readonly Defect[] = [
  judged(
    "TDX module without identity",
    "tcb_info",
    (info) => {
      moduleOf(info).id = "TDX_03";
    },
    TDX,
  ),
  judged(
    "TDX module of another signer",
    "tcb_info",
    (info) => {
      moduleOf(info).mrsigner = "11".repeat(48);
    },
    TDX,
  ),
  judged(
    "TDX module out of date",
    "tcb_info",
    (info) => {
      (moduleOf(info).tcbLevels[0] as Level).tcbStatus = "OutOfDate";
    },
    TDX,
  ),
  judged(
    "TDX module revoked",
    "tcb_info",
    (info) => {
      (moduleOf(info).tcbLevels[0] as Level).tcbStatus = "Revoked";
    },
    TDX,
  ),
  judged(
    "TDX module below every level",
    "tcb_info",
    (info) => {
      for (const { tcb } of moduleOf(info).tcbLevels) tcb.isvsvn = 9;
    },
    TDX,
  ),
  judged(
    "levels that want a higher module SVN",
    "tcb_info",
    (info) => {
      for (const { tcb } of levelsOf(info))
        ((tcb["tdxtcbcomponents"] as { svn: number }[])[0] as { svn: number }).svn = 7;
    },
    TDX,
  ),
  judged(
    "levels that want other TDX microcode",
    "tcb_info",
    (info, random) => {
      for (const { tcb } of levelsOf(info))
        ((tcb["tdxtcbcomponents"] as { svn: number }[])[2] as { svn: number }).svn = random.below(6);
    },
    TDX,
  ),
  judged(
    "levels without TDX components",
    "tcb_info",
    (info) => {
      for (const { tcb } of levelsOf(info)) delete tcb["tdxtcbcomponents"];
    },
    TDX,
  ),
  judged(
    "SGX levels with TDX components",
    "tcb_info",
    (info) => {
      for (const { tcb } of levelsOf(info)) tcb["tdxtcbcomponents"] = tcb["sgxtcbcomponents"];
    },
    SGX,
  ),
];

export const COLLATERAL_DEFECTS: readonly Defect[] = [
  ...REVOCATION,
  ...SIGNERS,
  ...FORMS,
  ...DATES,
  ...JUDGEMENTS,
  ...MODULES,
];
