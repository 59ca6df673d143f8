/** What the page reads: one query over the relayer's stitched schema. */
export const QUERY = /* GraphQL */ `
  {
    health {
      ready
      chainId
      headAgeSeconds
      error
    }
    liveBlock {
      final {
        number
      }
      newest {
        number
        timestamp
      }
    }
    liveLeases(first: 1000) {
      app
      key
      release
      until
    }
    apps(orderBy: createdAt, orderDirection: desc) {
      id
      owner
      guardian
      level
      noticeFloorSeconds
      replicas
      lastRelease
    }
    releases(orderBy: proposedAt, orderDirection: desc, first: 50) {
      number
      composeHash
      activatesAt
      endsAt
      vetoed
      rebuildsRequired
      rebuildsMatching
      revoked
      app {
        id
      }
    }
    instances(orderBy: provenAt, orderDirection: desc, first: 50) {
      key
      expiresAt
      simulated
      app {
        id
      }
      release {
        number
      }
      node {
        number
      }
    }
    nodes(orderBy: number, first: 100) {
      number
      operator
      platformId
      kind
      status
      simulated
      retired
      expiresAt
    }
    governanceEvents(orderBy: timestamp, orderDirection: desc, first: 25) {
      kind
      releaseNumber
      settingKind
      oldValue
      newValue
      effectiveAt
      actor
      timestamp
      app {
        id
      }
    }
    _meta {
      block {
        number
        timestamp
      }
    }
  }
`;

/** Answer of the query. Subgraph roots are null while graph-node is away; live roots while the chain is. */
export interface Answer {
  readonly health: {
    ready: boolean;
    chainId: number;
    headAgeSeconds: number | null;
    error: string | null;
  } | null;
  readonly liveBlock: { final: { number: number }; newest: { number: number; timestamp: number } } | null;
  readonly liveLeases: readonly { app: string; key: string; release: number; until: number }[] | null;
  readonly apps: readonly AppRow[] | null;
  readonly releases: readonly ReleaseRow[] | null;
  readonly instances: readonly InstanceRow[] | null;
  readonly nodes: readonly NodeRow[] | null;
  readonly governanceEvents: readonly GovernanceRow[] | null;
  readonly _meta: { block: { number: number; timestamp: number | null } } | null;
}

export interface AppRow {
  readonly id: string;
  readonly owner: string;
  readonly guardian: string | null;
  readonly level: number;
  readonly noticeFloorSeconds: string;
  readonly replicas: number;
  readonly lastRelease: number;
}

export interface ReleaseRow {
  readonly number: number;
  readonly composeHash: string;
  readonly activatesAt: string;
  readonly endsAt: string;
  readonly vetoed: boolean;
  readonly rebuildsRequired: number;
  readonly rebuildsMatching: number;
  readonly revoked: boolean;
  readonly app: { readonly id: string };
}

export interface InstanceRow {
  readonly key: string;
  readonly expiresAt: string;
  readonly simulated: boolean;
  readonly app: { readonly id: string };
  readonly release: { readonly number: number };
  readonly node: { readonly number: number };
}

export interface NodeRow {
  readonly number: number;
  readonly operator: string;
  readonly platformId: string;
  readonly kind: number;
  readonly status: number;
  readonly simulated: boolean;
  readonly retired: boolean;
  readonly expiresAt: string;
}

export interface GovernanceRow {
  readonly kind: string;
  readonly releaseNumber: number | null;
  readonly settingKind: number | null;
  readonly oldValue: string | null;
  readonly newValue: string | null;
  readonly effectiveAt: string | null;
  readonly actor: string;
  readonly timestamp: string;
  readonly app: { readonly id: string } | null;
}

/** Asks the relayer on this page's own origin. Partial answers come back with their errors. */
export async function ask(): Promise<{ data: Partial<Answer>; errors: readonly string[] }> {
  const response = await fetch("/graphql", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query: QUERY }),
  });
  const body = (await response.json()) as { data?: Partial<Answer> | null; errors?: { message: string }[] };
  return { data: body.data ?? {}, errors: (body.errors ?? []).map(({ message }) => message) };
}
