import { isCharterError } from "../../protocol/errors/CharterError.ts";

/** The code that a promise is refused with; "nothing" when it is not, and anything but a typed error fails the test. */
export async function refusal(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (isCharterError(error)) return error.code;
    throw error;
  }
  return "nothing";
}

/** The same of a call that gives its answer at once. */
export function refusalOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (isCharterError(error)) return error.code;
    throw error;
  }
  return "nothing";
}
