import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";

import { guestConfigText, parseGuestConfig } from "../../../worker/guest/config.ts";
import { refusalOf } from "../../support/refusal.ts";

const TOLD = {
  relayerUrls: ["https://relayer.example"],
  chainId: 1,
  genesisHash: `0x${"0a".repeat(32)}`,
  ledger: `0x${"1e".repeat(20)}`,
  app: `0x${"ab".repeat(20)}`,
  composeHash: `0x${"cd".repeat(32)}`,
  ...{ release: 1, node: 1, slot: 0 },
  ...{ evidence: "machine", runtime: "docker", workdir: "/var/lib/charter" },
};

describe("a guest's configuration", () => {
  let dir: string;
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), "charter-config-"))));
  afterEach(() => rmSync(dir, { recursive: true }));

  /** As a VM finds what its host wrote. */
  const ofHost = (changes: Record<string, unknown>) => {
    const path = join(dir, ".user-config");
    writeFileSync(path, JSON.stringify({ ...TOLD, ...changes }));
    const { text, isHosts } = guestConfigText({ CHARTER_GUEST_CONFIG_FILE: path });
    return parseGuestConfig(text, isHosts);
  };

  it("ofHost_asTheDriverWritesIt_isTaken", () => {
    const manifestSources = ["https://gateway.example/prefix"];
    expect(ofHost({ manifestSources })).to.deep.include({ manifestSources });
    expect(ofHost({})).to.deep.include({ evidence: "machine", secretsDir: "/dev/shm", hostPorts: [] });
  });

  for (const [what, changes] of [
    ["programThatCollectsEvidence", { places: { nvattest: "/dstack/.encrypted-env" }, gpu: true }],
    ["programThatDerivesKeys", { places: { snpguest: "/mnt/host/snpguest" } }],
    ["engineSocket", { engineSocket: "/mnt/host/docker.sock" }],
    ["directoryOfTheComposeFile", { workdir: "/mnt/host" }],
    ["directoryOfSecrets", { secretsDir: "/mnt/host" }],
    ["directoryOfManifests", { manifestSources: ["file:///mnt/host"] }],
    ["gatewayWhoseUrlHoldsAPassword", { manifestSources: ["https://me:secret@gateway.example"] }],
    ["gatewayWhoseUrlHoldsAToken", { manifestSources: ["https://gateway.example/?token=secret"] }],
    ["directoryOfVolumes", { volumesDir: "/mnt/host" }],
    ["simulator", { evidence: "simulator", simulatorDir: "/mnt/host", platform: "one" }],
    ["containersThatDoNotRun", { runtime: "dry" }],
    ["noEvidence", { evidence: undefined }],
  ] as const) {
    it(`ofHost_${what}_isRefused`, () => {
      expect(refusalOf(() => ofHost(changes))).to.equal("config/invalid");
    });
  }

  it("ofAgentOnTheSameMachine_itsPlaces_areTaken", () => {
    const places = { snpguest: "/opt/snpguest" };
    const { text, isHosts } = guestConfigText({ CHARTER_GUEST_CONFIG: JSON.stringify({ ...TOLD, places }) });
    expect(parseGuestConfig(text, isHosts).places).to.deep.equal(places);
  });
});
