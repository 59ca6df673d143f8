// snpguest's `--version` and `key` as its documentation has them, over a security processor that is made up: a key is an HMAC
// of the chip's secret over the fields that were selected. Arguments: the directory of snpguest.ts, then snpguest's own.
import { createHmac } from "node:crypto";
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

const [dir = "", ...args] = process.argv.slice(2);
const state = JSON.parse(readFileSync(join(dir, "snpguest.json"), "utf8"));
const fail = (text, code = 1) => {
  process.stderr.write(`ERROR: ${text}\n`);
  process.exit(code);
};
if (args[0] === "--version") {
  process.stdout.write(`snpguest ${state.version}\n`);
  process.exit(0);
}
const { values, positionals } = parseArgs({
  args,
  allowPositionals: true,
  options: {
    vmpl: { type: "string", short: "v", default: "1" },
    [Number(state.version.split(".")[1]) === 7 ? "guest_file_select" : "guest_field_select"]: {
      type: "string",
      short: "g",
      default: "0",
    },
    guest_svn: { type: "string", short: "s", default: "0" },
    tcb_version: { type: "string", short: "t", default: "0" },
  },
});
const [command, path, root, ...rest] = positionals;
if (command !== "key" || path === undefined || rest.length > 0) fail("usage", 2);
if (!/^(vcek|vmrk)$/i.test(root)) fail("Invalid input. Enter either vcek or vmrk");
appendFileSync(join(dir, "snpguest.log"), `${JSON.stringify({ root, ...values })}\n`);
const fields = fieldsOf(values.guest_field_select ?? values.guest_file_select);
if (state.fault === "refused") fail("failed to request derived key");
if (state.fault === "flood") process.stdout.write("x".repeat(10_000_000));
const isRefused = state.fault === "zeros" || Number(values.vmpl) < state.vmpl;
const names = ["policy", "image", "family", "measurement", "svn", "tcb"];
const mixed = names.filter((_, bit) => (fields >> bit) & 1).map((name) => [name, state[name] ?? "0"]);
const key = createHmac("sha256", state.chip)
  .update(JSON.stringify([root.toLowerCase(), values.vmpl, mixed]))
  .digest();
if (state.fault === "nothing") process.exit(0);
writeFileSync(path, isRefused ? Buffer.alloc(32) : state.fault === "short" ? key.subarray(0, 16) : key);

/** Binary digits up to 0.9; from 0.10 on 0b…, 0x… or decimal. */
function fieldsOf(text) {
  const isOld = Number(state.version.split(".")[1]) < 10;
  if (isOld && !/^[01]{6,7}$/.test(text)) fail("invalid digit found in string", 101);
  const value = isOld ? Number.parseInt(text, 2) : Number(text.replace(/^0+(?=\d)/, ""));
  if (!Number.isInteger(value) || value > 127) fail("Invalid guest field select");
  return value;
}
