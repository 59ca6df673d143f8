import { expect } from "chai";

import { launchFile } from "../../../worker/guest/compose/launchFile.ts";
import { parseCompose } from "../../../worker/guest/compose/parseCompose.ts";

describe("the file that Compose is given", () => {
  const project = parseCompose(
    JSON.stringify({
      services: {
        model: { image: "x", environment: ["MODE=fast"], restart: "always" },
        web: { image: "y" },
      },
    }),
    { hostPorts: [] },
  );
  const servicesOf = (gpuServices?: readonly string[]) =>
    launchFile(project, { "charter.run": "1" }, gpuServices).services as Record<
      string,
      Record<string, unknown>
    >;

  it("gives GPUs to the services that the manifest names, and to no other", () => {
    const { model, web } = servicesOf(["model"]);
    expect(model).to.deep.include({
      runtime: "nvidia",
      environment: { MODE: "fast", NVIDIA_VISIBLE_DEVICES: "all" },
    });
    expect(web).to.not.have.any.keys("runtime", "environment");
    expect(servicesOf().model).to.not.have.property("runtime");
  });

  it("leaves restarts to the guest, and carries this run's labels", () => {
    for (const service of Object.values(servicesOf())) {
      expect(service).to.deep.include({ restart: "no", labels: { "charter.run": "1" } });
    }
  });
});
