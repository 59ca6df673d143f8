import { expect } from "chai";

import { nodeCrypto } from "../../../../protocol/crypto/node.ts";
import { webCrypto } from "../../../../protocol/crypto/web.ts";
import { corpus } from "./corpus.ts";
import { runCase } from "./runCase.ts";

describe("the corpus of evidence", function () {
  // Two RSA keys of 4,096 bits are made for it.
  this.timeout(60_000);
  it("comes out as expected on node:crypto, and the same on WebCrypto", async () => {
    for (const one of await corpus()) {
      const onNode = await runCase(one, nodeCrypto);
      expect(onNode.outcome, one.name).to.equal(one.expected);
      expect(await runCase(one, webCrypto), `${one.name} on WebCrypto`).to.deep.equal(onNode);
    }
  });
});
