import { expect } from "chai";
import Fastify from "fastify";
import { privateKeyToAccount } from "viem/accounts";
import type { PrivateKeyAccount } from "viem/accounts";

import { nodePollTypedData, POLL_HEADER, readPoll, writePoll } from "../../../protocol/session/nodePoll.ts";
import type { NodePoll } from "../../../protocol/session/nodePoll.ts";
import { placementsSchema } from "../../../protocol/session/messages.ts";
import type { Address } from "../../../protocol/words/hex.ts";
import { installErrorHandler } from "../../../relayer/api/errors.ts";
import { KeyGuard } from "../../../relayer/api/limits/KeyGuard.ts";
import { sessionRoutes } from "../../../relayer/api/routes/sessions.ts";
import type { SessionOptions } from "../../../relayer/api/routes/sessions.ts";
import { NodePolls } from "../../../relayer/decisions/NodePolls.ts";
import { PlacementDesk } from "../../../relayer/decisions/PlacementDesk.ts";
import type { NodeStore } from "../../../relayer/store/nodeStore.ts";
import { RelayerClient } from "../../../worker/session/RelayerClient.ts";
import { History, word } from "../../protocol/state/builders.ts";

const T = 1_800_000_000;
const CHAIN_ID = 31_337;
const REGISTRY = `0x${"0e".repeat(20)}` as Address;
const SILENT_SECONDS = 120;
const account = privateKeyToAccount(word(0x0a01));
const stranger = privateKeyToAccount(word(0x0a02));
const key = account.address.toLowerCase() as Address;

describe("NodePolls", () => {
  let now: number;
  let desk: PlacementDesk;
  let polls: NodePolls;
  const history = new History().create(T - 1_000).node(1, T - 900, { key, expiresAt: T + 100_000 });
  const block = { number: 1n, hash: word(1), parentHash: word(0), timestamp: T };
  const projection = () => ({
    final: { block, state: history.state },
    newest: { block, state: history.state },
  });

  const open = (unprovenPerAddress?: number) => {
    desk = new PlacementDesk({
      ...{ chainId: CHAIN_ID, nodeRegistry: REGISTRY, projection, leases: () => [] },
      nodes: {} as NodeStore, // What is heard is shared later, by somebody else.
      now: () => now,
      silentSeconds: SILENT_SECONDS,
      handoverSeconds: 100,
    });
    const guard = new KeyGuard({
      perKey: 1_000,
      ...(unprovenPerAddress === undefined ? {} : { unprovenPerAddress }),
    });
    polls = new NodePolls({
      chainId: CHAIN_ID,
      nodeRegistry: REGISTRY,
      placements: desk,
      guard,
      now: () => now,
    });
  };
  beforeEach(() => {
    now = T;
    open();
  });

  const signed = async (
    at = now,
    signer: PrivateKeyAccount = account,
    { chainId = CHAIN_ID, registry = REGISTRY } = {},
  ): Promise<string> =>
    writePoll({ at, signature: await signer.signTypedData(nodePollTypedData(chainId, registry, at)) });
  const hear = (poll: unknown, address = "10.0.0.1") => polls.hear({ node: 1, key, poll, address });

  it("hear_signedByTheNodesKeyJustNow_counts", async () => {
    expect(desk.isDue(1)).to.equal(true);
    expect(await hear(await signed())).to.equal(true);
    expect(desk.isDue(1)).to.equal(false);
    for (const at of [T - 300, T + 300]) {
      open();
      expect(await hear(await signed(at)), String(at - T)).to.equal(true);
    }
  });

  it("hear_unsignedForgedOrOfAnotherTime_provesNothing", async () => {
    const good = await signed();
    const wrong: Record<string, unknown> = {
      nothing: undefined,
      empty: "",
      twice: [good, good],
      "of a stranger": await signed(now, stranger),
      "too old": await signed(T - 301),
      "too new": await signed(T + 301),
      "with another time": good.replace(String(T), String(T + 1)),
      "for another chain": await signed(now, account, { chainId: 1 }),
      "for another registry": await signed(now, account, { registry: `0x${"0f".repeat(20)}` as Address }),
      "without a signature": `${T} `,
      "with a short one": `${T} 0x00`,
      "in another form": ` ${good}`,
      "with surplus": `${good} `,
    };
    for (const [what, poll] of Object.entries(wrong)) {
      expect(await hear(poll), what).to.equal(false);
      expect(desk.isDue(1), what).to.equal(true);
    }
    expect(await hear(good)).to.equal(true);
  });

  it("hear_again_countsOnlyWhatIsLater", async () => {
    const overheard = [await signed(T - 10), await signed(T)];
    expect(await hear(overheard[1])).to.equal(true);
    now += SILENT_SECONDS;
    expect(desk.isDue(1)).to.equal(true);
    for (const old of overheard) expect(await hear(old)).to.equal(false);
    expect(await hear(await signed())).to.equal(true);
  });

  it("hear_whatIsHeardAlready_looksAtNoSignature", async () => {
    expect(await hear(await signed())).to.equal(true);
    now += SILENT_SECONDS / 6 - 1;
    expect(await hear(await signed())).to.equal(false);
    now += 1;
    expect(await hear(await signed())).to.equal(true);
  });

  it("hear_aFloodOfForgeries_usesUpItsOwnAddressAlone", async () => {
    open(3);
    const forged = await signed(now, stranger);
    for (let i = 0; i < 5; i++) expect(await hear(forged, "10.0.0.9")).to.equal(false);
    expect(await hear(await signed(), "10.0.0.9"), "nothing more is looked at from there").to.equal(false);
    expect(await hear(await signed(), "10.0.0.1")).to.equal(true);
  });

  it("hear_clocksThatAreOff_useUpNothing", async () => {
    open(1);
    const late = await signed(T - 301);
    for (let i = 0; i < 5; i++) expect(await hear(late)).to.equal(false);
    expect(await hear(await signed())).to.equal(true);
  });

  it("readPoll_whatWritePollWrote_isTheSame", () => {
    const poll: NodePoll = { at: T, signature: `0x${"5a".repeat(65)}` };
    expect(readPoll(writePoll(poll))).to.deep.equal(poll);
    expect(readPoll(`${T}`.padEnd(200))).to.equal(null);
  });

  it("placements_withWhateverHeader_areAnsweredAlike", async () => {
    const server = Fastify();
    installErrorHandler(server);
    sessionRoutes(server, {
      ...{ projection, placements: desk, polls, budgets: { leases: 1, evidence: 1 } },
      onUpdate: () => undefined,
    } as unknown as SessionOptions);
    const ask = async (headers: Record<string, string>, of = key) => {
      const { statusCode, body } = await server.inject({ url: `/nodes/${of}/placements`, headers });
      return [statusCode, JSON.parse(body) as unknown] as const;
    };
    try {
      const [status, plain] = await ask({});
      expect(status).to.equal(200);
      expect(placementsSchema.parse(plain).placements).to.deep.equal([]);
      expect(await ask({ [POLL_HEADER]: await signed(now, stranger) })).to.deep.equal([200, plain]);
      expect(desk.isDue(1)).to.equal(true);
      expect(await ask({ [POLL_HEADER]: await signed() })).to.deep.equal([200, plain]);
      expect(desk.isDue(1)).to.equal(false);
      // As an agent sends it.
      now += SILENT_SECONDS;
      const client = new RelayerClient(await server.listen({ host: "127.0.0.1", port: 0 }));
      const poll = readPoll(await signed()) ?? undefined;
      expect(await client.placements(key, undefined, undefined, poll)).to.deep.equal(plain);
      expect(desk.isDue(1)).to.equal(false);
      expect((await ask({}, stranger.address.toLowerCase() as Address))[0]).to.equal(404);
    } finally {
      await server.close();
    }
  });
});
