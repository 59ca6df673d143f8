import type { Address } from "../../protocol/words/hex.ts";
import type { SecretOptions } from "../api/routes/secrets.ts";
import type { Follower } from "../chain/follower.ts";
import type { LeaseDesk } from "../leases/LeaseDesk.ts";
import type { Store } from "../store/store.ts";
import { secretAdmission } from "./admitSecret.ts";
import { secretSigners } from "./secretSigners.ts";

interface ServiceSeams extends Pick<SecretOptions, "guard" | "now"> {
  readonly chainId: number;
  readonly ledger: Address;
  readonly store: Pick<Store, "secrets" | "blobs">;
  readonly desk: Pick<LeaseDesk, "knows" | "request">;
  readonly follower: Pick<Follower, "projection">;
  readonly config: Pick<SecretOptions, "budgets"> & { readonly leaseAccount: SecretOptions["signer"] };
}

/** What the routes of secrets stand on. */
export function secretService({ store, desk, follower, config, ...shared }: ServiceSeams): SecretOptions {
  const { chainId, ledger, now } = shared;
  return {
    ...shared,
    budgets: config.budgets,
    signer: config.leaseAccount,
    secrets: store.secrets,
    knows: (app, key) => desk.knows(app, key),
    admit: secretAdmission({
      ...{ chainId, ledger, now },
      store: store.secrets,
      signersOf: (app) => secretSigners(app, follower.projection().newest.state, now(), store.blobs),
    }),
    lease: (request) => desk.request(request),
  };
}
