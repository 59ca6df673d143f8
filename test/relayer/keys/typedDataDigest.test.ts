import { expect } from "chai";
import { hashTypedData, recoverTypedDataAddress } from "viem";
import type { TypedDataDefinition } from "viem";
import { privateKeyToAccount } from "viem/accounts";

import { batchTypedData } from "../../../protocol/session/batch.ts";
import {
  endpointTypes,
  instanceEntryTypes,
  leaseDomain,
  ledgerDomain,
} from "../../../protocol/session/domains.ts";
import { acceptTypedData, openTypedData } from "../../../protocol/session/handshake.ts";
import { verdictDigest, verdictTypedData } from "../../../protocol/session/verdict.ts";
import { toHex } from "../../../protocol/words/hex.ts";
import type { Address, Bytes32, Hex, PlatformId } from "../../../protocol/words/hex.ts";
import { keccakReady } from "../../../relayer/keccak.ts";
import { localAccount } from "../../../relayer/keys/localAccount.ts";
import { recoverTypedData } from "../../../relayer/keys/recoverTypedData.ts";
import { typedDataDigest } from "../../../relayer/keys/typedDataDigest.ts";
import { random } from "../../support/random.ts";

describe("typed data of services, against viem's", () => {
  const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31);
  const choice = random(seed);
  const bytes = (length: number): Hex => toHex(Uint8Array.from({ length }, () => choice.below(256)));
  const address = (): Address => bytes(20) as Address;
  const word = (): Bytes32 => bytes(32) as Bytes32;
  const key: Hex = `0x${"07".repeat(32)}`;
  const contract = address();
  before(() => keccakReady);

  it(`digest_domainsThatDifferInOnePart_isViems (SEED=${seed})`, () => {
    const domains = [
      ledgerDomain(1, contract),
      ledgerDomain(2, contract),
      ledgerDomain(1, address()),
      leaseDomain(1, contract),
      { ...leaseDomain(1, contract), salt: word() },
      { name: "undefined" },
      {},
    ];
    const message = { app: address(), evidenceDigest: word() };
    for (let pass = 0; pass < 2; pass++) {
      for (const domain of domains) {
        const data = { domain, types: instanceEntryTypes, primaryType: "InstanceEntry", message } as const;
        expect(typedDataDigest(data)).to.equal(hashTypedData(data));
      }
    }
  });

  it(`digest_everythingThatRelayersAndSignersSign_isViems (SEED=${seed})`, () => {
    for (let run = 0; run < 30; run++) {
      const statement = {
        ...{
          ledger: contract,
          root: word(),
          count: choice.below(2 ** 31),
          validUntil: choice.below(2 ** 31),
        },
        ...{ minBlock: choice.below(2 ** 31), blockHash: word() },
      };
      const batch = batchTypedData(31_337, contract, statement);
      expect(typedDataDigest(batch)).to.equal(hashTypedData(batch));
      const verdict = {
        ...{ consumer: address(), subject: address(), key: address(), evidenceBlock: choice.below(2 ** 31) },
        ...{ evidenceBlockHash: word(), platformId: word() as PlatformId, composeHash: word() },
        ...{ osImageHash: word(), measurementDigest: word(), pinnedMeasurementDigest: word() },
        ...{ kind: choice.below(256), status: choice.below(256), advisoriesDigest: word() },
        ...{ evidenceDigest: word(), gpuDigest: word(), validUntil: choice.below(2 ** 31) },
        simulated: choice.chance(0.5),
      };
      expect(typedDataDigest(verdictTypedData(1, contract, verdict))).to.equal(
        verdictDigest(1, contract, verdict),
      );
      const place = { chainId: 1, ledger: contract };
      const shaken = {
        ...{ app: address(), key: address(), relayer: address() },
        ...{ relayerChallenge: word(), guestChallenge: word() },
      };
      const [open, accept] = [openTypedData(place, shaken), acceptTypedData(place, shaken)];
      expect(typedDataDigest(open)).to.equal(hashTypedData(open));
      expect(typedDataDigest(accept)).to.equal(hashTypedData(accept));
    }
  });

  it("digest_valuesAndTypesOfOtherForms_isViemsToo", () => {
    const checksummed = privateKeyToAccount(key).address;
    const domain = leaseDomain(1, contract);
    const definitions: TypedDataDefinition[] = [
      // Addresses with a checksum, numbers beyond 64 bits, text that is not ASCII, an empty struct.
      {
        domain,
        types: { A: [{ name: "a", type: "address" }] },
        primaryType: "A",
        message: { a: checksummed },
      },
      {
        domain,
        types: { A: [{ name: "a", type: "uint256" }] },
        primaryType: "A",
        message: { a: 2n ** 255n },
      },
      {
        domain,
        types: { A: [{ name: "a", type: "uint256" }] },
        primaryType: "A",
        message: { a: 2n ** 64n - 1n },
      },
      {
        domain,
        types: { A: [{ name: "a", type: "string" }] },
        primaryType: "A",
        message: { a: "höst\u0000" },
      },
      { domain, types: { A: [] }, primaryType: "A", message: {} },
      // Types that are not written in one go.
      { domain, types: { A: [{ name: "a", type: "bytes" }] }, primaryType: "A", message: { a: "0x0102" } },
      {
        domain,
        types: { A: [{ name: "a", type: "bytes4" }] },
        primaryType: "A",
        message: { a: "0x01020304" },
      },
      { domain, types: { A: [{ name: "a", type: "int8" }] }, primaryType: "A", message: { a: -1 } },
      { domain, types: { A: [{ name: "a", type: "uint8[]" }] }, primaryType: "A", message: { a: [1, 2] } },
      {
        domain,
        types: { A: [{ name: "a", type: "B" }], B: [{ name: "b", type: "bool" }] },
        primaryType: "A",
        message: { a: { b: true } },
      },
    ];
    for (const definition of definitions) {
      expect(typedDataDigest(definition), JSON.stringify(definition.types)).to.equal(
        hashTypedData(definition),
      );
    }
  });

  it("recover_messageThatItsTypesCannotHold_isNobodys", async () => {
    const account = localAccount(key);
    const data = {
      domain: leaseDomain(1, contract),
      types: endpointTypes,
      primaryType: "InstanceEndpoint",
    } as const;
    const message = { app: address(), host: "h", port: 443, until: 2 };
    const signature = await account.signTypedData({ ...data, message });
    expect(signature).to.equal(await privateKeyToAccount(key).signTypedData({ ...data, message }));
    expect(recoverTypedData({ ...data, message }, signature)).to.equal(account.address.toLowerCase());
    const wrong: Record<string, object> = {
      port: { ...message, port: 65_536 },
      negative: { ...message, port: -1 },
      fraction: { ...message, port: 1.5 },
      until: { ...message, until: Number.MAX_SAFE_INTEGER },
      app: { ...message, app: "0x22" },
      host: { ...message, host: 7 },
      missing: { host: "h", port: 1, until: 2 },
    };
    for (const [name, each] of Object.entries(wrong)) {
      const definition = { ...data, message: each as typeof message };
      // viem reads a number as the text of its hex, and finds a stranger: so do we.
      const theirs = await recoverTypedDataAddress({ ...definition, signature }).catch(() => null);
      expect(recoverTypedData(definition, signature), name).to.equal(theirs?.toLowerCase() ?? null);
      expect(theirs?.toLowerCase(), name).not.to.equal(account.address.toLowerCase());
    }
  });
});
