import { Bytes } from "@graphprotocol/graph-ts";

import {
  CuratorChanged,
  ExpressionDefined,
  ListCreated,
  ListCurated,
  ListRootChanged,
} from "../generated/Endorsements/Endorsements";
import { EndorsementList, Expression } from "../generated/schema";
import { governanceEvent } from "./governance";
import { orNull } from "./ids";

export function handleExpressionDefined(event: ExpressionDefined): void {
  const expression = new Expression(event.params.id);
  expression.op = event.params.op;
  expression.terms = event.params.terms;
  expression.definedBy = event.params.actor;
  expression.timestamp = event.block.timestamp;
  expression.save();
}

export function handleListCreated(event: ListCreated): void {
  const list = new EndorsementList(event.params.list);
  list.curator = event.params.curator;
  list.members = [];
  list.root = Bytes.fromHexString("0x" + "00".repeat(32));
  list.save();
}

export function handleListCurated(event: ListCurated): void {
  const params = event.params;
  const list = EndorsementList.load(params.list);
  if (!list) return;
  const members: Bytes[] = [];
  for (let i = 0; i < list.members.length; i++) {
    if (list.members[i].notEqual(params.member)) members.push(list.members[i]);
  }
  if (params.listed) members.push(params.member);
  list.members = members;
  list.save();

  const entry = governanceEvent(event, "ListCurated", params.actor);
  entry.oldValue = params.list.toHexString();
  entry.newValue = (params.listed ? "+" : "-") + params.member.toHexString();
  entry.save();
}

export function handleListRootChanged(event: ListRootChanged): void {
  const params = event.params;
  const list = EndorsementList.load(params.list);
  if (!list) return;
  list.root = params.newRoot;
  list.save();

  const entry = governanceEvent(event, "ListRootChanged", params.actor);
  entry.oldValue = params.oldRoot.toHexString();
  entry.newValue = params.newRoot.toHexString();
  entry.save();
}

export function handleCuratorChanged(event: CuratorChanged): void {
  const params = event.params;
  const list = EndorsementList.load(params.list);
  if (!list) return;
  list.curator = orNull(params.newCurator);
  list.save();

  const entry = governanceEvent(event, "CuratorChanged", params.actor);
  entry.oldValue = params.oldCurator.toHexString();
  entry.newValue = params.newCurator.toHexString();
  entry.save();
}
