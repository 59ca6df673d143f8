import { getBytes } from "ethers";

import type { IsvLevel, QeIdentity, TcbInfo } from "../../../../../protocol/evidence/dcap/tcbSchemas.ts";
import { advisoriesDigest } from "../../../../../protocol/session/verdict.ts";
import { TcbStatus } from "../../../../../protocol/words/enums.ts";

/** What contracts/attestation/dcap/TcbBlob.sol says that the blob of TCB info is, written again from that text. */
export function packTcbInfo(info: TcbInfo): Buffer {
  const index = new Index();
  const isTdx = info.id === "TDX";
  const modules = isTdx
    ? info.tdxModuleIdentities.map((one) =>
        Buffer.concat([
          Buffer.from(one.id.slice(4), "hex"),
          number(one.tcbLevels.length, 1),
          moduleBytes(one),
          isvLevels(one.tcbLevels, index),
        ]),
      )
    : [];
  const front = isTdx ? Buffer.concat([moduleBytes(info.tdxModule), ...modules]) : Buffer.alloc(0);
  const levels = info.tcbLevels.map(({ tcb, tcbStatus, advisoryIDs }) =>
    Buffer.concat([
      Buffer.from(tcb.sgxtcbcomponents),
      Buffer.from(tcb.tdxtcbcomponents ?? new Uint8Array(16)),
      number(tcb.pcesvn, 2),
      number(TcbStatus[tcbStatus], 1),
      number(index.set(advisoryIDs), 1),
    ]),
  );
  const body = Buffer.concat([front, ...levels]);
  const header = Buffer.concat([
    number(isTdx ? 1 : 2, 1),
    info.fmspc,
    info.pceId,
    number(levels.length, 2),
    number(modules.length, 1),
    number(32 + front.length, 2),
    index.tail(32 + body.length),
    Buffer.alloc(12),
  ]);
  return Buffer.concat([header, body, index.bytes()]);
}

/** The same of a quoting enclave's identity. */
export function packQeIdentity(qe: QeIdentity): Buffer {
  const index = new Index();
  const body = Buffer.concat([qe.attributes, qe.attributesMask, qe.mrsigner, isvLevels(qe.tcbLevels, index)]);
  const header = Buffer.concat([
    number(qe.id === "TD_QE" ? 1 : 2, 1),
    number(qe.isvprodid, 2),
    number(qe.tcbLevels.length, 1),
    qe.miscselect,
    qe.miscselectMask,
    Buffer.alloc(14),
    index.tail(32 + body.length),
  ]);
  return Buffer.concat([header, body, index.bytes()]);
}

const moduleBytes = (one: {
  mrsigner: Uint8Array;
  attributes: Uint8Array;
  attributesMask: Uint8Array;
}): Buffer => Buffer.concat([one.mrsigner, one.attributes, one.attributesMask]);

const isvLevels = (levels: readonly IsvLevel[], index: Index): Buffer =>
  Buffer.concat(
    levels.map(({ tcb, tcbStatus, advisoryIDs }) =>
      Buffer.concat([
        number(tcb.isvsvn, 2),
        number(TcbStatus[tcbStatus], 1),
        number(index.set(advisoryIDs), 1),
      ]),
    ),
  );

function number(value: number, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  bytes.writeUIntBE(value, 0, size);
  return bytes;
}

/** Advisory sets in the order of their first use, ids ascending. */
class Index {
  readonly #sets: string[][] = [];

  set(ids: readonly string[]): number {
    const sorted = [...new Set(ids)].sort();
    if (sorted.length === 0) return 0;
    const known = this.#sets.findIndex((one) => one.join() === sorted.join());
    return known < 0 ? this.#sets.push(sorted) : known + 1;
  }

  #ids(): string[] {
    return [...new Set(this.#sets.flat())].sort();
  }

  #width(): number {
    return Math.ceil(this.#ids().length / 8);
  }

  tail(address: number): Buffer {
    const counts = [number(this.#sets.length, 1), number(this.#width(), 1), number(this.#ids().length, 2)];
    return Buffer.concat([number(address, 2), ...counts]);
  }

  bytes(): Buffer {
    const ids = this.#ids();
    const sets = this.#sets.map((set) => {
      const bits = set.reduce((bitmap, id) => bitmap | (1n << BigInt(ids.indexOf(id))), 0n);
      const bitmap = Buffer.from(bits.toString(16).padStart(2 * this.#width(), "0"), "hex");
      return Buffer.concat([getBytes(advisoriesDigest(set)), bitmap]);
    });
    return Buffer.concat([
      ...sets,
      ...ids.map((id) => Buffer.concat([number(id.length, 1), Buffer.from(id)])),
    ]);
  }
}
