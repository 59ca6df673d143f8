/** Votes have 18 decimals; what is below a whole one is shown only where there is some. */
export function votesText(votes: bigint): string {
  const whole = (votes / 10n ** 18n).toString();
  const rest = (votes % 10n ** 18n).toString().padStart(18, "0").replace(/0+$/, "");
  return rest === "" ? whole : `${whole}.${rest}`;
}
