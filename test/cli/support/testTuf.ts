import { createHash, generateKeyPairSync, sign } from "node:crypto";

import Fastify from "fastify";

import type { Folder } from "./folder.ts";

/** A repository of The Update Framework with one target, `trusted_root.json`. */
export interface TestTuf {
  readonly url: string;
  /** File of the root that a client begins with. */
  readonly rootPath: string;
  readonly stop: () => Promise<void>;
}

/** @param tamper changes the target after its hash was signed. */
export async function startTestTuf(folder: Folder, trustedRoot: object, tamper = false): Promise<TestTuf> {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const hex = publicKey.export({ format: "der", type: "spki" }).subarray(-32).toString("hex");
  const key = { keytype: "ed25519", scheme: "ed25519", keyval: { public: hex } };
  const keyid = sha256(canonical(key));
  const signed = (role: string, body: object): string => {
    const content = {
      _type: role,
      spec_version: "1.0.0",
      version: 1,
      expires: "2999-01-01T00:00:00Z",
      ...body,
    };
    const sig = sign(null, Buffer.from(canonical(content)), privateKey).toString("hex");
    return JSON.stringify({ signed: content, signatures: [{ keyid, sig }] });
  };
  const target = JSON.stringify(trustedRoot);
  const role = { keyids: [keyid], threshold: 1 };
  const files = new Map([
    [
      "/root.json",
      signed("root", {
        consistent_snapshot: false,
        keys: { [keyid]: key },
        roles: { root: role, targets: role, snapshot: role, timestamp: role },
      }),
    ],
    [
      "/targets.json",
      signed("targets", {
        targets: { "trusted_root.json": { length: target.length, hashes: { sha256: sha256(target) } } },
      }),
    ],
    ["/snapshot.json", signed("snapshot", { meta: { "targets.json": { version: 1 } } })],
    ["/timestamp.json", signed("timestamp", { meta: { "snapshot.json": { version: 1 } } })],
    ["/targets/trusted_root.json", tamper ? target.replace("sigstore", "sigst0re") : target],
  ]);
  const server = Fastify();
  server.get("/*", (request, reply) => {
    const text = files.get(request.url);
    return text === undefined ? reply.code(404).send() : reply.type("application/octet-stream").send(text);
  });
  return {
    url: await server.listen({ host: "127.0.0.1", port: 0 }),
    rootPath: folder.file("tuf-root.json", files.get("/root.json") ?? ""),
    stop: () => server.close(),
  };
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** OLPC's canonical JSON, for what is written here: keys in order, no spaces. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
