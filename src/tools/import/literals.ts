/** Values as a pipeline writes them. */
import { formatNumber } from '../../language/check/units.js';
import { quoted } from '../../language/source/quoted.js';

/** Without the last digits, in which decimals differ from binary numbers: `0.05 · 0.2` is 1 %. */
const rounded = (value: number): number => Number.parseFloat(value.toPrecision(12));

/** `2e-4` */
export const number = (value: number): string => formatNumber(rounded(value));

/** `5%` for 0.05. */
export const percent = (share: number): string => `${rounded(share * 100)}%`;

/** `{ rank: 8, alpha: 16 }`, without what is not set; nothing if nothing is. */
export function record(fields: Readonly<Record<string, string | undefined>>): string | undefined {
  const pairs = Object.entries(fields).flatMap(([name, text]) =>
    text === undefined ? [] : [`${name}: ${text}`],
  );
  return pairs.length === 0 ? undefined : `{ ${pairs.join(', ')} }`;
}

export const list = (items: readonly string[]): string => `[${items.join(', ')}]`;

/** A text of a file, which may have anything in it, as it is shown to people. */
export const withoutControls = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\ufffd');

/** A name as the key of a record. */
export const key = (name: string): string => (/^[A-Za-z_]\w*$/.test(name) ? name : quoted(name));

/**
 * A text in lines of comments, within 80 columns: nothing in it can end a comment or drive a terminal. `indent` comes
 * after `//`.
 */
export function comment(text: string, indent = ''): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).map(withoutControls)) {
    if (line !== '' && 3 + indent.length + line.length + 1 + word.length > 78) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].map((words) => `// ${indent}${words}`);
}
