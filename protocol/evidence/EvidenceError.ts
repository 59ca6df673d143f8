import { CharterError } from "../errors/CharterError.ts";

/** One named step of a verification, with what it looked at. `detail` holds JSON values only. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** Evidence was refused by the check `evidence/<name>`; `checks` are the steps up to and with it. */
export class EvidenceError extends CharterError {
  readonly check: string;
  readonly checks: readonly Check[];

  constructor(
    check: string,
    message: string,
    details: Record<string, unknown> = {},
    checks: readonly Check[] = [],
  ) {
    super(`evidence/${check}`, message, details);
    this.name = "EvidenceError";
    this.check = check;
    this.checks = checks;
  }
}

/** Records steps as they pass; the one that fails ends the verification. There is no way to fail and go on. */
export class Checklist {
  readonly #checks: Check[];

  /** @param passed steps that were done before. */
  constructor(passed: readonly Check[] = []) {
    this.#checks = [...passed];
  }

  get checks(): readonly Check[] {
    return [...this.#checks];
  }

  /** Records a passed step, or throws `EvidenceError` with this step as the failed one. */
  require(ok: boolean, name: string, expected: string, detail: Record<string, unknown> = {}): void {
    this.#checks.push({ name, ok, detail });
    if (!ok) throw new EvidenceError(name, `expected ${expected}`, detail, this.checks);
  }

  /** Runs a step that throws by itself (a parser); what it throws becomes this step's failure. */
  attempt<T>(name: string, expected: string, work: () => T): T {
    try {
      const result = work();
      this.#checks.push({ name, ok: true, detail: {} });
      return result;
    } catch (error) {
      if (!(error instanceof CharterError)) throw error;
      const detail = { cause: error.code, message: error.message, ...error.details };
      this.#checks.push({ name, ok: false, detail });
      throw new EvidenceError(name, `expected ${expected}: ${error.message}`, detail, this.checks);
    }
  }
}
