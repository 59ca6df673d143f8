/** `node --import dumpCommands.ts <program>`: prints the program's commands and options as JSON, and runs none of them. */
import { Command } from "commander";

/** One command as a reader of its help sees it. */
export interface Described {
  readonly name: string;
  readonly options: readonly { readonly flags: readonly string[]; readonly takesValue: boolean }[];
  readonly arguments: readonly { readonly required: boolean; readonly variadic: boolean }[];
  readonly commands: readonly Described[];
}

const describe = (command: Command): Described => ({
  name: command.name(),
  options: command.options.map(({ short, long, required, optional }) => ({
    flags: [short, long].filter((flag) => flag !== undefined && flag !== null),
    takesValue: required || optional,
  })),
  arguments: command.registeredArguments.map(({ required, variadic }) => ({ required, variadic })),
  commands: command.commands.map(describe),
});

Command.prototype.parseAsync = function (this: Command) {
  process.stdout.write(JSON.stringify(describe(this)));
  return Promise.resolve(this);
};
