import { committeeVerifierAbi } from "../../../protocol/abi/committeeVerifier.ts";
import type { Address } from "../../../protocol/words/hex.ts";
import type { Context } from "../context.ts";
import { timeText } from "../output.ts";
import { liveSignersByOperator } from "./signers.ts";

/** A member and whether its signatures count. */
export interface Seat {
  readonly member: Address;
  readonly marked: boolean;
  /** Keys that sign for it now: itself, or live instances of the relayer's own app on its nodes. */
  readonly signers: readonly Address[];
}

/** One committee, with what a person asks of it. */
export interface CommitteeFound {
  readonly seats: readonly Seat[];
  readonly threshold: number;
  readonly effectiveAt: number;
  readonly expiresAt: number;
  /** Whole days until its end; negative once it is over. */
  readonly daysLeft: number;
  /** The relayer's own app; null while members are keys. */
  readonly app: Address | null;
  /** Whether as many seats as the threshold can sign. */
  readonly canSign: boolean;
}

export interface Committees {
  readonly time: number;
  readonly noticeSeconds: number;
  /** Who may mark signers; null for nobody. */
  readonly disputes: Address | null;
  readonly current: CommitteeFound;
  readonly next: CommitteeFound | null;
}

const NOBODY = /^0x0{40}$/;
const DAY = 86_400;
const lower = (address: string): Address => address.toLowerCase() as Address;
const orNull = (address: string): Address | null => (NOBODY.test(address) ? null : lower(address));

/** The committee in force, the one that waits, and who may mark signers: all as of one block. */
export async function readCommittees(context: Context): Promise<Committees> {
  const client = await context.client();
  const { number: blockNumber, timestamp } = await client.getBlock();
  const at = {
    address: context.deployment().committeeVerifier,
    abi: committeeVerifierAbi,
    blockNumber,
  } as const;
  const [committee, next, noticeSeconds, disputes] = await Promise.all([
    client.readContract({ ...at, functionName: "committee" }),
    client.readContract({ ...at, functionName: "nextCommittee" }),
    client.readContract({ ...at, functionName: "noticeSeconds" }),
    client.readContract({ ...at, functionName: "disputes" }),
  ]);
  const time = Number(timestamp);
  const isMarked = (account: Address): Promise<boolean> =>
    client.readContract({ ...at, functionName: "isMarked", args: [account] });

  const found = async (of: typeof committee): Promise<CommitteeFound> => {
    const app = orNull(of.app);
    const live = app === null ? null : await liveSignersByOperator(context, app);
    const seats = await Promise.all(
      of.members.map(lower).map(async (member): Promise<Seat> => {
        const marked = await isMarked(member);
        const keys = live === null ? [member] : (live.get(member) ?? []);
        const counting = await Promise.all(keys.map(async (key) => !marked && !(await isMarked(key))));
        return { member, marked, signers: keys.filter((_, i) => counting[i]) };
      }),
    );
    return {
      seats,
      threshold: of.threshold,
      effectiveAt: of.effectiveAt,
      expiresAt: of.expiresAt,
      daysLeft: Math.floor((of.expiresAt - time) / DAY),
      app,
      canSign:
        time < of.expiresAt && seats.filter(({ signers }) => signers.length > 0).length >= of.threshold,
    };
  };
  return {
    time,
    noticeSeconds,
    disputes: orNull(disputes),
    current: await found(committee),
    next: next.effectiveAt === 0 ? null : await found(next),
  };
}

/** The same for people. */
export function committeeText({ current, next, noticeSeconds, disputes }: Committees): string {
  return [
    "in force",
    ...describe(current),
    ...(next ? [`from ${timeText(next.effectiveAt)} on`, ...describe(next)] : []),
    `a change takes effect ${noticeSeconds} s after it is decided`,
    `disputes ${disputes ?? "none: nobody can mark a signer"}`,
  ].join("\n");
}

function describe({ seats, threshold, expiresAt, daysLeft, app, canSign }: CommitteeFound): string[] {
  const end = daysLeft < 0 ? "EXPIRED" : `${daysLeft} days left`;
  return [
    `  ${threshold} of ${seats.length} ${app ? `operators, by live instances of ${app}` : "keys"}`,
    ...seats.map(
      ({ member, marked, signers }) =>
        `    ${member}${marked ? " MARKED" : ""}${app ? ` (${signers.length} live signers)` : ""}`,
    ),
    `  until ${timeText(expiresAt)} (${end})`,
    ...(canSign ? [] : ["  it cannot sign now"]),
  ];
}
