import { ZeroHash } from "ethers";

import { TcbStatus } from "../../../protocol/words/enums.ts";

/** The contracts' `Standing`. */
export interface Standing {
  readonly status: bigint;
  readonly advisoriesDigest: string;
  readonly validUntil: bigint;
  readonly staleSince: bigint;
  readonly revoked: boolean;
}

/** Up to date by the collateral of now, except what `over` says. */
export const standingOf = ({
  status = TcbStatus.UpToDate,
  ...over
}: Partial<Omit<Standing, "status">> & {
  readonly validUntil: bigint;
  readonly status?: TcbStatus;
}): Standing => ({
  advisoriesDigest: ZeroHash,
  staleSince: 0n,
  revoked: false,
  ...over,
  status: BigInt(status),
});
