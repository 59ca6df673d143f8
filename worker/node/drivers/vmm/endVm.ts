import { CharterError, isCharterError } from "../../../../protocol/errors/CharterError.ts";
import type { Clock } from "../../../clock.ts";
import type { VmmClient } from "./VmmClient.ts";

/** What a VM has to shut down in order before it is stopped, and then to be gone. */
const PATIENCE_MS = 20_000;
const PAUSE_MS = 250;

/**
 * Ends a VM and removes it with its disk: asked to shut down, then stopped. Harmless for one that is gone.
 * @throws CharterError `vmm/not-stopped` where it runs on, `vmm/…`.
 */
export async function endVm(client: VmmClient, id: string, clock: Clock): Promise<void> {
  if (!(await runs(client, id))) return removeVm(client, id);
  // A VM without a guest agent cannot be asked: it is stopped.
  const asked = await client.shutdownVm(id).then(() => true, refused);
  if (!(asked && (await isOver(client, id, clock)))) {
    await client.stopVm(id);
    if (!(await isOver(client, id, clock))) {
      throw new CharterError("vmm/not-stopped", "dstack-vmm did not stop the VM", { id });
    }
  }
  await removeVm(client, id);
}

async function removeVm(client: VmmClient, id: string): Promise<void> {
  if ((await client.info(id)) !== null) await client.removeVm(id);
}

const runs = async (client: VmmClient, id: string): Promise<boolean> => {
  const status = (await client.info(id))?.status;
  return status !== undefined && status !== "stopped" && status !== "exited";
};

async function isOver(client: VmmClient, id: string, clock: Clock): Promise<boolean> {
  const never = new AbortController().signal;
  const until = clock.now() + PATIENCE_MS;
  while (await runs(client, id)) {
    if (clock.now() >= until) return false;
    await clock.sleep(PAUSE_MS, never);
  }
  return true;
}

function refused(error: unknown): false {
  if (isCharterError(error) && error.code === "vmm/refused") return false;
  throw error;
}
