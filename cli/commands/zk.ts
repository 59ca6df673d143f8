import type { Command } from "commander";
import { parseEventLogs } from "viem";

import { zkVerifierAbi } from "../../protocol/abi/zkVerifier.ts";
import type { Address, Bytes32 } from "../../protocol/words/hex.ts";
import { readLogs } from "../support/chainState.ts";
import { contextOf } from "../support/context.ts";
import { deployed } from "../support/deployed.ts";
import { table, timeText } from "../support/output.ts";
import { perform } from "../support/perform.ts";
import { addressOption, bytes32Option } from "../support/values.ts";
import { adapterOf } from "../support/zkProof.ts";

type AdapterName = Address | "sp1" | "riscZero";

const adapterOption = (text: string): AdapterName =>
  text === "sp1" || text === "riscZero" ? text : addressOption(text);

const STEPS = [
  ["add", "addProgram", "let a program's proofs count after the notice", "Let proofs of"],
  ["remove", "removeProgram", "end a program at once, or take back one that waits", "End proofs of"],
] as const;

/** `charter zk …`: which programs' proofs count, where the deployment has a ZkVerifier. */
export function addZkCommands(program: Command): void {
  const zk = program.command("zk").description("programs whose zero-knowledge proofs count");
  for (const [name, functionName, description, title] of STEPS) {
    zk.command(name)
      .description(`${description} (owner: the Timelock)`)
      .argument("<adapter>", "sp1, riscZero or an address", adapterOption)
      .argument("<program>", "SP1's verification key or RISC Zero's image id", bytes32Option)
      .action(async (named: AdapterName, id: Bytes32, _options: object, command: Command) => {
        const context = contextOf(command);
        const address = deployed(context, "zkVerifier");
        const adapter = adapterOf(context, named);
        await perform(
          context,
          { address, abi: zkVerifierAbi, functionName, args: [adapter, id] },
          {
            title: `${title} program ${id} ${name === "add" ? "count" : "at once"}`,
            text: `by adapter ${adapter}`,
          },
          { adapter, program: id },
        );
      });
  }
  zk.command("list")
    .description("programs whose proofs count, or will")
    .action(async (_options: object, command: Command) => {
      const context = contextOf(command);
      const client = await context.client();
      const address = deployed(context, "zkVerifier");
      const head = await client.getBlockNumber({ cacheTime: 0 });
      const logs = await readLogs(client, [address], BigInt(context.deployment().startBlock), head);
      const programs = new Map<string, { adapter: string; program: string; effectiveAt: number }>();
      for (const event of parseEventLogs({ abi: zkVerifierAbi, logs })) {
        if (event.eventName !== "ProgramAdded" && event.eventName !== "ProgramRemoved") continue;
        const { adapter, program: id, effectiveAt } = event.args;
        const key = `${adapter}:${id}`;
        if (event.eventName === "ProgramRemoved") programs.delete(key);
        else programs.set(key, { adapter: adapter.toLowerCase(), program: id, effectiveAt });
      }
      const rows = [...programs.values()].map((of) => [of.program, of.adapter, timeText(of.effectiveAt)]);
      context.out.result({ programs: [...programs.values()] }, table(["program", "adapter", "from"], rows));
    });
}
