import { createHash } from "node:crypto";
import { keccak256 } from "viem";

import type { Bytes32 } from "../../../protocol/words/hex.ts";
import { labelled } from "./keys.ts";

/** One entry of dstack's event log, as its guest agent prints it. */
export interface LoggedEvent {
  readonly imr: number;
  readonly event_type: number;
  readonly digest: string;
  readonly event: string;
  readonly event_payload: string;
}

/** dstack's runtime events (RTMR3). */
export const DSTACK_EVENT_TYPE = 0x08000001;
const EV_SEPARATOR = 4;
const EV_EVENT_TAG = 6;
const EV_EFI_ACTION = 0x80000007;

const sha384 = (...parts: readonly Uint8Array[]): Buffer => {
  const hash = createHash("sha384");
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/** dstack's V1 digest of a runtime event: SHA384(LE32(type) ":" name ":" payload). */
export function eventDigest(name: string, payload: Uint8Array): Buffer {
  const type = Buffer.alloc(4);
  type.writeUInt32LE(DSTACK_EVENT_TYPE);
  return sha384(type, Buffer.from(`:${name}:`, "utf8"), payload);
}

/** A register after one more digest. */
export const extended = (register: Uint8Array, digest: Uint8Array): Buffer => sha384(register, digest);

/** The simulated machine's firmware. */
export const MRTD = labelled("charter simulated virtual firmware", 48);

const bootEvent = (imr: number, type: number, payload: Buffer): LoggedEvent => ({
  imr,
  event_type: type,
  digest: sha384(payload).toString("hex"),
  event: "",
  event_payload: payload.toString("hex"),
});
const action = (imr: number, text: string): LoggedEvent =>
  bootEvent(imr, EV_EFI_ACTION, Buffer.from(text, "latin1"));

/** What firmware, kernel and initrd of the simulated image measure before any of our code runs. */
export const BOOT_EVENTS: readonly LoggedEvent[] = [
  bootEvent(0, EV_SEPARATOR, Buffer.alloc(4)),
  action(1, "Calling EFI Application from Boot Option"),
  bootEvent(1, EV_SEPARATOR, Buffer.alloc(4)),
  bootEvent(2, EV_EVENT_TAG, Buffer.from("charter simulated kernel command line", "latin1")),
  bootEvent(2, EV_EVENT_TAG, Buffer.from("charter simulated initrd", "latin1")),
  action(1, "Exit Boot Services Invocation"),
  action(1, "Exit Boot Services Returned with Success"),
];

/** RTMR0 to 3 after boot. */
export function bootRegisters(): [Buffer, Buffer, Buffer, Buffer] {
  const registers: [Buffer, Buffer, Buffer, Buffer] = [
    Buffer.alloc(48),
    Buffer.alloc(48),
    Buffer.alloc(48),
    Buffer.alloc(48),
  ];
  for (const { imr, digest } of BOOT_EVENTS) {
    registers[imr as 0 | 1 | 2 | 3] = extended(registers[imr as 0 | 1 | 2 | 3], Buffer.from(digest, "hex"));
  }
  return registers;
}

const digestOf = (...parts: readonly Uint8Array[]): Bytes32 => keccak256(Buffer.concat(parts)) as Bytes32;
const [rtmr0, rtmr1, rtmr2] = bootRegisters();

/** What an app's policy lists to allow the simulated image (DESIGN section 4, OS-image entry). */
export const SIMULATED_IMAGE = {
  osImageHash: `0x${createHash("sha256").update("charter simulated OS image").digest("hex")}` as Bytes32,
  /** keccak256(MRTD‖RTMR1‖RTMR2). */
  measurementDigest: digestOf(MRTD, rtmr1, rtmr2),
  /** keccak256(MRTD‖RTMR1‖RTMR2‖RTMR0). */
  pinnedMeasurementDigest: digestOf(MRTD, rtmr1, rtmr2, rtmr0),
} as const;

/** dstack's vm_config of the simulated machine. */
export const VM_CONFIG = JSON.stringify({
  spec_version: 1,
  os_image_hash: SIMULATED_IMAGE.osImageHash.slice(2),
  cpu_count: 2,
  memory_size: 2_147_483_648,
  qemu_single_pass_add_pages: false,
  pic: false,
  pci_hole64_size: 0,
  num_gpus: 0,
  num_nvswitches: 0,
  hugepages: false,
  hotplug_off: true,
  qemu_version: "9.2.1",
});
