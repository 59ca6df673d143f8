import { issueCrl } from "./certificate.ts";
import { signRaw } from "./keys.ts";
import { SIMULATED_FMSPC, type TestPki } from "./pki.ts";
import { CURRENT_TCB, OLD_TCB, QE, SGX_QE, type PlatformTcb } from "./tcb.ts";

/** Everything that a verifier needs to judge a simulated quote by, in the JSON form that `parseCollateral` reads. */
export interface IssuedCollateral {
  readonly pck_crl_issuer_chain: string;
  /** DER, hex. */
  readonly root_ca_crl: string;
  readonly pck_crl: string;
  readonly tcb_info_issuer_chain: string;
  /** The exact signed text. */
  readonly tcb_info: string;
  readonly tcb_info_signature: string;
  readonly qe_identity_issuer_chain: string;
  readonly qe_identity: string;
  readonly qe_identity_signature: string;
}

export type Tee = "tdx" | "sgx";

export interface CollateralOptions {
  /** Unix seconds: issue date of all of it. */
  readonly at: number;
  /** Seconds until nextUpdate; Intel gives 30 days. */
  readonly validitySeconds?: number;
  /** What the documents judge: TDs (the default) or enclaves. */
  readonly tee?: Tee;
  /** Serials of PCK certificates on the Platform CA's CRL. */
  readonly revokedPcks?: readonly Uint8Array[];
  /** TCB recoveries since the first set: each raises the evaluation number, and the one level that was current is out of date. */
  readonly recoveries?: number;
  /** Serials on the root's CRL. */
  readonly revokedCas?: readonly Uint8Array[];
}

export const COLLATERAL_VALIDITY_SECONDS = 30 * 86_400;

/** Seconds → `2026-02-18T10:58:51Z`, the only form that Intel's JSON has. */
const iso = (seconds: number): string => `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`;
const upperHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex").toUpperCase();

/** Issues TCB info, QE identity and CRLs, as Intel's service would give them at `at`. */
export function issueCollateral(pki: TestPki, options: CollateralOptions): IssuedCollateral {
  const {
    at,
    validitySeconds = COLLATERAL_VALIDITY_SECONDS,
    tee = "tdx",
    revokedPcks = [],
    revokedCas = [],
    recoveries = 0,
  } = options;
  const until = at + validitySeconds;
  const dates: Publication = {
    issueDate: iso(at),
    nextUpdate: iso(until),
    recoveries,
  };
  const tcbInfo = JSON.stringify(tee === "tdx" ? tdxTcbInfo(dates) : sgxTcbInfo(dates));
  const qeIdentity = JSON.stringify(qeIdentityOf(tee, dates));
  const signature = (text: string): string =>
    signRaw(pki.signing.key, Buffer.from(text, "utf8")).toString("hex");
  // The CRL number is the time of issue: it never falls, also not over a restart.
  const crl = (issuer: TestPki["root"], revokedSerials: readonly Uint8Array[]): string =>
    issueCrl({ issuer, number: at, thisUpdate: at, nextUpdate: until, revokedSerials }).toString("hex");
  return {
    pck_crl_issuer_chain: pki.pckIssuerChain,
    root_ca_crl: crl(pki.root, revokedCas),
    pck_crl: crl(pki.platformCa, revokedPcks),
    tcb_info_issuer_chain: pki.signingChain,
    tcb_info: tcbInfo,
    tcb_info_signature: signature(tcbInfo),
    qe_identity_issuer_chain: pki.signingChain,
    qe_identity: qeIdentity,
    qe_identity_signature: signature(qeIdentity),
  };
}

/** What differs between two publications. */
interface Publication {
  readonly issueDate: string;
  readonly nextUpdate: string;
  readonly recoveries: number;
}

/** Counts the vendor's TCB recoveries; it never falls. */
const EVALUATION_DATA_NUMBER = 18;
const CURRENT_DATE = "2024-11-13T00:00:00Z";
const OLD_DATE = "2024-03-13T00:00:00Z";
const OLD_ADVISORIES = ["INTEL-SA-01036", "INTEL-SA-01079", "INTEL-SA-01099"];

const RECOVERY_ADVISORIES = ["INTEL-SA-01312"];

const sgxLevel = ({ sgxSvns, pceSvn }: PlatformTcb) => ({
  sgxtcbcomponents: [...sgxSvns].map((svn) => ({ svn })),
  pcesvn: pceSvn,
});

/** What TCB info of both kinds begins with. */
const tcbInfoHead = (id: "TDX" | "SGX", { issueDate, nextUpdate, recoveries }: Publication) => ({
  id,
  version: 3,
  issueDate,
  nextUpdate,
  fmspc: SIMULATED_FMSPC,
  pceId: "0000",
  tcbType: 0,
  tcbEvaluationDataNumber: EVALUATION_DATA_NUMBER + recoveries,
});

/** Two levels, best first: the current microcode and an older one. */
const tcbLevels = (level: (tcb: PlatformTcb) => unknown, recoveries: number) => [
  recoveries === 0
    ? { tcb: level(CURRENT_TCB), tcbDate: CURRENT_DATE, tcbStatus: "UpToDate" }
    : {
        tcb: level(CURRENT_TCB),
        tcbDate: CURRENT_DATE,
        tcbStatus: "OutOfDate",
        advisoryIDs: RECOVERY_ADVISORIES,
      },
  { tcb: level(OLD_TCB), tcbDate: OLD_DATE, tcbStatus: "OutOfDate", advisoryIDs: OLD_ADVISORIES },
];

/** TCB info, version 3, of a platform family for enclaves (Intel PCS v4, "Get SGX TCB Info"). */
const sgxTcbInfo = (dates: Publication): unknown => ({
  ...tcbInfoHead("SGX", dates),
  tcbLevels: tcbLevels(sgxLevel, dates.recoveries),
});

/** The same for TDs (Intel PCS v4, "Get TDX TCB Info"). */
function tdxTcbInfo(dates: Publication): unknown {
  const module = {
    mrsigner: "0".repeat(96),
    attributes: "0".repeat(16),
    attributesMask: "F".repeat(16),
  };
  const level = (tcb: PlatformTcb) => ({
    ...sgxLevel(tcb),
    tdxtcbcomponents: [...tcb.teeTcbSvn].map((svn, i) => ({ svn: i < 2 ? [5, 0][i] : svn })),
  });
  return {
    ...tcbInfoHead("TDX", dates),
    tdxModule: module,
    tdxModuleIdentities: [
      {
        id: "TDX_01",
        ...module,
        tcbLevels: [
          { tcb: { isvsvn: 6 }, tcbDate: CURRENT_DATE, tcbStatus: "UpToDate" },
          { tcb: { isvsvn: 4 }, tcbDate: OLD_DATE, tcbStatus: "OutOfDate", advisoryIDs: OLD_ADVISORIES },
        ],
      },
    ],
    tcbLevels: tcbLevels(level, dates.recoveries),
  };
}

/** Identity of the quoting enclave, version 2 (Intel PCS v4, "Get Quoting Enclave Identity"). */
function qeIdentityOf(tee: Tee, { issueDate, nextUpdate, recoveries }: Publication): unknown {
  const qe = tee === "tdx" ? QE : SGX_QE;
  return {
    id: tee === "tdx" ? "TD_QE" : "QE",
    version: 2,
    issueDate,
    nextUpdate,
    tcbEvaluationDataNumber: EVALUATION_DATA_NUMBER + recoveries,
    miscselect: "00000000",
    miscselectMask: "FFFFFFFF",
    attributes: `11${"0".repeat(30)}`,
    attributesMask: `FB${"F".repeat(14)}${"0".repeat(16)}`,
    mrsigner: upperHex(qe.mrSigner),
    isvprodid: qe.isvProdId,
    tcbLevels: [{ tcb: { isvsvn: qe.isvSvn }, tcbDate: CURRENT_DATE, tcbStatus: "UpToDate" }],
  };
}
