import type { Reads } from "./reads.ts";

interface InstanceRow {
  readonly key: string;
  readonly release: { readonly number: number };
  readonly node: { readonly number: number };
}

/** Indexed instances of an app that run this release and hold a lease now. */
export async function leasedInstances(reads: Reads, app: string, release: number): Promise<InstanceRow[]> {
  const { app: found } = await reads.graphql<{
    app: {
      instances: InstanceRow[] | null;
      live: { leases: { key: string; release: number }[] } | null;
    } | null;
  }>(`{
    app(id: "${app}") {
      instances { key release { number } node { number } }
      live { leases { key release } }
    }
  }`);
  const leases = found?.live?.leases ?? [];
  const leased = new Set(leases.filter((lease) => lease.release === release).map(({ key }) => key));
  return (found?.instances ?? []).filter((one) => one.release.number === release && leased.has(one.key));
}

/** Leases of an app that run any other release. */
export async function otherLeases(reads: Reads, app: string, release: number): Promise<number> {
  const { liveLeases } = await reads.graphql<{ liveLeases: { release: number }[] }>(
    `{ liveLeases(app: "${app}") { release } }`,
  );
  return liveLeases.filter((lease) => lease.release !== release).length;
}

/** Keys among these that the ledger calls live. */
export async function liveKeys(reads: Reads, app: string, keys: readonly string[]): Promise<string[]> {
  const answers = await Promise.all(keys.map((key) => reads.ledger.isLive(app, key)));
  return keys.filter((_, i) => answers[i]);
}
