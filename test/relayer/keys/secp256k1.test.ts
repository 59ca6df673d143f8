import { secp256k1 } from "@noble/curves/secp256k1.js";
import { expect } from "chai";
import { hexToBytes, recoverAddress } from "viem";
import { privateKeyToAccount } from "viem/accounts";

import { toHex } from "../../../protocol/words/hex.ts";
import type { Address, Hex } from "../../../protocol/words/hex.ts";
import { localAccount } from "../../../relayer/keys/localAccount.ts";
import { recoverSigner, signDigest } from "../../../relayer/keys/secp256k1.ts";
import { random } from "../../support/random.ts";

const ORDER = secp256k1.CURVE.n;
const hex32 = (number: bigint): string => number.toString(16).padStart(64, "0");

/** viem, by another curve, as the oracle of what a signature is worth. */
async function oracle(hash: Hex, signature: Hex): Promise<Address | null> {
  return recoverAddress({ hash, signature }).then(
    (address) => address.toLowerCase() as Address,
    () => null,
  );
}

describe("secp256k1 of services, against viem's", () => {
  const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31);
  const choice = random(seed);
  const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, () => choice.below(256));
  const newKey = (): Hex => {
    for (;;) {
      const key = bytes(32);
      if (secp256k1.utils.isValidPrivateKey(key)) return toHex(key);
    }
  };

  it(`sign_randomKeysAndHashes_givesViemsBytes (SEED=${seed})`, async () => {
    const edges = [0n, 1n, ORDER - 1n, ORDER, 2n ** 256n - 1n].map((number): Hex => `0x${hex32(number)}`);
    for (const hash of [...edges.slice(0, 3), ...Array.from({ length: 40 }, () => toHex(bytes(32)))]) {
      const key = newKey();
      const signature = await localAccount(key).sign({ hash });
      expect(signature, `${key} ${hash}`).to.equal(await privateKeyToAccount(key).sign({ hash }));
      expect(signature).to.equal(signDigest(hexToBytes(hash), hexToBytes(key)));
    }
    // Hashes beyond the order are taken by both, whoever signed them.
    for (const hash of edges) {
      const account = privateKeyToAccount(newKey());
      const signature = await account.sign({ hash });
      expect(recoverSigner(hexToBytes(hash), signature), hash).to.equal(account.address.toLowerCase());
    }
  });

  it(`recover_everyFormOfASignature_saysWhatViemSays (SEED=${seed})`, async () => {
    for (let run = 0; run < 12; run++) {
      const account = privateKeyToAccount(newKey());
      const hash = toHex(bytes(32));
      const signature = await account.sign({ hash });
      const [r, s, v] = [
        signature.slice(2, 66),
        signature.slice(66, 130),
        Number(`0x${signature.slice(130)}`),
      ];
      const high = hex32(ORDER - BigInt(`0x${s}`));
      const compact = `${r}${hex32(BigInt(`0x${s}`) | (BigInt(v - 27) << 255n))}`;
      const flipped = choice.below(64);
      const forms: Record<string, string> = {
        plain: signature.slice(2),
        upperCase: signature.slice(2).toUpperCase(),
        parity: `${r}${s}0${v - 27}`,
        highS: `${r}${high}${(55 - v).toString(16)}`,
        highSWrongParity: `${r}${high}${v.toString(16)}`,
        otherParity: `${r}${s}${(55 - v).toString(16)}`,
        compact,
        compactWithV: `${compact}${v.toString(16)}`,
        zeroR: `${hex32(0n)}${s}1b`,
        zeroS: `${r}${hex32(0n)}1b`,
        orderR: `${hex32(ORDER)}${s}1b`,
        orderS: `${r}${hex32(ORDER)}1b`,
        largest: `${"ff".repeat(64)}1b`,
        noPoint: `${hex32(5n)}${s}1b`,
        ...Object.fromEntries(
          [2, 3, 26, 29, 30, 35, 255].map((byte) => [`v${byte}`, `${r}${s}${hex32(BigInt(byte)).slice(-2)}`]),
        ),
        short: signature.slice(2, -2),
        long: `${signature.slice(2)}00`,
        noHex: `${signature.slice(2, -1)}g`,
        nothing: "",
        bitFlipped: signature.slice(2, 2 + 2 * flipped) + "00" + signature.slice(4 + 2 * flipped),
      };
      for (const [name, form] of Object.entries(forms)) {
        const expected = await oracle(hash, `0x${form}`);
        expect(recoverSigner(hexToBytes(hash), `0x${form}`), `${name} 0x${form} of ${hash}`).to.equal(
          expected,
        );
      }
      const own = account.address.toLowerCase();
      for (const name of ["plain", "upperCase", "parity", "highS"]) {
        expect(recoverSigner(hexToBytes(hash), `0x${forms[name]!}`), name).to.equal(own);
      }
      for (const name of [
        "compact",
        "zeroR",
        "zeroS",
        "orderR",
        "orderS",
        "largest",
        "v2",
        "v35",
        "short",
        "long",
      ]) {
        expect(recoverSigner(hexToBytes(hash), `0x${forms[name]!}`), name).to.equal(null);
      }
    }
  });

  it(`recover_randomBytes_saysWhatViemSays (SEED=${seed})`, async () => {
    for (let run = 0; run < 60; run++) {
      const hash = toHex(bytes(32));
      const signature: Hex = `${toHex(bytes(64))}${choice.chance(0.5) ? "1b" : "1c"}`;
      expect(recoverSigner(hexToBytes(hash), signature), `${hash} ${signature}`).to.equal(
        await oracle(hash, signature),
      );
    }
  });

  it("account_signingTransactionsAndMessages_isViemsOwn", async () => {
    const key = newKey();
    const [ours, theirs] = [localAccount(key), privateKeyToAccount(key)];
    expect([ours.address, ours.publicKey, ours.type]).to.deep.equal([
      theirs.address,
      theirs.publicKey,
      theirs.type,
    ]);
    const transaction = {
      type: "eip1559",
      chainId: 1,
      nonce: 1,
      to: ours.address,
      gas: 21_000n,
      maxFeePerGas: 2n,
    } as const;
    expect(await ours.signTransaction(transaction)).to.equal(await theirs.signTransaction(transaction));
    expect(await ours.signMessage({ message: "x" })).to.equal(await theirs.signMessage({ message: "x" }));
    expect(() => localAccount(`0x${"00".repeat(32)}`)).to.throw();
  });
});
