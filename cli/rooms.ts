import type { Command } from "commander";

/** Commands that stand in one file. */
export interface Room {
  /** First words of them. */
  readonly words: readonly string[];
  /** Loads the file; gives what adds its commands. */
  readonly load: () => Promise<(program: Command) => void>;
}

/** In the order of `charter --help`. */
export const ROOMS: readonly Room[] = [
  { words: ["app"], load: async () => (await import("./commands/app.ts")).addAppCommands },
  { words: ["release"], load: async () => (await import("./commands/release.ts")).addReleaseCommands },
  {
    words: ["control", "renounce"],
    load: async () => (await import("./commands/control.ts")).addControlCommands,
  },
  {
    words: ["guardian", "owner"],
    load: async () => (await import("./commands/people.ts")).addPeopleCommands,
  },
  { words: ["settings"], load: async () => (await import("./commands/settings.ts")).addSettingsCommands },
  { words: ["secret"], load: async () => (await import("./commands/secret.ts")).addSecretCommands },
  { words: ["replicas"], load: async () => (await import("./commands/replicas.ts")).addReplicasCommand },
  { words: ["dao"], load: async () => (await import("./commands/dao.ts")).addDaoCommands },
  { words: ["safe"], load: async () => (await import("./commands/safe.ts")).addSafeCommands },
  { words: ["note"], load: async () => (await import("./commands/note.ts")).addNoteCommands },
  { words: ["rebuild"], load: async () => (await import("./commands/rebuild.ts")).addRebuildCommand },
  {
    words: ["advisories", "endorsement"],
    load: async () => (await import("./commands/library.ts")).addLibraryCommands,
  },
  { words: ["node"], load: async () => (await import("./commands/node.ts")).addNodeCommands },
  { words: ["instance"], load: async () => (await import("./commands/lists.ts")).addListCommands },
  { words: ["operator"], load: async () => (await import("./commands/operators.ts")).addOperatorCommands },
  { words: ["committee"], load: async () => (await import("./commands/committee.ts")).addCommitteeCommands },
  { words: ["proof"], load: async () => (await import("./commands/proof.ts")).addProofCommands },
  { words: ["zk"], load: async () => (await import("./commands/zk.ts")).addZkCommands },
  {
    words: ["placement", "drain", "undrain"],
    load: async () => (await import("./commands/placement.ts")).addPlacementCommands,
  },
  {
    words: ["allowed-at", "allowed-check"],
    load: async () => (await import("./commands/allowedAt.ts")).addAllowedAtCommands,
  },
  { words: ["simulate"], load: async () => (await import("./commands/simulate.ts")).addSimulateCommands },
  { words: ["verify"], load: async () => (await import("./commands/verify.ts")).addVerifyCommand },
  { words: ["call"], load: async () => (await import("./commands/call.ts")).addCallCommand },
  {
    words: ["collateral"],
    load: async () => (await import("./commands/collateral.ts")).addCollateralCommands,
  },
  {
    words: ["compose-hash"],
    load: async () => (await import("./commands/composeHash.ts")).addComposeHashCommand,
  },
];

/**
 * What these arguments may ask for: every room that one of them names, or all where none does, as in `charter --help`. Loading
 * a file and all that it imports takes longer than most commands do.
 */
export function roomsFor(args: readonly string[]): readonly Room[] {
  const named = ROOMS.filter(({ words }) => words.some((word) => args.includes(word)));
  return named.length === 0 ? ROOMS : named;
}
