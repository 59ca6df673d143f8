import { expect } from "chai";

import { converge, isvLevel } from "../../../../protocol/evidence/dcap/tcbLevel.ts";
import { TcbStatus } from "../../../../protocol/words/enums.ts";

describe("TCB status of the whole", () => {
  it("is the platform's where quoting enclave and module are up to date", () => {
    for (const status of Object.keys(TcbStatus).filter((name) => name !== "Unknown")) {
      const name = status as Exclude<keyof typeof TcbStatus, "Unknown">;
      expect(converge(name, ["UpToDate", "UpToDate"])).to.equal(TcbStatus[name]);
    }
  });

  it("is out of date, keeping the need of configuration, where either is out of date", () => {
    const expected = {
      UpToDate: "OutOfDate",
      SWHardeningNeeded: "OutOfDate",
      OutOfDate: "OutOfDate",
      ConfigurationNeeded: "OutOfDateConfigurationNeeded",
      ConfigurationAndSWHardeningNeeded: "OutOfDateConfigurationNeeded",
      OutOfDateConfigurationNeeded: "OutOfDateConfigurationNeeded",
    } as const;
    for (const [platform, whole] of Object.entries(expected)) {
      for (const others of [
        ["OutOfDate", "UpToDate"],
        ["UpToDate", "OutOfDate"],
      ] as const) {
        expect(converge(platform as keyof typeof expected, others)).to.equal(TcbStatus[whole]);
      }
    }
  });

  it("is revoked where any part is", () => {
    expect(converge("Revoked", ["UpToDate"])).to.equal(TcbStatus.Revoked);
    expect(converge("UpToDate", ["OutOfDate", "Revoked"])).to.equal(TcbStatus.Revoked);
  });

  it("takes the first level whose SVN is reached", () => {
    const level = (isvsvn: number, tcbStatus: "UpToDate" | "OutOfDate") => ({
      tcb: { isvsvn },
      tcbDate: 0,
      tcbStatus,
      advisoryIDs: [],
    });
    const levels = [level(6, "UpToDate"), level(4, "OutOfDate")];
    expect([7, 6, 5, 4, 3].map((svn) => isvLevel(levels, svn)?.status)).to.deep.equal([
      "UpToDate",
      "UpToDate",
      "OutOfDate",
      "OutOfDate",
      undefined,
    ]);
  });
});
