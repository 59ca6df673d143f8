/** Why a command of a page is not typed by test/docker/documented.test.ts. */
export interface Reason {
  /** What it begins with. */
  readonly at: string;
  /** What it takes that no test has, or the test that runs it and what of it stands there. */
  readonly because: string | { readonly test: string; readonly says: string };
}

const HARDWARE = "needs a machine with a TEE, and a relayer and an address book of a public chain";
const ROOT = "changes the machine's packages or accounts";
const nodes = (says: string): Reason["because"] => ({ test: "test/cli/nodes.test.ts", says });
const proofs = (says: string): Reason["because"] => ({ test: "test/cli/proofs.test.ts", says });

/** By page. Each has to be there still: one that no command begins with any more fails the test. */
export const NOT_TYPED: Readonly<Record<string, readonly Reason[]>> = {
  "README.md": [
    { at: "npm test", because: "is what runs this test" },
    { at: "npm start -- --once", because: { test: "test/e2e/story.test.ts", says: '"--once"' } },
    { at: "docker info", because: "is how this test finds its engine ready (test/docker/support/engine.ts)" },
    { at: "charter verify", because: { test: "test/cli/verify.test.ts", says: '"verify"' } },
    { at: "charter --help", because: { test: "test/cli/usage.test.ts", says: '"--help"' } },
  ],
  "docs/developers.md": [
    { at: "docker compose", because: "names a program" },
    { at: "docker info", because: "is how this test finds its engine ready (test/docker/support/engine.ts)" },
    { at: "apt-get install", because: ROOT },
    { at: "docker image inspect", because: "needs an image that its reader has pushed" },
  ],
  "docs/operators.md": [
    { at: "npx -y -p node@24", because: "installs the clone that this test runs in (scripts/bootstrap.mjs)" },
    { at: "apt-get install", because: ROOT },
    { at: "usermod", because: ROOT },
    { at: "npx charter-node init --relayers https://relayer.example", because: HARDWARE },
    { at: "npx charter-node doctor --config /etc/", because: HARDWARE },
    { at: "npx charter-node register", because: HARDWARE },
    { at: "npx charter-node run --config /etc/", because: HARDWARE },
    { at: "charter-node register", because: HARDWARE },
    { at: "npm test", because: "is what runs this test" },
    { at: "charter node show 3", because: nodes('"show"') },
    { at: "charter node retire", because: nodes('"retire"') },
    { at: "charter node rejudge", because: nodes('"rejudge"') },
    { at: "charter node invalidate", because: nodes('"invalidate"') },
    { at: "charter collateral put", because: nodes('"collateral", "put"') },
    { at: "charter collateral set-minimum", because: nodes('"set-minimum"') },
    { at: "charter operator list", because: nodes('"operator", "list"') },
    { at: "charter operator add", because: nodes('"operator", "add"') },
    { at: "charter endorsement root", because: proofs('"endorsement", "root"') },
    { at: "charter endorsement enter", because: proofs('"enter"') },
    { at: "charter proof post", because: proofs('"proof", "post"') },
    { at: "charter zk list", because: proofs('"zk", "list"') },
    { at: "docker image prune", because: "removes images of the machine's own engine" },
  ],
  "examples/vector-notes/README.md": [{ at: "docker import", because: "names what the script runs" }],
};
