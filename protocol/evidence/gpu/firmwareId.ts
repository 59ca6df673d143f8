import type { Certificate } from "../../der/certificate.ts";
import { DerError, DerReader, readOnly, Tag } from "../../der/DerReader.ts";
import { readObjectId, readSmall, readWholeBits } from "../../der/values.ts";
import { equalBytes } from "../../words/bytes.ts";

/** RIoT CompositeDeviceID: device key and firmware id, what Hopper's leaves carry under tcg-dice-TcbInfo. */
const COMPOSITE_DEVICE_ID = "2.23.133.5.4.1";
/** DiceTcbInfo (TCG DICE Attestation Architecture §6.1.1) under NVIDIA's number for it, what Blackwell's carry. */
const DICE_TCB_INFO = "2.23.133.5.4.1.1";
const SHA384 = "2.16.840.1.101.3.4.2.2";

/**
 * The id of the firmware that a leaf's key was made for, 48 bytes. In a CompositeDeviceID the device key must be the
 * issuer's. @throws DerError where the leaf has neither extension or both.
 */
export function readFirmwareId(leaf: Certificate, issuer: Certificate): Uint8Array {
  const composite = leaf.extensions.get(COMPOSITE_DEVICE_ID);
  const tcbInfo = leaf.extensions.get(DICE_TCB_INFO);
  if (composite && !tcbInfo) return readComposite(composite, issuer);
  if (tcbInfo && !composite) return readTcbInfo(tcbInfo);
  throw new DerError("one extension with the firmware's id", 0);
}

/** SEQUENCE { version 1, SubjectPublicKeyInfo of the device, FWID }. */
function readComposite(value: Uint8Array, issuer: Certificate): Uint8Array {
  const list = readOnly(value, Tag.Sequence);
  if (readSmall(list) !== 1) throw new DerError("CompositeDeviceID version 1", 0);
  const key = list.enter(Tag.Sequence);
  key.read(Tag.Sequence);
  const point = readWholeBits(key);
  key.end();
  if (point[0] !== 4 || !equalBytes(point.subarray(1), issuer.publicKey)) {
    throw new DerError("the issuer's key as the device's", 0);
  }
  const id = readFwid(list);
  list.end();
  return id;
}

/** SEQUENCE of tagged fields, [6] the list of FWIDs; the first counts. */
function readTcbInfo(value: Uint8Array): Uint8Array {
  const list = readOnly(value, Tag.Sequence);
  let id: Uint8Array | null = null;
  while (!list.isAtEnd) {
    const { tag, content } = list.readAny();
    if (tag !== 0xa6) continue;
    if (id) throw new DerError("one list of firmware ids", 0);
    id = readFwid(new DerReader(content));
  }
  if (!id) throw new DerError("a list of firmware ids", 0);
  return id;
}

/** FWID ::= SEQUENCE { hashAlg, digest }. */
function readFwid(list: DerReader): Uint8Array {
  const fwid = list.enter(Tag.Sequence);
  if (readObjectId(fwid) !== SHA384) throw new DerError("SHA-384", 0);
  const { content } = fwid.read(Tag.OctetString);
  fwid.end();
  if (content.length !== 48) throw new DerError("48 bytes of firmware id", 0);
  return content;
}
