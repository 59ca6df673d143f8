import { expect } from "chai";

import { parseAddress } from "../../../protocol/words/hex.ts";
import { InstanceMap } from "../../../relayer/leases/InstanceMap.ts";

const address = (n: number) => parseAddress(`0x${n.toString(16).padStart(40, "0")}`);
const [app, other, key, second] = [address(1), address(2), address(3), address(4)];

describe("a map of instances", () => {
  const filled = (): InstanceMap<string> => {
    const map = new InstanceMap<string>();
    map.set(app, key, "one");
    map.set(app, second, "two");
    map.set(other, key, "three");
    return map;
  };

  it("get_sameKeyOfAnotherApp_isAnother", () => {
    const map = filled();
    expect([map.get(app, key), map.get(other, key), map.get(other, second)]).to.deep.equal([
      "one",
      "three",
      undefined,
    ]);
    expect([...map.values()]).to.have.members(["one", "two", "three"]);
    expect([...map.values(app)]).to.have.members(["one", "two"]);
    expect([...map.values(key)]).to.deep.equal([]);
  });

  it("size_setAgainAndDeletedTwice_countsInstances", () => {
    const map = filled();
    map.set(app, key, "anew");
    expect([map.size, map.get(app, key)]).to.deep.equal([3, "anew"]);
    map.delete(app, key);
    map.delete(app, key);
    map.delete(second, key);
    expect([map.size, map.get(app, key), map.get(app, second)]).to.deep.equal([2, undefined, "two"]);
  });

  it("prune_some_deletesThoseAlone", () => {
    const map = filled();
    map.prune((value) => value !== "two");
    expect([map.size, ...map.values()]).to.deep.equal([1, "two"]);
    map.set(other, key, "again");
    expect([...map.values()]).to.have.members(["two", "again"]);
  });
});
