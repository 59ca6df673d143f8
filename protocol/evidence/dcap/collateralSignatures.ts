import type { Crypto } from "../../crypto/crypto.ts";
import { ChainSignatures } from "../chain/chain.ts";
import type { Collateral } from "./collateral.ts";

/** Which signatures of a collateral hold. Every one is checked, always. */
export interface CollateralSignatures {
  readonly pckCrlChain: boolean;
  readonly tcbChain: boolean;
  readonly qeChain: boolean;
  readonly rootCaCrl: boolean;
  readonly pckCrl: boolean;
  readonly tcbInfo: boolean;
  readonly qeIdentity: boolean;
}

const known = new WeakMap<Collateral, Promise<CollateralSignatures>>();

/**
 * Checks every signature inside a collateral. The answer is a function of its bytes alone (each chain must *also* end
 * at a trusted root and each date be asked again, which callers do every time), so it is kept with the parsed object.
 */
export function collateralSignatures(collateral: Collateral, crypto: Crypto): Promise<CollateralSignatures> {
  let answer = known.get(collateral);
  if (!answer) {
    answer = check(collateral, crypto);
    known.set(collateral, answer);
    // A machine failure (not an invalid signature) must not stick.
    answer.catch(() => known.delete(collateral));
  }
  return answer;
}

async function check(collateral: Collateral, crypto: Crypto): Promise<CollateralSignatures> {
  const { pckCrlChain, tcbInfo, qeIdentity, rootCaCrl, pckCrl } = collateral;
  const root = pckCrlChain.at(-1);
  const pckIssuer = pckCrlChain[0];
  const tcbSigner = tcbInfo.chain[0];
  const qeSigner = qeIdentity.chain[0];
  const chains = new ChainSignatures(crypto);
  const none = Promise.resolve(false);
  const [pckChainOk, tcbChainOk, qeChainOk, rootCrlOk, pckCrlOk, tcbOk, qeOk] = await Promise.all([
    chains.hold(pckCrlChain),
    chains.hold(tcbInfo.chain),
    chains.hold(qeIdentity.chain),
    root ? crypto.verify(rootCaCrl.scheme, root.publicKey, rootCaCrl.tbs, rootCaCrl.signature) : none,
    pckIssuer ? crypto.verify(pckCrl.scheme, pckIssuer.publicKey, pckCrl.tbs, pckCrl.signature) : none,
    tcbSigner ? crypto.verify("p256-sha256", tcbSigner.publicKey, tcbInfo.bytes, tcbInfo.signature) : none,
    qeSigner
      ? crypto.verify("p256-sha256", qeSigner.publicKey, qeIdentity.bytes, qeIdentity.signature)
      : none,
  ]);
  return {
    pckCrlChain: pckChainOk,
    tcbChain: tcbChainOk,
    qeChain: qeChainOk,
    rootCaCrl: rootCrlOk,
    pckCrl: pckCrlOk,
    tcbInfo: tcbOk,
    qeIdentity: qeOk,
  };
}
