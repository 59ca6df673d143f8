import { BigInt } from "@graphprotocol/graph-ts";

import { AppCreated } from "../generated/AppRegistry/AppRegistry";
import { App } from "../generated/schema";
import { App as AppTemplate } from "../generated/templates";
import { orNull } from "./ids";

/** The registry's event comes first in the transaction; the app's own AppInitialized completes the entity. */
export function handleAppCreated(event: AppCreated): void {
  const app = new App(event.params.app);
  app.registry = event.address;
  app.owner = event.params.owner;
  app.guardian = orNull(event.params.guardian);
  app.level = 0;
  app.noticeFloorSeconds = BigInt.zero();
  app.lastRelease = 0;
  app.replicas = 0;
  app.selectorTeeKinds = 0;
  app.selectorGpu = false;
  app.selectorOperators = [];
  app.settingsDigest = event.params.settingsDigest;
  app.salt = event.params.salt;
  app.createdAt = event.block.timestamp;
  app.createdBlock = event.block.number;
  app.createdTransaction = event.transaction.hash;
  app.save();
  AppTemplate.create(event.params.app);
}
