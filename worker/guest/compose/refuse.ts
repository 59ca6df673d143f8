import { CharterError } from "../../../protocol/errors/CharterError.ts";

/** A key that is not on the allow-list, by its path in the file. */
export const keyNotAllowed = (path: string): CharterError =>
  new CharterError("compose/key-not-allowed", `the Compose file may not have ${path}`, { path });

/** A value that an allowed key may not have. */
export const valueNotAllowed = (path: string, expected: string): CharterError =>
  new CharterError("compose/value-not-allowed", `${path}: expected ${expected}`, { path, expected });

export const at = (path: string, key: string | number): string =>
  typeof key === "number" ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`;
