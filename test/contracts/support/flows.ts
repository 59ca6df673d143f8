import { id, ZeroAddress, ZeroHash, zeroPadValue, toBeHex } from "ethers";
import type { AddressLike, ContractRunner, ContractTransactionResponse, Wallet } from "ethers";

import { ProofSystem, TcbStatus, TeeKind } from "../../../protocol/words/enums.ts";
import { SettingKind } from "../../../protocol/policy/settingKind.ts";
import type { App } from "../../../types/typechain/index.ts";
import type { Charter } from "./charter.ts";
import {
  COMMITTEE,
  COMPOSE_HASH,
  doubleProof,
  instanceVerdict,
  MEASUREMENT,
  nodeVerdict,
  OS_IMAGE,
  PLATFORM,
  prove,
  signInstance,
  signNode,
} from "./verdicts.ts";
import type { Verdict } from "./verdicts.ts";

export const word = (value: bigint | number): string => zeroPadValue(toBeHex(value), 32);

export interface Entry {
  readonly kind: number;
  readonly key: string;
  readonly value: bigint | string;
}

/** A policy that allows what `instanceVerdict` says: TDX, up to date, one image, one platform, committee proofs. */
export const POLICY: readonly Entry[] = [
  { kind: SettingKind.TeeKind, key: word(TeeKind.Tdx), value: 1n },
  { kind: SettingKind.TcbStatus, key: word(TcbStatus.UpToDate), value: 1n },
  { kind: SettingKind.ProofSystem, key: word(ProofSystem.Committee), value: 1n },
  { kind: SettingKind.OsImage, key: OS_IMAGE, value: MEASUREMENT },
  { kind: SettingKind.Node, key: PLATFORM, value: 1n },
  { kind: SettingKind.MaxEvidenceAge, key: ZeroHash, value: 100n },
];

/** The app at this address, asked and told things as its owner. */
export async function appAt(charter: Charter, address: string): Promise<App> {
  const app = await charter.connection.ethers.getContractAt("App", address);
  return app.connect(charter.owner) as unknown as App;
}

interface AppOptions {
  readonly noticeSeconds?: number;
  readonly graceSeconds?: number;
  readonly settings?: readonly Entry[];
  readonly guardian?: string;
  readonly salt?: string;
}

/** Creates an app whose release 1 (COMPOSE_HASH) is active. */
export async function createApp(charter: Charter, options: AppOptions = {}): Promise<App> {
  const settings = {
    noticeSeconds: options.noticeSeconds ?? 3600,
    graceSeconds: options.graceSeconds ?? 600,
    composeHash: COMPOSE_HASH,
    noteDigest: id("note"),
    settings: [...(options.settings ?? POLICY)],
  };
  const args = [
    charter.owner.address,
    options.guardian ?? ZeroAddress,
    settings,
    options.salt ?? ZeroHash,
  ] as const;
  const address = await charter.appRegistry.createApp.staticCall(...args);
  await (await charter.appRegistry.createApp(...args)).wait();
  return appAt(charter, address);
}

/** Sends `register` with everything in order, except what `over` and `signatures` say. */
export async function register(
  charter: Charter,
  key: Wallet,
  over: Partial<Verdict> = {},
  signatures: {
    operator?: string;
    key?: string;
    proof?: string;
    system?: bigint;
    from?: ContractRunner;
  } = {},
): Promise<ContractTransactionResponse> {
  const verdict = await nodeVerdict(charter, key, over);
  return charter.nodeRegistry
    .connect(signatures.from ?? charter.governance)
    .register(
      signatures.system ?? COMMITTEE,
      signatures.proof ?? (await prove(charter, verdict)),
      signatures.operator ?? (await signNode(charter, charter.operator, verdict)),
      signatures.key ?? (await signNode(charter, key, verdict)),
    );
}

/** Sends `renew` likewise. */
export async function renew(
  charter: Charter,
  number: bigint | number,
  key: Wallet,
  over: Partial<Verdict> = {},
): Promise<ContractTransactionResponse> {
  const verdict = await nodeVerdict(charter, key, over);
  const proof = await prove(charter, verdict);
  return charter.nodeRegistry.renew(number, COMMITTEE, proof, await signNode(charter, key, verdict));
}

/** A proof by this system's verifier: the committee's, or the double that stands for another. */
const proofBy = async (charter: Charter, verdict: Verdict, system = COMMITTEE): Promise<string> =>
  system === COMMITTEE ? prove(charter, verdict) : doubleProof(verdict);

interface AttestOptions {
  readonly node?: bigint | number;
  readonly system?: bigint;
  readonly combines?: boolean;
  readonly proof?: string;
  readonly keySignature?: string;
}

/** Sends `attest` of this verdict likewise. */
export async function attestVerdict(
  charter: Charter,
  verdict: Verdict,
  key: Wallet,
  options: AttestOptions = {},
): Promise<ContractTransactionResponse> {
  return charter.attestationLedger.attest(
    options.node ?? 1,
    options.system ?? COMMITTEE,
    options.combines ?? false,
    options.proof ?? (await proofBy(charter, verdict, options.system)),
    options.keySignature ?? (await signInstance(charter, key, verdict)),
  );
}

/** Sends `attest` of new evidence, made over the newest block. */
export async function attest(
  charter: Charter,
  app: AddressLike & string,
  key: Wallet,
  over: Partial<Verdict> = {},
  options: AttestOptions = {},
): Promise<ContractTransactionResponse> {
  return attestVerdict(charter, await instanceVerdict(charter, app, key, over), key, options);
}
