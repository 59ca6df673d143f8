import { z } from "zod";

import { addressSchema, signatureSchema } from "./messages.ts";

/** Where an instance answers TLS: an address, never a name (what was checked is what is met). */
export const endpointSchema = z.strictObject({
  host: z.union([z.ipv4(), z.ipv6()]),
  port: z.number().int().min(1).max(65_535),
});
export type EndpointMessage = z.infer<typeof endpointSchema>;

/**
 * `GET /apps/:app/endpoints` → where instances of an app that hold a lease now say that they answer. Whoever connects
 * checks the certificate's key bindings: this list only finds instances, it vouches for none.
 */
export const endpointsSchema = z.strictObject({
  endpoints: z
    .array(endpointSchema.extend({ key: addressSchema, until: z.number().int().nonnegative() }))
    .max(1_024),
});
export type EndpointsMessage = z.infer<typeof endpointsSchema>;

/** An instance tells anew in good time; what it does not repeat is forgotten. */
export const MAX_ENDPOINT_SECONDS = 300;

/** `POST /instances/endpoint` → 204. `signature`: the instance key's EIP-712 InstanceEndpoint(app, host, port, until). */
export const endpointReportSchema = endpointSchema.extend({
  app: addressSchema,
  key: addressSchema,
  /** Unix seconds; at most `MAX_ENDPOINT_SECONDS` ahead. A later report replaces an earlier one. */
  until: z.number().int().nonnegative(),
  signature: signatureSchema,
});
export type EndpointReport = z.infer<typeof endpointReportSchema>;
