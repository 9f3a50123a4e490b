/** `2026-11-25 09:01:21`, UTC, as the ids of runs are. */
export const utcTime = (milliseconds: number): string =>
  new Date(milliseconds).toISOString().slice(0, 19).replace('T', ' ');
