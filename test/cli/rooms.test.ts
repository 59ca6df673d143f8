import { expect } from "chai";
import { Command } from "commander";

import { ROOMS, roomsFor } from "../../cli/rooms.ts";

describe("files of commands, loaded as they are asked for", () => {
  it("adds exactly the commands that each is found by", async () => {
    for (const { words, load } of ROOMS) {
      const program = new Command();
      (await load())(program);
      const names = program.commands.flatMap((command) => [command.name(), ...command.aliases()]);
      expect(names).to.deep.equal(words);
    }
    const all = ROOMS.flatMap(({ words }) => words);
    expect(new Set(all).size).to.equal(all.length);
  });

  it("takes what the arguments name, wherever it stands, and all where they name nothing", () => {
    const words = (...args: string[]) => roomsFor(args).flatMap((room) => room.words);
    expect(words("release", "list", "0x00")).to.deep.equal(["release"]);
    expect(words("--rpc", "http://127.0.0.1:1", "renounce", "--help")).to.deep.equal(["control", "renounce"]);
    expect(words("secret", "set", "0x00", "safe")).to.deep.equal(["secret", "safe"]);
    for (const none of [[], ["--help"], ["relase"]]) expect(roomsFor(none)).to.equal(ROOMS);
  });
});
