/** What a batch of 1,000 verdicts costs, signed by five of seven, and what entering one of them costs. */
import { walletOf, ascending, deployContracts, openChain } from "../../test/contracts/support/charter.ts";
import {
  batchOf,
  claim,
  keepTestImage,
  leafOf,
  postBatch,
  signBatch,
} from "../../test/contracts/support/claims.ts";
import { encodeProof, nodeVerdict, signaturesOf } from "../../test/contracts/support/verdicts.ts";
import { createApp, register } from "../../test/contracts/support/flows.ts";

const VERDICTS = 1_000;
const SEVEN = ["a", "b", "c", "d", "e", "f", "g"];
const FIVE = 5;

/** Whole transactions. */
export async function measureBatches(): Promise<Readonly<Record<string, number>>> {
  const connection = await openChain();
  try {
    const members = ascending(SEVEN.map((name) => walletOf(`seat ${name}`)));
    const charter = { ...(await deployContracts(connection, { members, threshold: FIVE })), members };
    const verdict = await nodeVerdict(charter, walletOf("node key"));
    const signatures = await signaturesOf(charter, verdict, members.slice(0, FIVE));
    await register(charter, walletOf("node key"), {}, { proof: encodeProof(verdict, signatures) });
    const app = await (await createApp(charter)).getAddress();
    const image = await keepTestImage(charter);
    const names = Array.from({ length: VERDICTS }, (_, i) => `instance ${i}`);
    const first = await leafOf(charter, app, "instance 0", image);
    const leaves = names.map((name) => ({ ...first, key: walletOf(name).address }));
    const batch = await batchOf(charter, leaves);
    const posted = await (
      await postBatch(charter, batch, await signBatch(charter, batch, members.slice(0, FIVE)))
    ).wait();
    const claimed = await (await claim(charter, batch, 500, "instance 500")).wait();
    if (posted?.status !== 1 || claimed?.status !== 1) throw new Error("the batch was refused");
    const post = Number(posted.gasUsed);
    return {
      "batch.post": post,
      "batch.perVerdict": Math.ceil(post / VERDICTS),
      "batch.claim": Number(claimed.gasUsed),
    };
  } finally {
    await connection.close();
  }
}
