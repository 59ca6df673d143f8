import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { createInterface } from "node:readline";

import { machineClock } from "../clock.ts";
import { aborted, runProgram, say } from "../program.ts";
import { openMachineSource } from "../tee/openMachineSource.ts";
import { composeRuntime } from "./compose/DockerRuntime.ts";
import { dryRuntime } from "./compose/Runtime.ts";
import { mountHeld } from "./compose/mountHeld.ts";
import { heldPaths, openHoldings } from "./holdings/openHoldings.ts";
import { guestConfigText, parseGuestConfig, type GuestConfig } from "./config.ts";
import { awaitWorkdir } from "./awaitWorkdir.ts";
import { Guest } from "./Guest.ts";
import type { NoteStanding } from "./note/NoteStanding.ts";
import { reported, type GuestState } from "./state.ts";
import { outliveContainers } from "./outliveContainers.ts";
import { startStatusServer, type LogSource } from "./statusServer.ts";

/** No key of the guest or the app may be read by others of the same machine. */
process.umask(0o077);
outliveContainers();

/**
 * Compose project of one guest, the same for every start of it and no other guest's: one engine may serve several nodes.
 * Names allow lower-case letters, digits and dashes.
 */
const projectName = ({ app, slot, node, release, workdir }: GuestConfig): string =>
  `charter-${app.slice(2, 10)}-${slot}-n${node}-r${release}-${createHash("sha256").update(workdir).digest("hex").slice(0, 6)}`;

/**
 * Program: one guest, started by a driver with its configuration in `CHARTER_GUEST_CONFIG`; where that is "-", it comes as
 * the first line of stdin, once there is something to run. It prints a JSON line per change of state. Exit codes: 0 asked to stop, 1 could not begin, 3 lease denied, 4 lease over.
 */
await runProgram(async (signal) => {
  let last: GuestState = { state: "starting", pid: process.pid };
  let note: NoteStanding = { note: "awaited" };
  let statusUrl: string | undefined;
  /** Nobody's, unless the manifest says that they are public. */
  let logs: LogSource = () => null;
  const line = (told: Readonly<Record<string, unknown>>): void =>
    say({ ...told, ...(statusUrl === undefined ? {} : { statusUrl }) });
  const report = (state: GuestState): void => {
    last = state;
    line(state);
  };
  const tellNote = (standing: NoteStanding): void => {
    note = standing;
    line({ state: "note", ...standing });
  };
  const clock = machineClock();
  const parent = parentLine();
  const stop = AbortSignal.any([signal, parent.gone]);
  try {
    const told = guestConfigText(process.env);
    const text = told.text === "-" ? await Promise.race([parent.line, aborted(stop)]) : told.text;
    if (stop.aborted) return;
    const config = parseGuestConfig(text ?? undefined, told.isHosts);
    // Held until this process ends. In a VM of its own there is no other guest.
    if (!told.isHosts) await awaitWorkdir(config.workdir, { clock, report }, stop);
    if (stop.aborted) return;
    await mkdir(config.workdir, { recursive: true });
    const status = config.status
      ? await startStatusServer({
          state: () => last,
          release: () => ({ number: config.release, composeHash: config.composeHash, note }),
          logs: (ended) => logs(ended),
        })
      : undefined;
    statusUrl = status?.url;
    try {
      const guest = new Guest(config, {
        clock,
        source: await openMachineSource(config, config.chainId, {
          app: config.app,
          composeHash: config.composeHash,
        }),
        ...{ report, tellNote },
        holdings: (project, manifest) => openHoldings(config, project, manifest, { clock, report }),
        runtime: async (parsed, manifest) => {
          const project = mountHeld(parsed, heldPaths(config, parsed, manifest));
          const runtime =
            config.runtime === "dry"
              ? dryRuntime("the node's configuration says so")
              : await composeRuntime({
                  project,
                  name: projectName(config),
                  labels: { "charter.app": config.app, "charter.release": String(config.release) },
                  workdir: config.workdir,
                  engineSocket: config.engineSocket,
                  gpuServices: manifest.charter.gpu?.services ?? [],
                  isRequired: config.runtime === "docker",
                });
          if (manifest.public_logs === true) logs = (ended) => runtime.logs(ended);
          return runtime;
        },
      });
      const reason = await guest.run(stop);
      process.exitCode = { asked: 0, denied: 3, expired: 4 }[reason];
    } finally {
      await status?.close();
    }
  } catch (error) {
    if (stop.aborted) return;
    report({ state: "failed", error: reported(error) });
    process.exitCode = 1;
  }
});

/**
 * A driver that sets `CHARTER_PARENT_PIPE` holds our stdin open for as long as it lives: its guests never outlive it,
 * however it ended. `line`: the first that it writes.
 */
function parentLine(): { readonly gone: AbortSignal; readonly line: Promise<string | undefined> } {
  const gone = new AbortController();
  const isWaiting = process.env.CHARTER_GUEST_CONFIG === "-";
  if (process.env.CHARTER_PARENT_PIPE !== "1" && !isWaiting) {
    return { gone: gone.signal, line: Promise.resolve(undefined) };
  }
  const input = createInterface({ input: process.stdin });
  const line = new Promise<string>((done) => input.once("line", done));
  input.once("close", () => gone.abort());
  process.stdin.once("error", () => gone.abort());
  // Stdin keeps a guest alive only while it has nothing else to wait for.
  if (isWaiting) void line.then(() => unref(process.stdin));
  else unref(process.stdin);
  return { gone: gone.signal, line };
}

/** A pipe or a terminal can be let go of; a file, which also may be stdin, ends by itself. */
function unref(stdin: NodeJS.ReadStream): void {
  if (typeof stdin.unref === "function") stdin.unref();
}
