import type { ClientBase } from "pg";

/** The store comes to say of every key what it says of the guest that attested; the evidence itself no lease reads. */
export async function multiplySessions(
  client: Pick<ClientBase, "query">,
  keys: readonly string[],
): Promise<void> {
  await client.query(
    `INSERT INTO evidence (digest, purpose, subject, key, node, verdict, evidence, evidence_block, valid_until, accepted_at)
     SELECT keys.key || e.digest, e.purpose, e.subject, keys.key, e.node,
            jsonb_set(e.verdict::jsonb, '{key}', to_jsonb(keys.key))::json, '{}'::json, e.evidence_block, e.valid_until, e.accepted_at
     FROM evidence e, unnest($1::text[]) AS keys(key) WHERE e.purpose = 'instance'`,
    [keys],
  );
}
