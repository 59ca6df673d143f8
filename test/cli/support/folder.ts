import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder of one suite's files. */
export interface Folder {
  /** Writes a file and gives its path. */
  readonly file: (name: string, content: string | Uint8Array) => string;
  readonly path: (name: string) => string;
  readonly remove: () => void;
}

export function makeFolder(): Folder {
  const directory = mkdtempSync(join(tmpdir(), "charter-cli-"));
  const path = (name: string): string => join(directory, name);
  return {
    path,
    file: (name, content) => {
      writeFileSync(path(name), content);
      return path(name);
    },
    remove: () => rmSync(directory, { recursive: true }),
  };
}
