import { cpuSeconds, descendantSeconds, mainThreadSeconds } from "./processUse.ts";

/** Processor seconds so far of each part of the system under test. */
export type Parts = Readonly<Record<string, number>>;

/** This process is the relayer; committee signers, the database and the chain are its children. */
export function processorParts(signers: readonly number[]): Parts {
  const under = descendantSeconds(process.pid);
  const sum = (of: readonly number[]): number => of.reduce((total, each) => total + each, 0);
  const [relayer, main] = [cpuSeconds(process.pid), mainThreadSeconds(process.pid)];
  const [all, mains] = [sum(signers.map(cpuSeconds)), sum(signers.map(mainThreadSeconds))];
  return {
    relayerMain: main,
    relayerThreads: relayer - main,
    signerMain: mains,
    signerThreads: all - mains,
    postgres: under.get("postgres") ?? 0,
    anvil: under.get("anvil") ?? 0,
  };
}

/** Milliseconds of each part between two looks, for each of so many. */
export const millisEach = (before: Parts, after: Parts, count: number): Parts =>
  Object.fromEntries(
    Object.entries(after).map(([part, seconds]) => [part, (1_000 * (seconds - (before[part] ?? 0))) / count]),
  );
