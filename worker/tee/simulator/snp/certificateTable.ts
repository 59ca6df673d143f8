import type { SnpCertificates } from "../../../../protocol/evidence/snp/amdChain.ts";

/** GUIDs in the byte order of their text (GHCB 56421, "SNP Extended Guest Request"). */
const GUIDS = {
  VCEK: "63da758de6644564adc5f4b93be8accd",
  VLEK: "a8074bc2a25a483eaae639c045a0b8a1",
  ask: "4ab7b379bbac4fe4a02f05aef327c782",
  ark: "c0b406a4a803495297433fb6014cd0ae",
} as const;
const ENTRY_BYTES = 24;

/** The table of certificates that a host gives its guests, as the kernel hands it on. */
export function certificateTable(signer: "VCEK" | "VLEK", { leaf, ask, ark }: SnpCertificates): Buffer {
  const certificates = [
    [GUIDS[signer], leaf],
    [GUIDS.ask, ask],
    [GUIDS.ark, ark],
  ] as const;
  let offset = ENTRY_BYTES * (certificates.length + 1);
  const rows = certificates.map(([guid, { length }]) => {
    const row = Buffer.alloc(ENTRY_BYTES);
    row.write(guid, "hex");
    row.writeUInt32LE(offset, 16);
    row.writeUInt32LE(length, 20);
    offset += length;
    return row;
  });
  return Buffer.concat([...rows, Buffer.alloc(ENTRY_BYTES), ...certificates.map(([, bytes]) => bytes)]);
}
