import { expect } from "chai";

import {
  certificatesOfTable,
  MAX_TABLE_BYTES,
  readCertificateTable,
} from "../../../../protocol/evidence/snp/certificateTable.ts";
import { fromHex, toHex } from "../../../../protocol/words/hex.ts";
import { refusalOf } from "../../../support/refusal.ts";

const VCEK = "63da758de6644564adc5f4b93be8accd";
const VLEK = "a8074bc2a25a483eaae639c045a0b8a1";
const ASK = "4ab7b379bbac4fe4a02f05aef327c782";
const ARK = "c0b406a4a803495297433fb6014cd0ae";
const CRL = "92f81bc358114d3d97ffd19f88dc67ea";
const END = "0".repeat(32);

type Entry = readonly [guid: string, offset: number, length: number];

/** A table with 64 bytes of content behind its entries, whose offsets count from there. */
function tableOf(entries: readonly Entry[], end: Entry | null = [END, 0, 0]): Uint8Array {
  const all = end ? [...entries, end] : entries;
  const head = 24 * all.length;
  const rows = all.map(([guid, offset, length]) => {
    const row = Buffer.alloc(24);
    row.set(fromHex(`0x${guid}`));
    row.writeUInt32LE(guid === END ? offset : head + offset, 16);
    row.writeUInt32LE(length, 20);
    return row;
  });
  return Uint8Array.from(Buffer.concat([...rows, Buffer.from(Array.from({ length: 64 }, (_, i) => i))]));
}

const GOOD: readonly Entry[] = [
  [ARK, 0, 3],
  [VCEK, 3, 2],
  [CRL, 10, 4],
  [ASK, 20, 1],
];

describe("the kernel's certificate table", () => {
  it("gives leaf, CA and root of the signer, whatever else it holds", () => {
    const { leaf, ask, ark } = certificatesOfTable(tableOf(GOOD), "VCEK");
    expect([leaf, ask, ark].map(toHex)).to.deep.equal(["0x0304", "0x14", "0x000102"]);
    const both = [...GOOD, [VLEK, 30, 1]] as const;
    expect(toHex(certificatesOfTable(tableOf(both), "VLEK").leaf)).to.equal("0x1e");
  });

  it("may lack any of them", () => {
    const only = (guid: string) => tableOf(GOOD.filter(([one]) => one === guid));
    expect(Object.keys(readCertificateTable(only(VCEK), "VCEK"))).to.deep.equal(["leaf"]);
    expect(Object.keys(readCertificateTable(only(VCEK), "VLEK"))).to.deep.equal([]);
    expect(Object.keys(readCertificateTable(only(ARK), "VCEK"))).to.deep.equal(["ark"]);
    expect(readCertificateTable(tableOf([]), "VCEK")).to.deep.equal({});
    expect(refusalOf(() => readCertificateTable(new Uint8Array(23), "VCEK"))).to.equal(
      "evidence/snp-certificate-table",
    );
  });

  it("is refused where an entry is missing, twice, empty, outside or over another, or where it has no end", () => {
    const bad: Readonly<Record<string, Uint8Array>> = {
      "no VCEK": tableOf(GOOD.filter(([guid]) => guid !== VCEK)),
      "no ASK": tableOf(GOOD.filter(([guid]) => guid !== ASK)),
      "no ARK": tableOf(GOOD.filter(([guid]) => guid !== ARK)),
      twice: tableOf([...GOOD, [ASK, 40, 1]]),
      empty: tableOf([...GOOD, [VLEK, 40, 0]]),
      outside: tableOf([...GOOD, [VLEK, 63, 2]]),
      "far outside": tableOf([...GOOD, [VLEK, 0xffff_0000, 0xffff_ffff]]),
      "over another": tableOf([...GOOD, [VLEK, 2, 2]]),
      "over the entries": tableOf(
        [...GOOD, [VLEK, -1, 1]].map(([guid, offset, length]) => [guid, offset, length] as Entry),
      ),
      "no end": tableOf(GOOD, null),
      "an end with a length": tableOf(GOOD, [END, 0, 1]),
      "eleven entries": tableOf(
        Array.from({ length: 11 }, (_, i) => [`${i + 10}`.repeat(16), i, 1] as Entry),
      ),
      nothing: new Uint8Array(),
      "too long": new Uint8Array(MAX_TABLE_BYTES + 1),
    };
    for (const [name, table] of Object.entries(bad)) {
      expect(
        refusalOf(() => certificatesOfTable(table, "VCEK")),
        name,
      ).to.equal("evidence/snp-certificate-table");
    }
    expect(refusalOf(() => certificatesOfTable(tableOf(GOOD), "VLEK"))).to.equal(
      "evidence/snp-certificate-table",
    );
  });
});
