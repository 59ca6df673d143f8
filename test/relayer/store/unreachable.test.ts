import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";

import { expect } from "chai";

import { EvidenceStore } from "../../../relayer/store/evidenceStore.ts";
import { asStoreError } from "../../../relayer/store/asStoreError.ts";
import { openPool } from "../../../relayer/store/openPool.ts";
import { inTransaction } from "../../../relayer/store/transaction.ts";
import { parseAddress } from "../../../protocol/words/hex.ts";
import { freshDatabase } from "../../support/postgres.ts";
import { refusal } from "../../support/refusal.ts";
import { wireTo } from "../../support/wire.ts";

const address = parseAddress(`0x${"0a".repeat(20)}`);

describe("a database that is away", () => {
  it("recall_databaseAcceptsAndSaysNothing_isUnreachable", async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => void sockets.push(socket.on("error", () => undefined)));
    await new Promise<void>((done) => silent.listen(0, "127.0.0.1", done));
    const { port } = silent.address() as AddressInfo;
    const pool = openPool(`postgres://nobody:nothing@127.0.0.1:${port}/none`, {
      connectionTimeoutMillis: 100,
    });
    expect(await refusal(new EvidenceStore(pool).instance(address, address))).to.equal("store/unreachable");
    expect(await refusal(inTransaction(pool, async () => 1))).to.equal("store/unreachable");
    await pool.end();
    for (const socket of sockets) socket.destroy();
    await new Promise((done) => silent.close(done));
    expect(await refusal(new EvidenceStore(pool).instance(address, address))).to.equal("store/unreachable");
  });

  it("query_connectionEndedByTheServer_isUnreachableOnceAndThenAnswers", async () => {
    const pool = openPool(await freshDatabase());
    const cut = refusal(
      inTransaction(pool, (client) => client.query("SELECT pg_terminate_backend(pg_backend_pid())")),
    );
    expect(await cut).to.equal("store/unreachable");
    expect((await pool.query<{ one: number }>("SELECT 1 AS one")).rows).to.deep.equal([{ one: 1 }]);
    await pool.end();
  });

  it("query_databaseFallsSilent_isUnreachableAndLeavesThatConnection", async () => {
    const url = new URL(await freshDatabase());
    const wire = await wireTo(Number(url.port));
    url.hostname = "127.0.0.1";
    url.port = String(wire.port);
    const pool = openPool(url.href, { queryTimeoutMillis: 500 });
    await pool.query("SELECT 1");
    wire.isSilent = true;
    expect(await refusal(pool.query("SELECT 1"))).to.equal("store/unreachable");
    wire.isSilent = false;
    expect((await pool.query<{ one: number }>("SELECT 1 AS one")).rows).to.deep.equal([{ one: 1 }]);
    await pool.end();
    await wire.stop();
  });

  it("query_thatIsWrong_staysADefect", async () => {
    const pool = openPool(await freshDatabase());
    const wrong = await pool.query("SELECT nothing FROM nowhere").catch((error: unknown) => error);
    expect(asStoreError(wrong)).to.equal(wrong);
    expect(wrong).to.have.property("code", "42P01");
    await pool.end();
  });
});
