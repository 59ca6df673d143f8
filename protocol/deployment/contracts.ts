import type { ChainEvent } from "../state/types.ts";
import type { Address } from "../words/hex.ts";
import type { Deployment } from "./deployment.ts";

/** Whose events make the state, apps aside: those become known by AppCreated. */
export const contractsOf = (deployment: Deployment): Map<Address, ChainEvent["contract"]> =>
  new Map([
    [deployment.appRegistry, "appRegistry"],
    [deployment.nodeRegistry, "nodeRegistry"],
    [deployment.attestationLedger, "attestationLedger"],
    [deployment.committeeVerifier, "committeeVerifier"],
    [deployment.advisorySets, "advisorySets"],
    [deployment.endorsements, "endorsements"],
    ...optional(deployment.dcapCollateral, "dcapCollateral"),
    ...optional(deployment.dcapVerifier, "dcapVerifier"),
  ]);

const optional = (
  address: Address | undefined,
  contract: ChainEvent["contract"],
): [Address, ChainEvent["contract"]][] => (address === undefined ? [] : [[address, contract]]);
