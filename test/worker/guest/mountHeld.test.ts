import { expect } from "chai";

import { mountHeld, volumeNames } from "../../../worker/guest/compose/mountHeld.ts";
import { parseCompose } from "../../../worker/guest/compose/parseCompose.ts";

const IMAGE = `busybox@sha256:${"1b".repeat(32)}`;
const project = parseCompose(
  JSON.stringify({
    services: {
      web: {
        image: IMAGE,
        volumes: [
          "data:/data",
          "shared:/shared:ro",
          "/scratch",
          { type: "volume", source: "data", target: "/again", read_only: true },
          { type: "tmpfs", target: "/memory" },
        ],
      },
      other: { image: IMAGE },
    },
    volumes: { data: null, shared: {} },
  }),
  { hostPorts: [] },
);
const mountsOf = (file: unknown, service: string) =>
  (file as { services: Record<string, { volumes?: unknown[] }> }).services[service]?.volumes;

describe("what a guest holds for its containers", () => {
  it("takes the place of every named volume, and of nothing else", () => {
    const { file } = mountHeld(project, { volume: "/guest/vol$ume" });
    expect(mountsOf(file, "web")).to.deep.equal([
      { type: "bind", source: "/guest/vol$$ume/data", target: "/data" },
      { type: "bind", source: "/guest/vol$$ume/shared", target: "/shared", read_only: true },
      "/scratch",
      { type: "bind", source: "/guest/vol$$ume/data", target: "/again", read_only: true },
      { type: "tmpfs", target: "/memory" },
    ]);
    expect(file).not.to.have.property("volumes");
    expect(mountsOf(file, "other")).to.equal(undefined);
    expect(volumeNames(project)).to.deep.equal(["data", "shared"]);
  });

  it("gives secrets to the services that may read them, read-only, and leaves volumes alone", () => {
    const { file } = mountHeld(project, { secrets: new Map([["other", "/memory/other"]]) });
    expect(mountsOf(file, "other")).to.deep.equal([
      { type: "bind", source: "/memory/other", target: "/run/secrets", read_only: true },
    ]);
    expect(mountsOf(file, "web")).to.deep.equal(mountsOf(project.file, "web"));
    expect(file).to.have.property("volumes");
  });

  it("is nothing where nothing is asked for", () => {
    expect(mountHeld(project, {}).file).to.deep.equal(project.file);
  });
});
