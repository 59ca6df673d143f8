import { expect } from "chai";
import pino from "pino";

import { CharterError } from "../../protocol/errors/CharterError.ts";
import { openChain } from "../../relayer/chain/client.ts";
import { asChainError } from "../../relayer/chain/rpc.ts";
import { errorForLog } from "../../relayer/errorForLog.ts";

describe("an error in the log", () => {
  /** The line that a program's logger would write. */
  const lineOf = (err: unknown): string => {
    let line = "";
    pino({ serializers: { err: errorForLog } }, { write: (text: string) => (line += text) }).error({ err });
    return line;
  };

  for (const scheme of ["http", "ws"]) {
    it(`${scheme}Endpoint_away_isNamedWithoutItsKey`, async () => {
      const chain = openChain([`${scheme}://operator:hunter2@127.0.0.1:1/v3/secret-key?token=hunter2`]);
      const error: unknown = await asChainError("height", chain.client.getBlockNumber()).catch(
        (e: unknown) => e,
      );
      const line = lineOf(error);
      expect(line).to.contain("chain/unreachable");
      expect(line).not.to.match(/secret-key|hunter2/);
      expect(lineOf(new AggregateError([error], "all of them"))).not.to.match(/secret-key|hunter2/);
      chain.close();
    });
  }

  it("detailsOfAnError_keepWhatIsNoUrl", () => {
    const details = { urls: ["postgres://charter:hunter2@db.test:5432/charter"], height: 7n, none: null };
    const line = lineOf(
      new CharterError("store/unreachable", "no answer of https://a.test/key, twice", details),
    );
    expect(line).to.contain("no answer of https://a.test twice").and.to.contain("postgres://db.test:5432");
    expect(line).to.contain(`"code":"store/unreachable"`).and.to.contain("errorForLog.test.ts");
    expect(line).not.to.contain("hunter2");
  });
});
