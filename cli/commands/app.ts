import type { Command } from "commander";
import { parseEventLogs } from "viem";

import { appRegistryAbi } from "../../protocol/abi/appRegistry.ts";
import { parseNote } from "../../protocol/note/note.ts";
import { SettingKind } from "../../protocol/policy/settingKind.ts";
import { numberKey, ZERO_KEY } from "../../protocol/policy/settings.ts";
import type { Address, Bytes32 } from "../../protocol/words/hex.ts";
import { CliError } from "../support/CliError.ts";
import { contextOf } from "../support/context.ts";
import { ExitCode } from "../support/exitCodes.ts";
import { addHeldOptions } from "../support/heldOptions.ts";
import { describeManifest, manifestBytes, type SecretOption, type TlsOption } from "../support/manifest.ts";
import { noteBytes } from "../support/note.ts";
import { requireTells } from "../support/noteTells.ts";
import { standingText } from "../support/provenance/standing.ts";
import { publish, sha256 } from "../support/publish.ts";
import { send } from "../support/send.ts";
import {
  addressOption,
  bytes32Option,
  osImageOption,
  proofSystemOption,
  repeat,
  settingOption,
  tcbStatusOption,
  teeKindOption,
  wholeNumber,
  type SettingTuple,
} from "../support/values.ts";
import { addAppShowCommand } from "./appShow.ts";
import { setReplicas } from "./replicas.ts";

interface CreateOptions {
  readonly owner?: Address;
  readonly guardian?: Address;
  readonly notice: number;
  readonly grace: number;
  readonly replicas: number;
  readonly teeKind?: number[];
  readonly tcbStatus?: number[];
  readonly proof?: number[];
  readonly osImage?: { hash: Bytes32; digest: Bytes32 }[];
  readonly node?: Bytes32[];
  readonly anyNode?: boolean;
  readonly maxEvidenceAge: number;
  readonly acceptBootInfo?: boolean;
  readonly set?: readonly SettingTuple[];
  readonly salt: Bytes32;
  readonly composeHash?: Bytes32;
  readonly manifest?: string;
  readonly compose?: string;
  readonly name?: string;
  readonly leaseSigner?: Address[];
  readonly maxLeaseSeconds?: number;
  readonly allowUnpinnedImages?: boolean;
  readonly persistent?: boolean;
  readonly secretSigner?: Address[];
  readonly secret?: SecretOption[];
  readonly gpuService?: string[];
  readonly tls?: TlsOption;
  readonly note?: string;
  readonly title?: string;
}

const NOBODY = "0x0000000000000000000000000000000000000000" as Address;
const DEFAULTS = { teeKind: [1], tcbStatus: [1], proof: [2] };

/** `charter app create|show`. */
export function addAppCommands(program: Command): void {
  const app = program.command("app").description("governed programs");
  addAppShowCommand(app);
  addHeldOptions(app.command("create"))
    .description("create an app whose first release is active at once, and publish its manifest and note")
    .option("--manifest <file>", "app-compose.json: exactly these bytes are the release")
    .option("--compose <file>", "Compose file to make a manifest of")
    .option(
      "--compose-hash <hash>",
      "compose hash alone, for a manifest that is published elsewhere",
      bytes32Option,
    )
    .option("--name <name>", "name in a manifest made from --compose")
    .option(
      "--lease-signer <address>",
      "who may lease, in a manifest made from --compose (repeatable)",
      repeat(addressOption),
    )
    .option("--max-lease-seconds <n>", "longest lease, in a manifest made from --compose", wholeNumber)
    .option("--allow-unpinned-images", "images may be named by tag, in a manifest made from --compose")
    .option("--note <file>", "release note (JSON)")
    .option("--title <text>", "title of a note made here")
    .option("--owner <address>", "first owner (default: the signing account)", addressOption)
    .option("--guardian <address>", "may veto and revoke (default: none)", addressOption)
    .option("--notice <seconds>", "between a proposal and its activation", wholeNumber, 0)
    .option("--grace <seconds>", "longest time that a predecessor may stay allowed", wholeNumber, 0)
    .option("--replicas <n>", "instances wanted", wholeNumber, 0)
    .option("--tee-kind <kind>", "allowed TEE kind (repeatable; default Tdx)", repeat(teeKindOption))
    .option(
      "--tcb-status <status>",
      "allowed TCB status (repeatable; default UpToDate)",
      repeat(tcbStatusOption),
    )
    .option(
      "--proof <system>",
      "required proof system (repeatable; default Committee)",
      repeat(proofSystemOption),
    )
    .option("--os-image <hash:digest>", "allowed OS image (repeatable)", repeat(osImageOption))
    .option("--node <platformId>", "allowed node (repeatable)", repeat(bytes32Option))
    .option("--any-node", "any registered node")
    .option("--max-evidence-age <blocks>", "oldest evidence that is accepted", wholeNumber, 256)
    .option("--accept-boot-info", "answer dstack's boot info, which names no TEE kind, age or proof")
    .option(
      "--set <entry>",
      "any other setting, e.g. Rebuilder:0x…=1 RebuildsRequired=1 (repeatable)",
      repeat(settingOption),
    )
    .option("--salt <bytes32>", "for another app with the same settings", bytes32Option, ZERO_KEY)
    .action(async (options: CreateOptions, command: Command) => {
      const context = contextOf(command);
      const { account } = await context.wallet();
      const signer = account.address.toLowerCase() as Address;
      const owner = options.owner ?? signer;
      if (context.governor() !== null || context.safe() !== null) {
        throw new CliError(
          ExitCode.Usage,
          "cli/usage",
          "an app is created by anyone for anyone: expected --owner (the Safe, or the Governor's Timelock) instead",
        );
      }
      if (options.replicas > 0 && owner !== signer) {
        throw new CliError(
          ExitCode.Usage,
          "cli/usage",
          "replicas are the owner's to set: expected --owner to be the signing account, or no --replicas",
          { owner, signer },
        );
      }
      const release = await firstRelease(options, context);
      const settings = {
        noticeSeconds: options.notice,
        graceSeconds: options.grace,
        composeHash: release.composeHash,
        noteDigest: release.noteDigest,
        settings: settingsOf(options),
      };
      const { hash, receipt } = await send(context, {
        address: context.deployment().appRegistry,
        abi: appRegistryAbi,
        functionName: "createApp",
        args: [owner, options.guardian ?? NOBODY, settings, options.salt],
      });
      const [created] = parseEventLogs({ abi: appRegistryAbi, eventName: "AppCreated", logs: receipt.logs });
      const address = created?.args.app.toLowerCase() as Address;
      if (options.replicas > 0) await setReplicas(context, address, options.replicas);
      context.out.result(
        { app: address, composeHash: release.composeHash, noteDigest: release.noteDigest, transaction: hash },
        `app ${address}\ncompose hash ${release.composeHash}\ntransaction ${hash}`,
      );
    });
}

async function firstRelease(
  options: CreateOptions,
  context: ReturnType<typeof contextOf>,
): Promise<{ composeHash: Bytes32; noteDigest: Bytes32 }> {
  if (options.composeHash) {
    if (options.manifest || options.compose || options.note || options.title) {
      throw new CliError(
        ExitCode.Usage,
        "cli/usage",
        "expected --compose-hash alone: nothing is published with it",
      );
    }
    return { composeHash: options.composeHash, noteDigest: ZERO_KEY };
  }
  const { bytes, manifest } = manifestBytes(options);
  context.out.note(`${describeManifest(manifest)}\ncompose hash ${sha256(bytes)}`);
  const note = noteBytes(options, `First release of ${manifest.name}`);
  const standing = await requireTells(parseNote(note), bytes, context.trustedRoot() ?? "none");
  if (standing !== null) context.out.note(standingText(standing));
  await publish(context, bytes);
  await publish(context, note);
  return { composeHash: sha256(bytes), noteDigest: sha256(note) };
}

function settingsOf(options: CreateOptions): SettingTuple[] {
  const entries: SettingTuple[] = [];
  const add = (kind: number, key: Bytes32, value: bigint): void => void entries.push({ kind, key, value });
  for (const kind of options.teeKind ?? DEFAULTS.teeKind) add(SettingKind.TeeKind, numberKey(kind), 1n);
  for (const status of options.tcbStatus ?? DEFAULTS.tcbStatus)
    add(SettingKind.TcbStatus, numberKey(status), 1n);
  for (const system of options.proof ?? DEFAULTS.proof) add(SettingKind.ProofSystem, numberKey(system), 1n);
  for (const image of options.osImage ?? []) add(SettingKind.OsImage, image.hash, BigInt(image.digest));
  for (const node of options.node ?? []) add(SettingKind.Node, node, 1n);
  if (options.anyNode) add(SettingKind.AnyNode, ZERO_KEY, 1n);
  add(SettingKind.MaxEvidenceAge, ZERO_KEY, BigInt(options.maxEvidenceAge));
  if (options.acceptBootInfo) add(SettingKind.AcceptBootInfo, ZERO_KEY, 1n);
  for (const { kind, key, value } of options.set ?? []) add(kind, key, value);
  return entries;
}
