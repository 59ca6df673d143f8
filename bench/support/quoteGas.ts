/**
 * What quotes cost to verify on chain, exactly, over collateral that is kept on chain, and what the entries cost that rest
 * on them.
 */
import type { ContractTransactionResponse } from "ethers";

import { parseCertificate } from "../../protocol/der/certificate.ts";
import { splitPem } from "../../protocol/der/pem.ts";
import { encodeFirstQuote, encodeKnownQuote } from "../../protocol/evidence/dcap/onchain/encodeQuote.ts";
import { parseQuote } from "../../protocol/evidence/dcap/parseQuote.ts";
import type { Hex } from "../../protocol/words/hex.ts";
import { simulatedPlatform } from "../../worker/tee/simulator/platform.ts";
import { SimulatedSgx } from "../../worker/tee/simulator/SimulatedSgx.ts";
import { version5 } from "../../test/protocol/evidence/dcap/defects/quoteDefects.ts";
import { AT, issued, pki, platform, quoteOf } from "../../test/protocol/evidence/simulated.ts";
import { openChainAt } from "../../test/contracts/attestation/dcap/support/verifier.ts";
import { walletOf } from "../../test/contracts/support/charter.ts";
import {
  attestDirect,
  bring,
  deployDirect,
  directPolicy,
  registerDirect,
} from "../../test/contracts/support/direct.ts";
import { createApp } from "../../test/contracts/support/flows.ts";

type Platform = typeof platform;
const DATA = new Uint8Array(64).fill(5);

const QUOTES: Readonly<Record<string, (on: Platform) => Promise<Uint8Array>>> = {
  "dcap.tdx": (on) => quoteOf({}, on),
  "dcap.tdx5": async (on) => {
    const good = { kind: "tdx4", quote: await quoteOf({}, on), collateral: issued(), at: AT } as const;
    return version5(good, 3, new Uint8Array(64));
  },
  "dcap.sgx": (on) => Promise.resolve(new SimulatedSgx(on).quote(DATA)),
};

/** Whole transactions: a platform's second record (the first also makes the counter's slot), and a quote of a known one. */
export async function measureQuotes(): Promise<Readonly<Record<string, number>>> {
  const figures: Record<string, number> = {};
  const connection = await openChainAt(AT);
  try {
    const charter = await deployDirect(connection, AT);
    await bring(charter, { at: AT, tee: "sgx" });
    const gasOf = async (sent: Promise<ContractTransactionResponse>): Promise<number> => {
      const receipt = await (await sent).wait();
      if (receipt?.status !== 1) throw new Error("the transaction failed");
      return Number(receipt.gasUsed);
    };
    // The first of everything also makes the counters' slots: it is no figure.
    await gasOf(registerDirect(charter, walletOf("first node")));
    const app = await createApp(charter, { settings: directPolicy(charter.platform.platformId) });
    await gasOf(attestDirect(charter, await app.getAddress(), walletOf("first instance")));
    const other = { ...charter, platform: await steadyPlatform("another") };
    figures["node.register"] = await gasOf(registerDirect(other, walletOf("node"), { byOperator: true }));
    const third = { ...charter, platform: await steadyPlatform("a third") };
    figures["node.register.sentForIt"] = await gasOf(registerDirect(third, walletOf("third node")));
    figures["ledger.attest"] = await gasOf(
      attestDirect(charter, await app.getAddress(), walletOf("instance")),
    );
    const { dcapVerifier: verifier } = charter;
    const quoteGas = (quote: Hex): Promise<number> => gasOf(verifier.verifyQuote(quote));
    for (const [name, make] of Object.entries(QUOTES)) {
      const quote = await withoutZeros(make);
      figures[`${name}.first`] = await quoteGas(encodeFirstQuote(quote));
      figures[`${name}.first.whole`] = await quoteGas(encodeFirstQuote(quote, "whole"));
      figures[`${name}.repeat`] = await quoteGas(
        encodeKnownQuote(quote, Number(await verifier.recordCount())),
      );
    }
    return figures;
  } finally {
    await connection.close();
  }
}

/**
 * Signatures are random, and a zero byte of call data costs less: none in any of a quote's, so that the figures are the
 * same each time.
 */
function isSteady(quote: Uint8Array): boolean {
  const { signature, qeReportSignature, pckChain } = parseQuote(quote);
  const pck = parseCertificate(splitPem(pckChain)[0] as Uint8Array);
  const isLong = pck.signature.every((byte, i) => byte > (i % 32 === 0 ? 0x7f : 0));
  return !signature.includes(0) && !qeReportSignature.includes(0) && isLong;
}

async function withoutZeros(make: (on: Platform) => Promise<Uint8Array>): Promise<Uint8Array> {
  for (;;) {
    const quote = await make(simulatedPlatform(pki, { name: platform.name }));
    if (isSteady(quote)) return quote;
  }
}

/** A platform whose certificate and QE report are signed without zeros. */
async function steadyPlatform(name: string): Promise<Platform> {
  for (;;) {
    const on = simulatedPlatform(pki, { name });
    if (isSteady(await quoteOf({}, on))) return on;
  }
}
