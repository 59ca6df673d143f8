import type { Command } from "commander";

import { appAbi } from "../../protocol/abi/app.ts";
import { cidOfDigest } from "../../protocol/manifest/index.ts";
import { headAt } from "../../protocol/policy/releases.ts";
import { Level, nameOf } from "../../protocol/words/enums.ts";
import type { Address } from "../../protocol/words/hex.ts";
import { requireApp } from "../support/chainState.ts";
import { contextOf } from "../support/context.ts";
import { addressOption } from "../support/values.ts";
import { controlText } from "./control.ts";
import { releasesText } from "./release.ts";
import { settingsAt, settingsText } from "./settings.ts";

/** `charter app show`: one app whole, from the chain alone. */
export function addAppShowCommand(app: Command): void {
  app
    .command("show")
    .description("who governs an app, what runs, under which policy")
    .argument("<app>", "address", addressOption)
    .action(async (address: Address, _options: object, command: Command) => {
      const context = contextOf(command);
      const { state, time } = await requireApp(context, address);
      const client = await context.client();
      const control = await client.readContract({ address, abi: appAbi, functionName: "control" });
      const head = headAt(state, time);
      const settings = settingsAt(state, time);
      const manifestCid = head ? cidOfDigest(head.composeHash) : null;
      context.out.result(
        {
          app: address,
          time,
          control: { ...control, level: nameOf(Level, control.level) },
          head: head?.number ?? null,
          manifestCid,
          releases: state.releases,
          settings,
          replicas: state.replicas,
        },
        [
          `app              ${address}`,
          controlText(control),
          `head             ${head ? `release ${head.number}, manifest ${manifestCid ?? ""}` : "none"}`,
          `replicas         ${state.replicas}`,
          "",
          releasesText(state, time),
          "",
          settingsText(settings),
        ].join("\n"),
      );
    });
}
