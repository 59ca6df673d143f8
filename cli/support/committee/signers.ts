import { attestationLedgerAbi } from "../../../protocol/abi/attestationLedger.ts";
import { isPlatformShared } from "../../../protocol/policy/seatAt.ts";
import type { Address } from "../../../protocol/words/hex.ts";
import { appOf, readChainState } from "../chainState.ts";
import type { Context } from "../context.ts";

/**
 * Keys that could sign now in a committee of operators: live instances of the relayer's own app, by the operator of the
 * node that each runs on, on whose platform no other operator has a node. @throws CliError `app/unknown`.
 */
export async function liveSignersByOperator(
  context: Context,
  app: Address,
): Promise<ReadonlyMap<Address, readonly Address[]>> {
  const client = await context.client();
  const { attestationLedger } = context.deployment();
  const { state } = await readChainState(context);
  appOf(state, app);
  const byOperator = new Map<Address, Address[]>();
  for (const instance of state.instances.values()) {
    const node = state.nodes.get(instance.node);
    if (instance.app !== app || node === undefined || isPlatformShared(state, node)) continue;
    const { operator } = node;
    const isLive = await client.readContract({
      address: attestationLedger,
      abi: attestationLedgerAbi,
      functionName: "isLive",
      args: [app, instance.key],
    });
    if (isLive) byOperator.set(operator, [...(byOperator.get(operator) ?? []), instance.key]);
  }
  return byOperator;
}
