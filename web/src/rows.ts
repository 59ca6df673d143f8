import { SettingKind } from "../../protocol/policy/settingKind.ts";
import { NEVER } from "../../protocol/state/types.ts";
import { Level, nameOf, TcbStatus, TeeKind } from "../../protocol/words/enums.ts";
import type { AppRow, GovernanceRow, InstanceRow, NodeRow, ReleaseRow } from "./query.ts";
import type { Cell } from "./table.ts";

/** "0x1234…cdef": enough to tell apart; the whole value is the cell's title. */
export const short = (hex: string): string => (hex.length > 14 ? `${hex.slice(0, 8)}…${hex.slice(-6)}` : hex);

const mono = (text: string): Cell => ({ text, mono: true });

/** Unix seconds as local time; uint40 max is "no end". */
export function time(seconds: string): string {
  const value = Number(seconds);
  return value >= NEVER ? "no end" : new Date(value * 1000).toLocaleString();
}

export const appRow = (app: AppRow): Cell[] => [
  mono(app.id),
  { text: nameOf(Level, app.level as Level) },
  mono(short(app.owner)),
  app.guardian === null ? { text: "none" } : mono(short(app.guardian)),
  { text: String(app.lastRelease) },
  { text: String(app.replicas) },
];

/** What a release is at `now` (unix seconds): it follows from its times, and nobody stored it. */
export function releaseState(release: ReleaseRow, now: number): Cell {
  if (release.vetoed) return { text: "vetoed", tone: "over" };
  if (release.revoked) return { text: "revoked", tone: "over" };
  if (now < Number(release.activatesAt)) return { text: "pending", tone: "wait" };
  if (release.rebuildsMatching < release.rebuildsRequired) return { text: "lapsed", tone: "over" };
  if (now >= Number(release.endsAt)) return { text: "ended", tone: "over" };
  return Number(release.endsAt) >= NEVER
    ? { text: "active", tone: "good" }
    : { text: "in grace", tone: "wait" };
}

export const releaseRow = (release: ReleaseRow, now: number): Cell[] => [
  mono(short(release.app.id)),
  { text: String(release.number) },
  releaseState(release, now),
  { text: time(release.activatesAt) },
  { text: time(release.endsAt) },
  mono(short(release.composeHash)),
];

export const instanceRow = (instance: InstanceRow, now: number, leased: ReadonlySet<string>): Cell[] => [
  mono(short(instance.app.id)),
  mono(short(instance.key)),
  { text: String(instance.release.number) },
  { text: String(instance.node.number) },
  leased.has(instance.key) ? { text: "leased", tone: "good" } : { text: "no lease", tone: "over" },
  { text: now < Number(instance.expiresAt) ? `until ${time(instance.expiresAt)}` : "expired" },
  { text: instance.simulated ? "simulated" : "hardware" },
];

export const nodeRow = (node: NodeRow, now: number): Cell[] => [
  { text: String(node.number) },
  nodeState(node, now),
  { text: nameOf(TeeKind, node.kind as TeeKind) + (node.simulated ? " (simulated)" : "") },
  { text: nameOf(TcbStatus, node.status as TcbStatus) },
  mono(short(node.operator)),
  mono(short(node.platformId)),
];

function nodeState(node: NodeRow, now: number): Cell {
  if (node.retired) return { text: "retired", tone: "over" };
  return now < Number(node.expiresAt)
    ? { text: "active", tone: "good" }
    : { text: "suspended", tone: "wait" };
}

export function governanceRow(event: GovernanceRow): Cell[] {
  const setting = event.settingKind === null ? "" : nameOf(SettingKind, event.settingKind as SettingKind);
  const subject = event.releaseNumber === null ? setting : `release ${event.releaseNumber}`;
  return [
    { text: time(event.timestamp) },
    { text: event.kind },
    mono(event.app ? short(event.app.id) : ""),
    { text: subject },
    mono(event.oldValue === null ? "" : short(event.oldValue)),
    mono(event.newValue === null ? "" : short(event.newValue)),
    mono(short(event.actor)),
  ];
}
