import { Address, Bytes } from "@graphprotocol/graph-ts";

import { ProgramAdded, ProgramRemoved } from "../generated/ZkVerifier/ZkVerifier";
import { Program } from "../generated/schema";
import { governanceEvent } from "./governance";

function programId(verifier: Address, adapter: Address, program: Bytes): Bytes {
  return verifier.concat(adapter).concat(program);
}

export function handleProgramAdded(event: ProgramAdded): void {
  const params = event.params;
  const program = new Program(programId(event.address, params.adapter, params.program));
  program.verifier = event.address;
  program.adapter = params.adapter;
  program.program = params.program;
  program.effectiveAt = params.effectiveAt;
  program.removedAt = null;
  program.save();

  const entry = governanceEvent(event, "ProgramAdded", params.actor);
  entry.settingKey = params.program;
  entry.newValue = params.adapter.toHexString();
  entry.effectiveAt = params.effectiveAt;
  entry.save();
}

export function handleProgramRemoved(event: ProgramRemoved): void {
  const params = event.params;
  const program = Program.load(programId(event.address, params.adapter, params.program));
  if (program) {
    program.removedAt = event.block.timestamp;
    program.save();
  }
  const entry = governanceEvent(event, "ProgramRemoved", params.actor);
  entry.settingKey = params.program;
  entry.oldValue = params.adapter.toHexString();
  entry.save();
}
