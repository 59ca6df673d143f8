/**
 * The one base class of every error that Charter raises on purpose.
 *
 * `code` is stable and machine readable (`area/what-was-wrong`), `message` is one short sentence that says what was
 * expected, and `details` carries expected and actual values. Anything that is not a `CharterError` is a defect of
 * ours and is masked at the edges (API, CLI).
 */
export class CharterError extends Error {
  readonly code: string;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: string, message: string, details: Record<string, unknown> = {}, options?: ErrorOptions) {
    super(message, options);
    this.name = "CharterError";
    this.code = code;
    this.details = Object.freeze({ ...details });
  }

  /** Where the code is explained: one anchor per code in docs/errors.md. */
  get docs(): string {
    return `docs/errors.md#${this.code.replaceAll("/", "-")}`;
  }

  /** What may leave the process: never a stack, never a cause. BigInts become decimal strings. */
  toJSON(): { code: string; message: string; details: Record<string, unknown>; docs: string } {
    const details = JSON.parse(
      JSON.stringify(this.details, (_key, value: unknown) =>
        typeof value === "bigint" ? value.toString() : value,
      ),
    ) as Record<string, unknown>;
    return { code: this.code, message: this.message, details, docs: this.docs };
  }
}

/** True for every error raised on purpose; everything else must be masked before it leaves the process. */
export function isCharterError(error: unknown): error is CharterError {
  return error instanceof CharterError;
}
