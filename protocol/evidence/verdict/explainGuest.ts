import { CHARTER, NITRO, RFC5280, SNP_ABI, explain, type Explanations } from "./explain.ts";

const DSTACK = 'dstack, quote report, field "event_log"';
const CCEL = "UEFI 2.10 §38.1, §38.4.1; TCG PC Client Platform Firmware Profile, table of TCG_PCR_EVENT2";
const ADMITTED = 'Charter, docs/evidence.md, "What relayer and signers admit"';

/** What is checked of evidence of every kind. */
export const EVERY_KIND: Explanations = {
  "unknown-form": explain("The file looks like evidence of a kind that Charter reads.", CHARTER),
  "collateral-missing": explain("What the vendor publishes to judge this evidence by was given.", CHARTER),
  "root-pinned": explain(
    "The chain ends at a root whose public key is a constant of the verifier, or at the test root that the caller named.",
    CHARTER,
  ),
  validity: explain(
    "Every certificate, list and document is valid at the time of judgement; the verdict is good for their intersection.",
    `${RFC5280} §4.1.2.5, §5.1.2.5`,
  ),
  "expected-report-data": explain("What is bound in the evidence is what the caller expects.", CHARTER),
  "expected-fact": explain("A fact has the value that the caller expects.", CHARTER),
};

/** What dstack's guests say of themselves. */
export const EVENT_LOGS: Explanations = {
  "kind-unsupported": explain("The guest's evidence is of a kind whose log we know how to replay.", DSTACK),
  "event-log-format": explain("The log is a list of events, within 1 MiB and 10,000 entries.", DSTACK),
  "vm-config-format": explain(
    "The VM configuration names an OS image.",
    'dstack, quote report, field "os_image_hash"',
  ),
  "rtmr-replay": explain(
    "Replaying the log gives the quote's registers. Digests that can be recomputed are; what the log says of them is not read.",
    'dstack, quote report, field "digest"',
  ),
  "event-log-facts": explain(
    "App, compose hash, instance and key provider stand once each, before `system-ready`; nothing later is believed.",
    'dstack, quote report, field "event"',
  ),
  "mr-config-id": explain(
    "Where the host set MRCONFIGID, it is that of what the guest measured: its compose hash (V1); that, the app and the key provider (V2); or the document that came along, which may not contradict them (V3).",
    'dstack, dstack-types/src/mr_config.rs, "MrConfig" and "MrConfigV3"',
  ),
  "os-image-hash": explain(
    "Where the guest measured its OS image, it is the one that the configuration names.",
    'dstack, quote report, field "os_image_hash"',
  ),
};

/** What verifies, and is not admitted all the same. */
export const ADMISSION: Explanations = {
  "event-log-unexpected": explain("Evidence of a kind that keeps no event log came without one.", ADMITTED),
  "vm-config-unexpected": explain("An enclave's evidence came without a VM configuration.", ADMITTED),
  "snp-chip-masked": explain(
    "The report names its chip: a node is one machine.",
    `${SNP_ABI}, field "CHIP_ID"`,
  ),
  "snp-app-unnamed": explain("The document that HOST_DATA binds names its app.", ADMITTED),
  "nitro-platform": explain(
    "The evidence names its machine. AWS's documents name none, so that nothing is admitted on one.",
    `${NITRO} §2.2, field "module_id"`,
  ),
};

/** The log that a TD's firmware leaves. */
export const BOOT_LOGS: Explanations = {
  "ccel-format": explain(
    "The given boot log reads as firmware leaves it: SHA-384 only, nothing but filler behind it, within 1 MiB, 10,000 events and 64 KiB in each.",
    CCEL,
  ),
  "ccel-digests": explain("Where an event measures its own data, the data give its digest.", CCEL),
  "ccel-replay": explain(
    "Replaying the boot log gives the quote's RTMR0, RTMR1 and RTMR2, and RTMR3 where the log extends it; a register that differs is named.",
    CCEL,
  ),
};
