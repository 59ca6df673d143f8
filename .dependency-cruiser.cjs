// The house (ARCHITECTURE.md): arrows between rooms go one way. `npm test` fails on any other.
const between = (name, from, to) => ({
  name,
  severity: "error",
  comment: `${from} must not import ${to}`,
  from: { path: from },
  to: { path: to },
});

const ROOMS = ["relayer", "worker", "cli", "web"];

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    between(
      "protocol-imports-nothing-of-the-project",
      "^protocol/",
      "^(relayer|worker|cli|web|scripts|bench|test|types|subgraph)/",
    ),
    ...ROOMS.map((room) =>
      between(
        `${room}-imports-only-protocol`,
        `^${room}/`,
        `^(${ROOMS.filter((other) => other !== room).join("|")}|scripts|bench|test|types|subgraph)/`,
      ),
    ),
    {
      name: "protocol-does-no-io",
      severity: "error",
      comment: "protocol is pure; node:crypto stands behind the one seam file",
      from: { path: "^protocol/", pathNot: "^protocol/crypto/node\\.ts$" },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "ethers-only-in-tests-and-scripts",
      severity: "error",
      from: { pathNot: "^(test|scripts|bench)/" },
      to: { path: "node_modules/ethers/" },
    },
    {
      name: "oracles-only-in-tests-and-benches",
      severity: "error",
      comment: "@phala/dcap-qvl is an oracle, never the verifier",
      from: { pathNot: "^(test|bench)/" },
      to: { path: "node_modules/@phala/dcap-qvl/" },
    },
    {
      name: "no-cycles-between-files",
      severity: "error",
      from: { path: "^(protocol|relayer|worker|cli|web|scripts)/" },
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    { name: "not-to-unresolvable", severity: "error", from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: "specify",
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^(artifacts|cache|types|coverage|web/dist|subgraph)/" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default", "types"],
    },
  },
};
