import { CharterError } from "../../../../protocol/errors/CharterError.ts";
import type { GuestConfigInput } from "../../../guest/config.ts";
import type { TlsPorts } from "./TlsPorts.ts";
import type { PortMapping } from "./VmmClient.ts";

type Tls = NonNullable<GuestConfigInput["tls"]>;

export interface VmTls {
  /** What the guest in the VM is told. */
  readonly listen: Tls;
  /** What dstack-vmm is asked for. */
  readonly mapping: PortMapping;
}

/**
 * Where a guest in a VM answers attested TLS: on the same port of VM and host, so that what it tells relayers is where clients
 * and gateways meet it.
 * @param tls the node's own: addresses of the host.
 * @param published ports that the guest's manifest publishes.
 * @throws CharterError `manifest/unsupported` where the node names no address, `vmm/no-tls-port`.
 */
export async function vmTls(
  id: string,
  tls: Tls | undefined,
  ports: TlsPorts,
  published: readonly { readonly port: number }[],
): Promise<VmTls> {
  if (tls === undefined) {
    throw new CharterError(
      "manifest/unsupported",
      "this node names no address for attested TLS (charter.tls)",
      { field: "charter.tls" },
    );
  }
  const beside = published.map(({ port }) => port);
  const port = await ports.take(id, beside);
  return {
    // The VM's own address is known to nobody here.
    listen: { host: "0.0.0.0", port, publicHost: tls.publicHost ?? tls.host },
    mapping: { protocol: "tcp", host_port: port, vm_port: port, host_address: tls.host },
  };
}
