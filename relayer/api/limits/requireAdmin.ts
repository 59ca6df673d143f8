import { hash, timingSafeEqual } from "node:crypto";

import { CharterError } from "../../../protocol/errors/CharterError.ts";

const digest = (text: string): Buffer => hash("sha256", text, "buffer");

/**
 * Compared by digest, in a time that says nothing of the token.
 * @throws CharterError `api/unauthorized` unless the header is `Bearer` and the token.
 */
export function requireAdmin(authorization: string | undefined, token: string): void {
  if (timingSafeEqual(digest(authorization ?? ""), digest(`Bearer ${token}`))) return;
  throw new CharterError("api/unauthorized", "this address needs the admin token", {
    expected: "authorization: Bearer <token>",
  });
}
