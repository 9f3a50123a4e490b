/** Texts for a terminal: what is in a journal or a pipeline must not drive it. */

/** Control characters are replaced with a visible one. */
export const printable = (text: string): string => text.replace(/[^\P{Cc}\n\t]/gu, '\ufffd');

/** The same with every text in it made safe. */
export const printableIn = <T>(data: T): T =>
  JSON.parse(JSON.stringify(data), (_, value) => (typeof value === 'string' ? printable(value) : value));

/** Digests as people compare them; everything else as it is. */
export const shortDigest = (text: string): string => (/^[0-9a-f]{64}$/.test(text) ? text.slice(0, 8) : text);

/** `2026-11-25 09:01:21`, UTC, as the ids of runs are. */
export const utcTime = (milliseconds: number): string =>
  new Date(milliseconds).toISOString().slice(0, 19).replace('T', ' ');
