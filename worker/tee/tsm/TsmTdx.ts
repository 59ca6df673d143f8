import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";

import { parseCertificate } from "../../../protocol/der/certificate.ts";
import { splitPem } from "../../../protocol/der/pem.ts";
import { parseQuote } from "../../../protocol/evidence/dcap/parseQuote.ts";
import { readPckExtensions } from "../../../protocol/evidence/dcap/pckExtensions.ts";
import { parseCcel } from "../../../protocol/evidence/eventlog/ccel.ts";
import { RUNTIME_EVENT, runtimeEventDigest } from "../../../protocol/evidence/eventlog/eventLog.ts";
import { nodeCrypto } from "../../../protocol/crypto/node.ts";
import { CharterError } from "../../../protocol/errors/CharterError.ts";
import { toHex, type PlatformId } from "../../../protocol/words/hex.ts";
import type { EvidenceSource, Quoted } from "../EvidenceSource.ts";
import { tsmReport, type TsmOptions } from "./tsmReport.ts";

/** RTMR3 as Linux 6.16 and later lets it be extended: 48 bytes written are one extension. */
export const RTMR3_FILE = "/sys/devices/virtual/misc/tdx_guest/measurements/rtmr3:sha384";
/** The boot log that the firmware left. */
export const CCEL_FILE = "/sys/firmware/acpi/tables/data/CCEL";

export interface TsmTdxOptions extends TsmOptions {
  /** dstack's VM configuration, JSON with `os_image_hash`: nothing else on a bare TD says which image it is. */
  readonly vmConfig: string;
  readonly rtmr3File?: string;
  readonly ccelFile?: string;
}

interface LogEntry {
  readonly imr: number;
  readonly event_type: number;
  readonly digest: string;
  readonly event: string;
  readonly event_payload: string;
}

const bare = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** A TD without dstack: quotes by configfs-tsm, the firmware's own log, RTMR3 by the kernel's measurement files. */
export class TsmTdx implements EvidenceSource {
  readonly kind = "tdx";
  readonly simulated = false;
  readonly platformId: PlatformId;
  readonly #options: TsmTdxOptions;
  readonly #events: LogEntry[];

  private constructor(options: TsmTdxOptions, platformId: PlatformId, events: LogEntry[]) {
    this.#options = options;
    this.platformId = platformId;
    this.#events = events;
  }

  /** Takes a first quote to learn which platform this is. @throws CharterError `tee/tsm-…`, `evidence/…`. */
  static async open(options: TsmTdxOptions): Promise<TsmTdx> {
    const { outblob } = await tsmReport(new Uint8Array(64), options);
    const [pck] = splitPem(parseQuote(outblob).pckChain);
    const { ppid } = readPckExtensions(parseCertificate(pck as Uint8Array));
    const platformId = toHex(createHash("sha256").update(ppid).digest()) as PlatformId;
    const log = parseCcel(await readFile(options.ccelFile ?? CCEL_FILE));
    const events = log.flatMap(({ register, type, digest, data }) =>
      register === null
        ? []
        : [{ imr: register, event_type: type, digest: bare(digest), event: "", event_payload: bare(data) }],
    );
    return new TsmTdx(options, platformId, events);
  }

  /** @throws CharterError `tee/no-runtime-register` where this kernel lets nobody extend RTMR3. */
  async extend(event: string, payload: Uint8Array): Promise<void> {
    const file = this.#options.rtmr3File ?? RTMR3_FILE;
    const digest = await runtimeEventDigest({ name: event, payload, version: 1 }, nodeCrypto);
    try {
      await writeFile(file, digest, { flag: "r+" });
    } catch (cause) {
      throw new CharterError(
        "tee/no-runtime-register",
        "RTMR3 cannot be extended here: it takes Linux 6.16 and its tdx_guest driver, or dstack",
        { file },
        { cause },
      );
    }
    this.#events.push({
      imr: 3,
      event_type: RUNTIME_EVENT,
      digest: bare(digest),
      event,
      event_payload: bare(payload),
    });
  }

  async quote(reportData: Uint8Array): Promise<Quoted> {
    const { outblob } = await tsmReport(reportData, this.#options);
    const { vmConfig } = this.#options;
    return { quote: toHex(outblob), eventLog: JSON.stringify(this.#events), vmConfig };
  }
}
