/** Lines of a journal: each ends with a check of the rest of it, so that a flipped bit is found, whatever it makes of a number. */
import { crc32 } from 'node:zlib';

const CHECK = /,"check":"([0-9a-f]{8})"\}$/;

/** Of single bits, and of what a disk loses, it misses none that is shorter than itself; and it costs less than writing. */
const checkOf = (json: string): string => crc32(json).toString(16).padStart(8, '0');

/** An object as JSON, with its check as the last field. */
export const checkedLine = (json: string): string => `${json.slice(0, -1)},"check":"${checkOf(json)}"}`;

/** The JSON of a line without its check, or `undefined` if it is not as it was written. One without a check is taken as it is. */
function lineText(line: string): string | undefined {
  const check = CHECK.exec(line);
  if (check === null) return line;
  const json = `${line.slice(0, check.index)}}`;
  return checkOf(json) === check[1] ? json : undefined;
}

/** {@link lineText} for the lines of one journal: where some have checks, all must. Journals of before have none. */
export function lineReader(journal: string): (line: string) => string | undefined {
  if (!/,"check":"[0-9a-f]{8}"\}$/m.test(journal)) return (line) => line;
  return (line) => (CHECK.test(line) ? lineText(line) : undefined);
}

/** A journal without what is not as it was written, and without its checks. */
export function soundLines(journal: string): string {
  const read = lineReader(journal);
  return journal
    .split('\n')
    .flatMap((line) => read(line) ?? [])
    .join('\n');
}
