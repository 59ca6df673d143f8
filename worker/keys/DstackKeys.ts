import { CharterError } from "../../protocol/errors/CharterError.ts";
import type { Address } from "../../protocol/words/hex.ts";
import type { DstackAgent } from "../tee/dstack/DstackAgent.ts";
import { deriveAppKey } from "./deriveAppKey.ts";
import type { KeySource, KeyUse } from "./KeySource.ts";

/** Keys of dstack's KMS by way of its guest agent, which scopes them to the app that it measured. */
export class DstackKeys implements KeySource {
  readonly name = "dstack";
  readonly isShared = true;
  readonly #agent: DstackAgent;

  constructor(agent: DstackAgent) {
    this.#agent = agent;
  }

  /** @throws CharterError `keys/other-app` where the agent serves another app; `tee/agent-…`. */
  async key(app: Address, use: KeyUse): Promise<Uint8Array> {
    const { app_id } = await this.#agent.info();
    const actual = `0x${app_id.replace(/^0x/, "").toLowerCase()}`;
    if (actual !== app) {
      throw new CharterError("keys/other-app", "this source holds the keys of another app", {
        expected: app,
        actual,
      });
    }
    // dstack derives one key per path and its `purpose` goes into the signature only: the use stands in the path.
    const secret = await this.#agent.key(`charter/${use}`, `charter ${use}`);
    return deriveAppKey(secret, app, use);
  }
}
