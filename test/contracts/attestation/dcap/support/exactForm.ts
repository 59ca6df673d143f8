/** A JSON object whose shape is not known yet. */
type Loose = Readonly<Record<string, unknown>>;

const TCB_INFO = [
  "id",
  "version",
  "issueDate",
  "nextUpdate",
  "fmspc",
  "pceId",
  "tcbType",
  "tcbEvaluationDataNumber",
  "tdxModule",
  "tdxModuleIdentities",
  "tcbLevels",
];
const QE_IDENTITY = [
  "id",
  "version",
  "issueDate",
  "nextUpdate",
  "tcbEvaluationDataNumber",
  "miscselect",
  "miscselectMask",
  "attributes",
  "attributesMask",
  "mrsigner",
  "isvprodid",
  "tcbLevels",
];
const MODULE = ["id", "mrsigner", "attributes", "attributesMask", "tcbLevels"];
const LEVEL = ["tcb", "tcbDate", "tcbStatus", "advisoryIDs"];
const TCB = ["isvsvn", "sgxtcbcomponents", "pcesvn", "tdxtcbcomponents"];
const COMPONENT = ["svn", "category", "type"];

/**
 * Whether a document that the verifier off chain reads is written exactly as Intel writes: no whitespace, keys in
 * Intel's order, plain numbers, printable ASCII without escapes. The contracts accept nothing else.
 */
export function isExact(bytes: Buffer, kind: "tcbInfo" | "qeIdentity"): boolean {
  const text = bytes.toString("latin1");
  if (!/^[ -[\]-~]*$/.test(text)) return false;
  const order = kind === "tcbInfo" ? TCB_INFO : QE_IDENTITY;
  return JSON.stringify(ordered(JSON.parse(text) as Loose, order)) === text;
}

/** A copy with keys in that order. */
function ordered(value: Loose, keys: readonly string[]): Loose {
  const copy: Record<string, unknown> = {};
  for (const key of keys) if (key in value) copy[key] = inner(key, value[key]);
  // A type explains a category.
  if (keys === COMPONENT && !("category" in value)) delete copy.type;
  return copy;
}

const INNER: Readonly<Record<string, readonly string[]>> = {
  tdxModule: MODULE,
  tdxModuleIdentities: MODULE,
  tcbLevels: LEVEL,
  tcb: TCB,
  sgxtcbcomponents: COMPONENT,
  tdxtcbcomponents: COMPONENT,
};

function inner(key: string, value: unknown): unknown {
  const keys = INNER[key];
  if (!keys) return value;
  return Array.isArray(value)
    ? (value as Loose[]).map((one) => ordered(one, keys))
    : ordered(value as Loose, keys);
}
