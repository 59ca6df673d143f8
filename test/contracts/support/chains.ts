import type { Charter, Connection } from "./charter.ts";
import { deployContracts, openChain } from "./charter.ts";

/**
 * A suite's own chain: `load()` gives what `prepare` made on it, each time as if for the first time. Registers the
 * hooks that open and close the chain.
 */
export function useCharter<T>(
  prepare: (charter: Charter) => Promise<T>,
  chainId = 31_337,
): () => Promise<{ charter: Charter } & T> {
  let connection: Connection;
  before(async () => {
    connection = await openChain(chainId);
  });
  after(async () => connection.close());
  async function fixture() {
    const charter = await deployContracts(connection);
    return { charter, ...(await prepare(charter)) };
  }
  return async () => connection.networkHelpers.loadFixture(fixture);
}
