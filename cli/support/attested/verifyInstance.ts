import type { PublicClient } from "viem";

import { appAbi } from "../../../protocol/abi/app.ts";
import { attestationLedgerAbi } from "../../../protocol/abi/attestationLedger.ts";
import { nodeCrypto } from "../../../protocol/crypto/node.ts";
import type { Deployment } from "../../../protocol/deployment/deployment.ts";
import { CharterError, isCharterError } from "../../../protocol/errors/CharterError.ts";
import { verifyEvidence } from "../../../protocol/evidence/index.ts";
import type { Collateral, TrustedRoot } from "../../../protocol/evidence/index.ts";
import { reportData } from "../../../protocol/evidence/reportData.ts";
import { bindingOfCertificate } from "../../../protocol/keys/bindingCertificate.ts";
import { KeyPurpose, verifyKeyBinding } from "../../../protocol/keys/keyBinding.ts";
import type { Manifest } from "../../../protocol/manifest/index.ts";
import { recoverLeaseSigner } from "../../../protocol/session/lease.ts";
import type { Address, Bytes32 } from "../../../protocol/words/hex.ts";
import { CliError } from "../CliError.ts";
import { ExitCode } from "../exitCodes.ts";
import { Reason } from "../../../protocol/policy/reason.ts";
import { nameOf } from "../../../protocol/words/enums.ts";
import type { Attestation } from "../../../protocol/session/attestation.ts";

/** One thing that was looked at, in the order in which it was. */
export interface CallCheck {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface InstanceQuestion {
  readonly app: Address;
  readonly certificate: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly attestation: Attestation;
  readonly deployment: Deployment;
  readonly client: PublicClient;
  /** Judges TDX evidence; asked for once the evidence is known. */
  readonly collateral: (quote: string) => Promise<Collateral>;
  readonly roots: readonly TrustedRoot[] | undefined;
  /** The manifest of that hash, its bytes checked against it. */
  readonly manifest: (composeHash: Bytes32) => Promise<Manifest>;
  /** Unix seconds. */
  readonly now: number;
}

export interface VerifiedInstance {
  readonly key: Address;
  readonly composeHash: Bytes32;
  readonly release: number;
  readonly leaseSigner: Address;
  readonly checks: readonly CallCheck[];
}

/** A lease is given for a block; how much older that may be than the lease is long: finality and clocks. */
const LEASE_SLACK_SECONDS = 300;

/**
 * Judges whoever answered, before a byte of the app's is sent: certificate → binding → evidence → chain's block → manifest →
 * lease → release → ledger (DESIGN section 7). The first that fails ends it.
 * @throws CliError `call/<check>` with every check so far; exit code 3.
 */
export async function verifyInstance(question: InstanceQuestion): Promise<VerifiedInstance> {
  const { app, certificate, publicKey, attestation, deployment, client, manifest, now } = question;
  const { chainId, attestationLedger: ledger } = deployment;
  const { evidence, lease } = attestation;
  const checks: CallCheck[] = [];
  const step = async <T>(
    name: string,
    work: () => Promise<T>,
    detail: (result: T) => Record<string, unknown>,
  ): Promise<T> => {
    try {
      const result = await work();
      checks.push({ name, ok: true, detail: detail(result) });
      return result;
    } catch (error) {
      if (error instanceof CliError || !isCharterError(error)) throw error;
      checks.push({ name, ok: false, detail: { code: error.code, ...error.details } });
      throw new CliError(ExitCode.NotVerified, `call/${name}`, error.message, { cause: error.code, checks });
    }
  };
  const require = (ok: boolean, expected: unknown, actual: unknown, message: string): void => {
    if (!ok) throw new CharterError("call/not-verified", message, { expected, actual });
  };

  const binding = await step(
    "certificate-binding",
    async () =>
      verifyKeyBinding(bindingOfCertificate(certificate, KeyPurpose.Tls), {
        ...{ chainId, ledger, app, purpose: KeyPurpose.Tls, publicKey, now },
      }),
    ({ instance, notAfter }) => ({ instance, notAfter }),
  );
  const key = binding.instance;

  const verified = await step(
    "evidence",
    async () => {
      require(evidence.kind === "tdx", "tdx", evidence.kind, "this command verifies TDX evidence");
      const collateral = await question.collateral(evidence.quote);
      const { roots } = question;
      return verifyEvidence(evidence, {
        collateral,
        at: now,
        crypto: nodeCrypto,
        ...(roots ? { roots } : {}),
      });
    },
    ({ status, platformId, osImageHash, composeHash, simulated }) => ({
      status,
      platformId,
      osImageHash,
      composeHash,
      simulated,
    }),
  );

  await step(
    "report-data",
    async () => {
      const bound = { purpose: "instance", chainId, consumer: ledger, subject: app, key } as const;
      const blockNumber = BigInt(evidence.blockNumber);
      const expected = reportData({ ...bound, blockNumber, blockHash: evidence.blockHash });
      // The second half is of GPU evidence, which this command does not judge.
      require(verified.reportData.slice(0, 66) ===
        expected.slice(
          0,
          66,
        ), expected, verified.reportData, "the evidence must bind this key, app, ledger and block");
      const { hash } = await client.getBlock({ blockNumber });
      require(hash ===
        evidence.blockHash, hash, evidence.blockHash, "the evidence must bind a block of this chain");
    },
    () => ({ blockNumber: evidence.blockNumber, blockHash: evidence.blockHash }),
  );

  const { composeHash } = verified;
  const leaseSigner = await step(
    "lease",
    async () => {
      const { charter } = await manifest(composeHash);
      const said = lease.lease;
      require(said.app === app && said.key === key && said.composeHash === composeHash, {
        app,
        key,
        composeHash,
      }, said, "the lease must be for this instance and this code");
      const signer = await recoverLeaseSigner(chainId, ledger, lease);
      require(charter?.lease_signers.includes(signer) ===
        true, charter?.lease_signers, signer, "the manifest must name whoever signed the lease");
      const block = await client.getBlock({ blockNumber: lease.blockNumber });
      require(block.hash ===
        lease.blockHash, block.hash, lease.blockHash, "the lease must cite a block of this chain");
      const ends = Number(block.timestamp) + said.maxSeconds + LEASE_SLACK_SECONDS;
      require(ends >= now, ends, now, "the lease is over");
      return signer;
    },
    (signer) => ({ signer, release: lease.lease.release, maxSeconds: lease.lease.maxSeconds }),
  );

  await step(
    "release",
    async () => {
      const allowed = await client.readContract({
        address: app,
        abi: appAbi,
        functionName: "isReleaseAllowed",
        args: [composeHash],
      });
      require(allowed, true, allowed, "the app must allow this code now");
    },
    () => ({ release: lease.lease.release, composeHash }),
  );

  await step(
    "ledger",
    async () => {
      const ask = { address: ledger, abi: attestationLedgerAbi, args: [app, key] } as const;
      const isLive = await client.readContract({ ...ask, functionName: "isLive" });
      if (isLive) return;
      const reason = await client.readContract({ ...ask, functionName: "liveReason" });
      require(false, nameOf(Reason, Reason.Allowed), nameOf(
        Reason,
        reason as Reason,
      ), "the ledger must call this instance live");
    },
    () => ({ isLive: true }),
  );
  return { key, composeHash, release: lease.lease.release, leaseSigner, checks };
}
