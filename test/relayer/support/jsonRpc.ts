import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** Answers by method, or functions that make them; one with a field `error` is JSON-RPC's refusal. */
export type Answers = Record<string, unknown>;

export interface JsonRpc {
  readonly url: string;
  /** Method and parameters of every call, in order. */
  readonly calls: readonly { readonly method: string; readonly params: readonly unknown[] }[];
  answers: Answers;
  stop(): Promise<void>;
}

const NOT_FOUND = { error: { code: -32_601, message: "method not found" } };

/** Starts an endpoint on a free port of loopback. An unknown method answers with JSON-RPC's own error. */
export async function startJsonRpc(answers: Answers): Promise<JsonRpc> {
  const calls: { method: string; params: unknown[] }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { id, method, params } = JSON.parse(Buffer.concat(chunks).toString()) as {
        id: number;
        method: string;
        params?: unknown[];
      };
      calls.push({ method, params: params ?? [] });
      const answer = rpc.answers[method];
      void (async () => {
        const result =
          typeof answer === "function"
            ? await (answer as (...params: unknown[]) => unknown)(...(params ?? []))
            : answer;
        const isError = typeof result === "object" && result !== null && "error" in result;
        const body = isError ? result : result === undefined ? NOT_FOUND : { result };
        response.setHeader("content-type", "application/json");
        response.end(JSON.stringify({ jsonrpc: "2.0", id, ...body }));
      })();
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const rpc: JsonRpc = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/secret-key`,
    calls,
    answers,
    stop: () => {
      server.closeAllConnections();
      return new Promise((done) => server.close(() => done()));
    },
  };
  return rpc;
}
