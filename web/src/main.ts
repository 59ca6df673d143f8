import { ask, type Answer } from "./query.ts";
import { appRow, governanceRow, instanceRow, nodeRow, releaseRow } from "./rows.ts";
import { showTable } from "./table.ts";

const REFRESH_MS = 2_000;

const element = (id: string): HTMLElement => document.getElementById(id) as HTMLElement;

function show(data: Partial<Answer>): void {
  const now = data.liveBlock?.newest.timestamp ?? Math.floor(Date.now() / 1000);
  const leased = new Set((data.liveLeases ?? []).map(({ key }) => key));
  showTable(
    element("apps"),
    ["app", "level", "owner", "guardian", "releases", "replicas"],
    data.apps?.map(appRow),
  );
  showTable(
    element("releases"),
    ["app", "release", "state", "active from", "until", "compose hash"],
    data.releases?.map((release) => releaseRow(release, now)),
  );
  showTable(
    element("instances"),
    ["app", "key", "release", "node", "lease", "proof", "evidence"],
    data.instances?.map((instance) => instanceRow(instance, now, leased)),
  );
  showTable(
    element("nodes"),
    ["node", "state", "kind", "TCB status", "operator", "platform id"],
    data.nodes?.map((node) => nodeRow(node, now)),
  );
  showTable(
    element("history"),
    ["when", "what", "app", "concerns", "from", "to", "by"],
    data.governanceEvents?.map(governanceRow),
  );
}

function showStatus(text: string, isTrouble: boolean): void {
  const status = element("status");
  status.textContent = text;
  status.dataset.state = isTrouble ? "trouble" : "well";
}

function statusText(data: Partial<Answer>): string {
  const chain = data.health ? `chain ${data.health.chainId}` : "chain unknown";
  const block = data.liveBlock
    ? `block ${data.liveBlock.newest.number}, final ${data.liveBlock.final.number}`
    : "no block";
  const index = data._meta ? `index at ${data._meta.block.number}` : "index away: history is missing";
  return [chain, block, index].join(" · ");
}

async function refresh(): Promise<void> {
  try {
    const { data } = await ask();
    show(data);
    showStatus(statusText(data), !data.health?.ready || !data._meta);
  } catch {
    showStatus("The relayer does not answer. What you see is old.", true);
  }
  setTimeout(() => void refresh(), REFRESH_MS);
}

void refresh();
