import type { Address } from "../../protocol/words/hex.ts";
import type { SecretOptions } from "../api/routes/secrets.ts";
import type { Projection } from "../chain/projection.ts";
import type { LeaseDesk } from "../leases/LeaseDesk.ts";
import type { Store } from "../store/store.ts";
import { secretAdmission } from "./admitSecret.ts";
import { secretSigners } from "./secretSigners.ts";

interface ServiceSeams extends Pick<SecretOptions, "guard" | "budgets" | "now"> {
  readonly chainId: number;
  readonly ledger: Address;
  readonly store: Pick<Store, "secrets" | "blobs">;
  readonly desk: Pick<LeaseDesk, "knows" | "request">;
  /** @throws chain/not-ready */
  readonly projection: () => Projection;
}

/** What the routes of secrets stand on. */
export function secretService({ store, desk, projection, ...shared }: ServiceSeams): SecretOptions {
  const { chainId, ledger, now } = shared;
  return {
    ...shared,
    secrets: store.secrets,
    knows: (app, key) => desk.knows(app, key),
    admit: secretAdmission({
      ...{ chainId, ledger, now },
      store: store.secrets,
      signersOf: (app) => secretSigners(app, projection().newest.state, now(), store.blobs),
    }),
    lease: (request) => desk.request(request),
  };
}
