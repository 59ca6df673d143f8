import { openStore, type Store } from "../../../relayer/store/store.ts";
import { freshDatabase } from "../../support/postgres.ts";

interface Closable {
  readonly close: () => Promise<unknown>;
}

export interface FreshStore {
  /** That of the running test. */
  readonly store: () => Store;
  /** Remembers what the running test opened, and gives it back. */
  readonly opened: <T extends Closable>(one: T) => T;
}

/** A store over a database of its own for each test of the calling suite; closed after it, after all that it opened. */
export function freshStore(): FreshStore {
  let store: Store | undefined;
  const open: Closable[] = [];
  beforeEach(async () => {
    store = await openStore(await freshDatabase());
  });
  afterEach(async () => {
    for (const one of open.splice(0).reverse()) await one.close();
    await store?.close();
  });
  return {
    store: () => store as Store,
    opened: (one) => {
      open.push(one);
      return one;
    },
  };
}
