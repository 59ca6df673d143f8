import type { GraphReader } from "./GraphReader.ts";

export interface IndexedRelease {
  readonly number: number;
  readonly composeHash: string;
  readonly activatesAt: string;
  readonly endsAt: string;
  readonly graceSeconds: string;
  readonly vetoed: boolean;
  readonly revoked: boolean;
  readonly rebuildsRequired: number;
  readonly rebuildsMatching: number;
  readonly rebuilds: readonly { readonly matches: boolean }[];
}

export interface IndexedSetting {
  readonly kind: number;
  readonly key: string;
  readonly value: string;
  readonly pendingValue: string | null;
  readonly effectiveAt: string | null;
}

export interface IndexedApp {
  readonly owner: string;
  readonly pendingOwner: string | null;
  readonly guardian: string | null;
  readonly pendingGuardian: string | null;
  readonly pendingGuardianAt: string | null;
  readonly level: number;
  readonly noticeFloorSeconds: string;
  readonly lastRelease: number;
  readonly replicas: number;
  readonly selectorTeeKinds: number;
  readonly selectorGpu: boolean;
  readonly selectorOperators: readonly string[];
  readonly settings: readonly IndexedSetting[];
  readonly releases: readonly IndexedRelease[];
  readonly governanceEvents: readonly { readonly kind: string; readonly settingKind: number | null }[];
}

/** The app with all that hangs on it, as indexed after `block`. */
export async function indexedApp(graph: GraphReader, address: string, block: number): Promise<IndexedApp> {
  const { app } = await graph.at<{ app: IndexedApp }>(
    block,
    `{ app(id: "${address.toLowerCase()}", block: AT) {
      owner pendingOwner guardian pendingGuardian pendingGuardianAt level noticeFloorSeconds lastRelease
      replicas selectorTeeKinds selectorGpu selectorOperators
      settings(first: 1000) { kind key value pendingValue effectiveAt }
      releases(first: 1000, orderBy: number) {
        number composeHash activatesAt endsAt graceSeconds vetoed revoked rebuildsRequired rebuildsMatching
        rebuilds(first: 1000) { matches }
      }
      governanceEvents(first: 1000) { kind settingKind }
    } }`,
  );
  return app;
}
