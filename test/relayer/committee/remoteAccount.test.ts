import { expect } from "chai";
import { privateKeyToAccount } from "viem/accounts";

import { batchTypedData } from "../../../protocol/session/batch.ts";
import { parseAddress, parseBytes32 } from "../../../protocol/words/hex.ts";
import type { Address } from "../../../protocol/words/hex.ts";
import { remoteAccount } from "../../../relayer/keys/remoteAccount.ts";
import { refusal } from "../../support/refusal.ts";
import { startJsonRpc } from "../support/jsonRpc.ts";

const account = privateKeyToAccount(`0x${"11".repeat(32)}`);
const other = privateKeyToAccount(`0x${"22".repeat(32)}`);
const address = account.address.toLowerCase() as Address;
const word = parseBytes32(`0x${"09".repeat(32)}`);
const typed = batchTypedData(31_337, parseAddress(`0x${"0a".repeat(20)}`), {
  ledger: parseAddress(`0x${"01".repeat(20)}`),
  root: word,
  count: 2,
  validUntil: 2_000_000,
  minBlock: 7,
  blockHash: word,
});

describe("a remote account", () => {
  const signing = (by: typeof account) => async (_address: unknown, text: unknown) =>
    by.signTypedData(JSON.parse(text as string) as typeof typed);

  it("signTypedData_honestSigner_givesWhatALocalKeyGives", async () => {
    const remote = await startJsonRpc({ eth_signTypedData_v4: signing(account) });
    const signature = await remoteAccount({ url: remote.url, address }).signTypedData(typed);
    expect(signature).to.equal(await account.signTypedData(typed));
    await remote.stop();
  });

  it("signTypedData_otherKeyOrNothing_isNotBelieved", async () => {
    for (const answer of [signing(other), "0x", null]) {
      const remote = await startJsonRpc({ eth_signTypedData_v4: answer });
      const signed = remoteAccount({ url: remote.url, address }).signTypedData(typed);
      expect(await refusal(signed)).to.equal("keys/signer-lies");
      await remote.stop();
    }
  });

  it("signTypedData_refusedOrSilent_saysSo", async () => {
    const remote = await startJsonRpc({ eth_signTypedData_v4: { error: { code: -32_000, message: "no" } } });
    const refused = remoteAccount({ url: remote.url, address }).signTypedData(typed);
    expect(await refusal(refused)).to.equal("keys/signer-unreachable");
    await remote.stop();
    const silent = remoteAccount({ url: "http://127.0.0.1:1", address }).signTypedData(typed);
    expect(await refusal(silent)).to.equal("keys/signer-unreachable");
  });
});
