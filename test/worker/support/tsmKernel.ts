/**
 * `node --import tsmKernel.ts <program>`: the program runs as it is shipped, and its file operations below the folder that
 * `TSM_KERNEL` names (JSON: dir, pkiDir, platform) have the kernel's semantics (DiskTsm).
 */
import files from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";

import { DiskTsm } from "./DiskTsm.ts";

const { dir, pkiDir, platform } = JSON.parse(process.env.TSM_KERNEL ?? "") as Record<string, string>;
const kernel = new DiskTsm(String(dir), String(pkiDir), String(platform));
const { mkdir, rmdir, readFile, writeFile } = files;
const own = (path: unknown): path is string => typeof path === "string" && kernel.owns(path);

Object.assign(files, {
  mkdir: (...args: Parameters<typeof mkdir>) => (own(args[0]) ? kernel.mkdir(args[0]) : mkdir(...args)),
  rmdir: (...args: Parameters<typeof rmdir>) => (own(args[0]) ? kernel.rmdir(args[0]) : rmdir(...args)),
  readFile: (...args: Parameters<typeof readFile>) =>
    own(args[0]) ? kernel.read(args[0]) : readFile(...args),
  writeFile: (...args: Parameters<typeof writeFile>) =>
    own(args[0]) ? kernel.write(args[0], args[1] as Uint8Array) : writeFile(...args),
});
syncBuiltinESMExports();
