import { parseComposeFile } from "./composeFile.ts";
import type { Manifest } from "./manifest.ts";
import { canonical, isList, isMapping, shown, type Plain, type PlainMapping } from "./plain.ts";

/** One difference between two manifests. */
export interface ManifestChange {
  /** What it is about: `service web`, `service web: environment PASSWORD`, `launch public_logs`. */
  readonly subject: string;
  readonly kind: "added" | "removed" | "changed";
  /** What stood there; null where there was nothing, or what is not told (values of environment variables). */
  readonly before: string | null;
  readonly after: string | null;
}

/** Lists whose order means something: what came and what went does not tell it. */
const ORDERED = new Set(["command", "entrypoint", "test", "env_file"]);

/**
 * What a release changes against its predecessor, by name: services, images, environment variables (never their
 * values), ports, volumes, every other key of the Compose file, and the launch settings around it. No difference in
 * content is left out; where only the spelling of the file differs, that is said.
 * @param before null where there is no predecessor: everything is added.
 * @throws CharterError `compose/malformed` for a Compose file that cannot be read.
 */
export function diffManifests(before: Manifest | null, after: Manifest): ManifestChange[] {
  const old = before === null ? null : parseComposeFile(before.docker_compose_file);
  const next = parseComposeFile(after.docker_compose_file);
  const services = byKey(old?.services ?? {}, next.services).flatMap(([name, one, other]) =>
    diffService(`service ${shown(name)}`, one, other),
  );
  const compose = [...services, ...diffMapping("compose", old?.rest ?? {}, next.rest)];
  const isRespelled = before !== null && before.docker_compose_file !== after.docker_compose_file;
  if (compose.length === 0 && isRespelled) {
    const subject = "compose file: comments, quotes or the order of keys only";
    compose.push({ subject, kind: "changed", before: null, after: null });
  }
  return [...compose, ...diffMapping("launch", launchOf(before), launchOf(after))];
}

function diffService(
  subject: string,
  before: PlainMapping | undefined,
  after: PlainMapping | undefined,
): ManifestChange[] {
  if (after === undefined) return [{ subject, kind: "removed", before: imageOf(before), after: null }];
  const { environment: oldVariables, ...old } = before ?? {};
  const { environment: variables, ...next } = after;
  const changes = [
    ...diffMapping(`${subject}:`, old, next),
    ...diffEnvironment(`${subject}: environment`, oldVariables, variables),
  ];
  if (before !== undefined) return changes;
  const rest = changes.filter((change) => change.subject !== `${subject}: image`);
  return [{ subject, kind: "added", before: null, after: imageOf(after) }, ...rest];
}

/** Names only: a reviewer learns that a value changed, and no value ends up in a description or a log. */
function diffEnvironment(
  subject: string,
  before: Plain | undefined,
  after: Plain | undefined,
): ManifestChange[] {
  return byKey(environmentOf(before), environmentOf(after))
    .filter(([, one, other]) => canonical(one) !== canonical(other))
    .map(([name, one, other]) => ({
      subject: `${subject} ${shown(name)}`,
      kind: kindOf(one, other),
      before: null,
      after: null,
    }));
}

/** Names to their values, from both of Compose's forms. A name that stands twice keeps both. */
function environmentOf(value: Plain | undefined): Readonly<Record<string, readonly string[]>> {
  const values = new Map<string, string[]>();
  const items = value === undefined ? [] : isList(value) ? value : [value];
  for (const [name, given] of items.flatMap(variablesOf)) {
    values.set(name, [...(values.get(name) ?? []), given === undefined ? "" : `=${canonical(given)}`]);
  }
  return Object.fromEntries(values);
}

/** `{NAME: value}`, `NAME=value`, or `NAME` alone: passed on from outside. */
function variablesOf(item: Plain): [name: string, value: Plain | undefined][] {
  if (isMapping(item)) return Object.entries(item);
  const text = typeof item === "string" ? item : canonical(item);
  const at = text.indexOf("=");
  return [at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)]];
}

/** Key by key, into mappings that both have. */
function diffMapping(subject: string, before: PlainMapping, after: PlainMapping): ManifestChange[] {
  return byKey(before, after).flatMap(([key, one, other]) => {
    const inner = `${subject} ${shown(key)}`;
    if (isMapping(one) && isMapping(other)) return diffMapping(inner, one, other);
    const isUnordered = !ORDERED.has(key) && (isList(one) || isList(other));
    if (isUnordered && isList(one ?? []) && isList(other ?? [])) return diffList(inner, one, other);
    return diffValue(inner, one, other);
  });
}

/** Item by item; a list whose order alone changed, as a whole. */
function diffList(subject: string, before: Plain | undefined, after: Plain | undefined): ManifestChange[] {
  const removed = without(itemsOf(before), itemsOf(after));
  const added = without(itemsOf(after), itemsOf(before));
  if (removed.length + added.length === 0) return diffValue(subject, before, after);
  return [
    ...removed.map((item) => ({ subject, kind: "removed" as const, before: shown(item), after: null })),
    ...added.map((item) => ({ subject, kind: "added" as const, before: null, after: shown(item) })),
  ];
}

function diffValue(subject: string, before: Plain | undefined, after: Plain | undefined): ManifestChange[] {
  if (canonical(before) === canonical(after)) return [];
  return [{ subject, kind: kindOf(before, after), before: shownOrNull(before), after: shownOrNull(after) }];
}

const itemsOf = (value: Plain | undefined): readonly Plain[] => (isList(value) ? value : []);

/** Items that `other` lacks, each as often as it is missing. */
function without(items: readonly Plain[], other: readonly Plain[]): readonly Plain[] {
  const rest = other.map(canonical);
  return items.filter((item) => {
    const at = rest.indexOf(canonical(item));
    if (at >= 0) rest.splice(at, 1);
    return at < 0;
  });
}

const kindOf = (before: unknown, after: unknown): ManifestChange["kind"] =>
  before === undefined ? "added" : after === undefined ? "removed" : "changed";

const shownOrNull = (value: Plain | undefined): string | null => (value === undefined ? null : shown(value));

const imageOf = (service: PlainMapping | undefined): string | null => shownOrNull(service?.image);

/** Manifest fields beside the Compose file, those that are absent left out. */
function launchOf(manifest: Manifest | null): PlainMapping {
  if (manifest === null) return {};
  const { docker_compose_file: _, ...launch } = manifest;
  return Object.fromEntries(
    Object.entries(launch).filter(([, value]) => value !== undefined),
  ) as PlainMapping;
}

type Both<T> = [key: string, before: T | undefined, after: T | undefined];

/** Every key of either, sorted: the same two manifests give the same list everywhere. */
function byKey<T>(before: Readonly<Record<string, T>>, after: Readonly<Record<string, T>>): Both<T>[] {
  const own = (from: Readonly<Record<string, T>>, key: string): T | undefined =>
    Object.hasOwn(from, key) ? from[key] : undefined;
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].sort().map((key) => [key, own(before, key), own(after, key)]);
}
