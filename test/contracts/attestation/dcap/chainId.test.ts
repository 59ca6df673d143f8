import { expect } from "chai";
import { toBeHex, type BaseContract } from "ethers";
import hre from "hardhat";

import { collateralCalls } from "../../../../protocol/evidence/dcap/onchain/collateralCalls.ts";
import {
  encodeFirstQuote,
  encodeKnownQuote,
} from "../../../../protocol/evidence/dcap/onchain/encodeQuote.ts";
import { factsOf } from "../../../../protocol/evidence/dcap/onchain/facts.ts";
import { parseQuote } from "../../../../protocol/evidence/dcap/parseQuote.ts";
import { toHex, type Hex } from "../../../../protocol/words/hex.ts";
import { IDcapCollateral__factory } from "../../../../types/typechain/index.ts";
import { issueCollateral } from "../../../../worker/tee/simulator/collateral.ts";
import { AT, pki, quoteOf } from "../../../protocol/evidence/simulated.ts";
import { startAnvil, type Anvil } from "../../../support/anvil.ts";
import { walletOf, type Connection } from "../../support/charter.ts";
import {
  attestDirect,
  deployDirect,
  directPolicy,
  registerDirect,
  type DirectCharter,
} from "../../support/direct.ts";
import { createApp } from "../../support/flows.ts";

const CA_PLATFORM = 1;
const FAMILY = (1 << 2) | CA_PLATFORM;
const DEVELOPMENT = [1337, 31_337];
const PRODUCTION = [1, 8453, 31_338];

/**
 * A test root is looked at whenever it is used, not only at construction: contracts that were deployed on a development
 * chain answer nothing on its fork under another id. EDR cannot change its id; anvil can.
 */
describe("a test root after the chain's id changed", function () {
  this.timeout(120_000);
  const [nodeKey, key] = [walletOf("node key"), walletOf("instance key")];
  let anvil: Anvil;
  let connection: Connection;
  let charter: DirectCharter;
  let app: string;
  /** Questions that rest on the root, and what each answered while it counted. */
  let uses: Readonly<Record<string, { readonly to: BaseContract; readonly data: string }>>;
  before(async () => {
    anvil = await startAnvil(["--timestamp", String(AT)]);
    connection = await hre.network.create({ network: "target", override: { url: anvil.url } });
    charter = await deployDirect(connection, AT);
    const { collateral, dcapVerifier, attestationLedger, nodeRegistry } = charter;
    app = await (
      await createApp(charter, { settings: directPolicy(charter.platform.platformId) })
    ).getAddress();
    await (await registerDirect(charter, nodeKey)).wait();
    await (await attestDirect(charter, app, key)).wait();
    const quote = await quoteOf({}, charter.platform);
    const facts = toHex(factsOf(parseQuote(quote)));
    const of = (to: BaseContract, name: string, ...args: unknown[]) => ({
      to,
      data: to.interface.encodeFunctionData(name, args),
    });
    // The calls that entered them, as they were sent: now of a second node and a second instance.
    const dataOf = async (sent: Promise<{ data: string }>) => (await sent).data;
    const [registering, attesting] = [
      await dataOf(registerDirect(charter, walletOf("second node"), { record: 1 })),
      await dataOf(attestDirect(charter, app, walletOf("second instance"))),
    ];
    await anvil.rpc("anvil_mine", "0x1");
    const puts = collateralCalls(issueCollateral(pki, { at: AT - 30 })).map(
      ({ functionName, args }, i) => [`${functionName} ${i}`, of(collateral, functionName, ...args)] as const,
    );
    uses = {
      ...Object.fromEntries(puts),
      familyStanding: of(collateral, "familyStanding", FAMILY),
      isRevoked: of(collateral, "isRevoked", CA_PLATFORM, 1),
      isTagRevoked: of(collateral, "isTagRevoked", CA_PLATFORM, 1),
      caKey: of(collateral, "caKey", CA_PLATFORM),
      simulated: of(collateral, "simulated"),
      documentsOf: of(collateral, "documentsOf", 1, "0xf0ca57000000", CA_PLATFORM),
      "a first quote": of(dcapVerifier, "verifyQuote", encodeFirstQuote(quote)),
      "a repeat quote": of(dcapVerifier, "verifyQuote", encodeKnownQuote(quote, 1)),
      rejudge: of(dcapVerifier, "rejudge", 1, facts),
      standing: of(dcapVerifier, "standing", 1),
      register: { to: nodeRegistry, data: registering },
      attest: { to: attestationLedger, data: attesting },
    };
  });
  after(async () => {
    await (connection as Connection | undefined)?.close();
    await (anvil as Anvil | undefined)?.stop();
  });

  /** The selector of the error that a call reverts with; null where it answers. */
  async function refusalOf({ to, data }: { readonly to: BaseContract; readonly data: string }) {
    const response = await fetch(anvil.url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        jsonrpc: "2.0",
        id: 1,
        method: "eth_call",
        params: [
          { from: charter.stranger.address, to: await to.getAddress(), data, gas: toBeHex(16_000_000) },
          "latest",
        ],
      }),
    });
    const { error } = (await response.json()) as { error?: { data?: Hex; message: string } };
    return error ? (error.data ?? error.message) : null;
  }
  const isLive = async () => {
    const { attestationLedger: ledger } = charter;
    const data = ledger.interface.encodeFunctionData("isLive", [app, key.address]);
    return BigInt(await anvil.rpc<Hex>("eth_call", { to: await ledger.getAddress(), data }, "latest"));
  };
  const isActive = async () => {
    const data = charter.nodeRegistry.interface.encodeFunctionData("isActive", [1]);
    return BigInt(
      await anvil.rpc<Hex>("eth_call", { to: await charter.nodeRegistry.getAddress(), data }, "latest"),
    );
  };

  for (const chainId of [...DEVELOPMENT, ...PRODUCTION]) {
    const counts = DEVELOPMENT.includes(chainId);
    it(`use_onChain${chainId}_${counts ? "answers" : "revertsEachAndNobodyIsLive"}`, async () => {
      await anvil.rpc("anvil_setChainId", chainId);
      const error = IDcapCollateral__factory.createInterface().encodeErrorResult(
        "TestRootOnProductionChain",
        [chainId],
      );
      for (const [name, use] of Object.entries(uses)) {
        // Signatures of other chains, and what was entered already: refused for that, where the root counts.
        if (counts && (name === "register" || name === "attest")) continue;
        expect(await refusalOf(use), name).to.equal(counts ? null : error);
      }
      expect(await isLive(), "isLive").to.equal(counts ? 1n : 0n);
      expect(await isActive(), "isActive").to.equal(counts ? 1n : 0n);
    });
  }
});
