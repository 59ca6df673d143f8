/** What one check means, for people, and where the rule stands. */
export interface Explanation {
  readonly says: string;
  readonly source: string;
}

/** Checks of one kind of evidence by name, in the order in which they run. */
export type Explanations = Readonly<Record<string, Explanation>>;

export const explain = (says: string, source: string): Explanation => ({ says, source });

// Documents that checks of several kinds rest on.
export const RFC5280 = "RFC 5280";
export const CHARTER = 'Charter, docs/evidence.md, "How to read a verdict"';
export const SNP_ABI = "AMD SEV-SNP ABI 56860 §7.3, table ATTESTATION_REPORT";
export const NITRO = "AWS Nitro Enclaves Attestation Process";
export const RIM = 'NVIDIA attestation SDK, manifest, fields "Meta" and "Resource" of its SWID tag';
