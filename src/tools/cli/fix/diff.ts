import { createTwoFilesPatch } from 'diff';
import { harmless } from '../../../language/diagnostics/render/index.js';
import type { CliContext } from '../cli-context.js';

/** As `patch -p1` takes it. */
export const unifiedDiff = (changed: {
  readonly file: string;
  readonly before: string;
  readonly after: string;
}): string =>
  createTwoFilesPatch(
    `a/${changed.file}`,
    `b/${changed.file}`,
    changed.before,
    changed.after,
    undefined,
    undefined,
    { context: 3 },
  ).replace(/^=+\n/, '');

/** On a terminal coloured, and nothing in it drives the terminal; elsewhere as it is. */
export function printedDiff(patch: string, { colours, terminal }: CliContext): string {
  const text = patch.replace(/\n$/, '');
  if (!terminal.out) return text;
  const { green, red, cyan, bold } = colours.out;
  return harmless(text)
    .split('\n')
    .map((line) => {
      if (/^(---|\+\+\+) /.test(line)) return bold(line);
      if (line.startsWith('@@')) return cyan(line);
      return line.startsWith('+') ? green(line) : line.startsWith('-') ? red(line) : line;
    })
    .join('\n');
}
