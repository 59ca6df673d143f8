import type { FastifyInstance } from "fastify";
import { z } from "zod";

import { CharterError } from "../../../protocol/errors/CharterError.ts";
import { addressSchema, type ReleaseInfo } from "../../../protocol/session/messages.ts";
import type { ChainState } from "../../../protocol/state/types.ts";
import { parseMessage } from "../errors.ts";

export interface ReleaseOptions {
  /** @throws chain/not-ready */
  readonly projection: () => { readonly final: { readonly state: Pick<ChainState, "apps"> } };
}

const paramsSchema = z.strictObject({
  app: addressSchema,
  number: z
    .string()
    .regex(/^[1-9]\d{0,8}$/, "expected a release's number")
    .transform(Number),
});

/** `GET /apps/:app/releases/:number`: by which hash a guest can have its release's note. Nobody vouches for the answer. */
export function releaseRoute(server: FastifyInstance, { projection }: ReleaseOptions): void {
  server.get("/apps/:app/releases/:number", ({ params }): ReleaseInfo => {
    const { app, number } = parseMessage(paramsSchema, params);
    const release = projection().final.state.apps.get(app)?.releases[number - 1];
    if (release === undefined) {
      throw new CharterError("release/unknown", "the final block has no such release of this app", {
        app,
        number,
      });
    }
    const { composeHash, noteDigest } = release;
    return { number, composeHash, noteDigest };
  });
}
