/** `2026-11-25 02:13 UTC`, of a time as ISO 8601 has it; what another machine wrote may be no time, and is left as it is. */
export function sinceText(time: string): string {
  const parsed = Date.parse(time);
  return Number.isNaN(parsed) ? time : `${new Date(parsed).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
