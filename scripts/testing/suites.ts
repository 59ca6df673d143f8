/** One step of `npm test`: commands that run one after another on Node 24; the first that fails ends the suite. */
export interface Suite {
  readonly name: string;
  /** What it shows, for the table. */
  readonly shows: string;
  readonly commands: readonly (readonly string[])[];
  /** It reads nothing that `compile` generates, so it may run beside it. Every other suite waits for that one. */
  readonly beforeCompile?: true;
  /** It asks the compiler, which may write what it makes: no two of these run at once. */
  readonly compiles?: true;
  /** It starts whole systems with containers and follows them by the clock: only what yields runs beside it. */
  readonly alone?: true;
  /** It does nothing but compute, however long that takes: it leaves the processor to whatever else wants it. */
  readonly yields?: true;
}

const mocha = (room: string): readonly string[] => ["mocha", `test/${room}/**/*.test.ts`];

/** In order: cheap and general first, long before short (scripts/testing/runSuites.ts says what may run side by side). */
export const SUITES: readonly Suite[] = [
  {
    name: "compile",
    shows: "contracts compile; bindings are generated",
    commands: [["hardhat", "compile"]],
    compiles: true,
  },
  {
    name: "format",
    shows: "prettier",
    commands: [["prettier", "--check", "--log-level", "warn", "."]],
    beforeCompile: true,
    yields: true,
  },
  {
    name: "protocol",
    shows: "evidence, policy, manifest, leases",
    commands: [mocha("protocol")],
    beforeCompile: true,
    yields: true,
  },
  // Long, and mostly waiting by the clock: first, so that what yields to it fills the time.
  {
    name: "docker",
    shows: "guests that run real containers on a real engine",
    commands: [mocha("docker")],
    compiles: true,
    alone: true,
  },
  {
    name: "lint",
    shows: "eslint, solhint",
    commands: [
      ["eslint", "."],
      ["solhint", "--disc", "--max-warnings", "0", "contracts/**/*.sol"],
    ],
    yields: true,
  },
  { name: "types", shows: "tsc --noEmit", commands: [["tsc", "--noEmit", "-p", "."]], yields: true },
  {
    name: "boundaries",
    shows: "imports go one way",
    commands: [["depcruise", "protocol", "relayer", "worker", "cli", "web", "scripts", "bench", "test"]],
    yields: true,
  },
  {
    name: "snapshots",
    shows:
      "ABI, storage layout, size, gas, the list of errors, the schemas of notes, nodes and /graphql are the committed ones",
    commands: [
      ["node", "scripts/snapshots.ts", "--check"],
      ["node", "scripts/errorCodes.ts", "--check"],
      ["node", "scripts/evidencePage.ts", "--check"],
      ["node", "scripts/gasPage.ts", "--check"],
      ["node", "scripts/noteSchema.ts", "--check"],
      ["node", "scripts/nodeSchema.ts", "--check"],
      ["node", "scripts/graphqlSchema.ts", "--check"],
    ],
    yields: true,
  },
  {
    name: "formal",
    shows: "statements about the level ratchet and the notice rule, proved",
    commands: [["node", "scripts/formal.ts"]],
    yields: true,
  },
  // The longest, and mostly waiting for blocks: early, beside what keeps a processor busy.
  { name: "e2e", shows: "the way of a decision, whole", commands: [mocha("e2e")], compiles: true },
  {
    name: "solidity",
    shows: "fuzz and invariants beside the contracts",
    commands: [["hardhat", "test", "solidity"]],
    compiles: true,
  },
  {
    name: "contracts",
    shows: "contracts through ethers and TypeChain",
    commands: [["hardhat", "test", "mocha"]],
    compiles: true,
  },
  { name: "worker", shows: "simulated TEE, guest, node agent", commands: [mocha("worker")] },
  {
    name: "relayer",
    shows: "follower, outbox, decisions, API on real Postgres and anvil",
    commands: [mocha("relayer")],
  },
  {
    name: "chaos",
    shows:
      "relayers that are killed, endpoints that lie, reorgs and partitions, against the chain's own word",
    // A run that fails leaves relayers, proxies and sockets half-way: the suite ends all the same.
    commands: [[...mocha("chaos"), "--exit"]],
  },
  { name: "cli", shows: "charter", commands: [mocha("cli")] },
  { name: "web", shows: "the explorer page in Chromium", commands: [mocha("web")] },
  {
    name: "subgraph",
    shows: "mappings under gnd test, entities on the real graph-node",
    commands: [
      ["node", "scripts/subgraph.ts", "build"],
      ["node", "scripts/subgraph.ts", "test"],
      mocha("subgraph"),
    ],
  },
];
