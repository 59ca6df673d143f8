import { expect } from "chai";
import { privateKeyToAccount } from "viem/accounts";

import { recoverLeaseSigner } from "../../../protocol/session/lease.ts";
import type { Lease } from "../../../protocol/session/lease.ts";
import { parseAddress, parseBytes32, parseComposeHash } from "../../../protocol/words/hex.ts";
import { LeaseTicker } from "../../../relayer/leases/LeaseTicker.ts";

const account = privateKeyToAccount(`0x${"11".repeat(32)}`);
const ledger = parseAddress(`0x${"0a".repeat(20)}`);
const word = (n: number) => parseBytes32(`0x${n.toString(16).padStart(64, "0")}`);
const block = { number: 7n, hash: word(7) };

const lease = (n: number): Lease => ({
  app: parseAddress(`0x${"0b".repeat(20)}`),
  key: parseAddress(`0x${n.toString(16).padStart(40, "0")}`),
  release: 1,
  composeHash: parseComposeHash(`0x${"0c".repeat(32)}`),
  nonce: word(n),
  maxSeconds: 60,
});

/** A ticker whose window is closed by hand, and a count of its signatures. */
function fixture() {
  const due: (() => void)[] = [];
  let signatures = 0;
  const ticker = new LeaseTicker({
    chainId: 31_337,
    ledger,
    later: (run) => due.push(run),
    signer: {
      address: account.address,
      signTypedData: (parameters) => {
        signatures++;
        return account.signTypedData(parameters);
      },
    },
  });
  return { ticker, closeWindows: () => due.splice(0).forEach((run) => run()), signatures: () => signatures };
}

describe("LeaseTicker", () => {
  it("signs the leases of one window once, and every path leads to that signature", async () => {
    const { ticker, closeWindows, signatures } = fixture();
    const asked = Array.from({ length: 7 }, (_, n) => ticker.sign({ lease: lease(n + 1), block }));
    closeWindows();
    const signed = await Promise.all(asked);
    expect(signatures()).to.equal(1);
    for (const [n, one] of signed.entries()) {
      expect(one.lease.nonce).to.equal(word(n + 1));
      expect(await recoverLeaseSigner(31_337, ledger, one)).to.equal(account.address.toLowerCase());
    }
  });

  it("gives no lease to a key that did not ask: another lease under the same path has another signer", async () => {
    const { ticker, closeWindows } = fixture();
    const asked = [ticker.sign({ lease: lease(1), block }), ticker.sign({ lease: lease(2), block })];
    closeWindows();
    const [one] = await Promise.all(asked);
    const forged = { ...one!, lease: { ...one!.lease, maxSeconds: 3_600 } };
    expect(await recoverLeaseSigner(31_337, ledger, forged)).not.to.equal(account.address.toLowerCase());
  });

  it("keeps leases that cite different blocks in different ticks", async () => {
    const { ticker, closeWindows, signatures } = fixture();
    const asked = [
      ticker.sign({ lease: lease(1), block }),
      ticker.sign({ lease: lease(2), block: { number: 8n, hash: word(8) } }),
    ];
    closeWindows();
    expect((await Promise.all(asked)).map(({ blockNumber }) => blockNumber)).to.deep.equal([7n, 8n]);
    expect(signatures()).to.equal(2);
  });

  it("opens a new window after one has closed", async () => {
    const { ticker, closeWindows, signatures } = fixture();
    const first = ticker.sign({ lease: lease(1), block });
    closeWindows();
    const second = ticker.sign({ lease: lease(2), block });
    closeWindows();
    await Promise.all([first, second]);
    expect(signatures()).to.equal(2);
  });
});
