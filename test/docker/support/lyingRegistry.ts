import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A registry that may lie about one digest. */
export interface LyingRegistry {
  /** The image by its true digest, by way of this registry. */
  readonly image: string;
  /** The same repository by a digest that other bytes are served for, under that digest's name. */
  readonly other: string;
  /** How often the other bytes were asked for. */
  readonly lies: () => number;
  close(): Promise<void>;
}

/** Passes everything on to the registry of `image`, and serves that image's manifest for another digest, too. */
export async function startLyingRegistry(image: string): Promise<LyingRegistry> {
  const [, host, repository, digest] = /^([^/]+)\/(.+)@(sha256:[0-9a-f]{64})$/.exec(image) ?? [];
  if (host === undefined || repository === undefined || digest === undefined) throw new Error(image);
  const asked = `sha256:${"5e".repeat(32)}`;
  let lies = 0;
  const server = createServer((request, response) => {
    void (async () => {
      const { method = "GET", url = "" } = request;
      const isLie = url.endsWith(`/manifests/${asked}`);
      if (isLie) lies++;
      const answer = await fetch(`http://${host}${url.replace(asked, digest)}`, {
        method,
        headers: { accept: request.headers.accept ?? "*/*" },
      });
      const headers: Record<string, string> = {};
      for (const name of ["content-type", "docker-content-digest", "docker-distribution-api-version"]) {
        const value = answer.headers.get(name);
        if (value !== null) headers[name] = value.replace(digest, isLie ? asked : digest);
      }
      const bytes = Buffer.from(await answer.arrayBuffer());
      const length = method === "HEAD" ? answer.headers.get("content-length") : String(bytes.length);
      response.writeHead(answer.status, {
        ...headers,
        ...(length === null ? {} : { "content-length": length }),
      });
      response.end(bytes);
    })().catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const own = `127.0.0.1:${(server.address() as AddressInfo).port}/${repository}`;
  return {
    image: `${own}@${digest}`,
    other: `${own}@${asked}`,
    lies: () => lies,
    close: async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}
