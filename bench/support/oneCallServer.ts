/**
 * What boot authorization is beside: the least server that asks the contract at every request, one `eth_call` and
 * nothing more (dstack's own asks several times, so this is the better of that kind).
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { createPublicClient, http } from "viem";
import type { Address } from "viem";

import { kmsAbi } from "../../relayer/api/bootAuth/direct/kmsAbi.ts";

const client = createPublicClient({ transport: http(process.env.ETH_RPC_URL) });
const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    void (async () => {
      const [isAllowed, reason] = await client.readContract({
        address: process.env.KMS_CONTRACT_ADDR as Address,
        abi: kmsAbi,
        functionName: "isAppAllowed",
        args: [JSON.parse(Buffer.concat(chunks).toString()) as never],
      });
      const body = JSON.stringify({ isAllowed, reason, gatewayAppId: "" });
      response.setHeader("content-type", "application/json");
      response.setHeader("content-length", Buffer.byteLength(body));
      response.end(body);
    })();
  });
});
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`${JSON.stringify({ ready: true, url: `http://127.0.0.1:${port}` })}\n`);
});
process.on("SIGTERM", () => {
  server.closeAllConnections();
  server.close();
});
