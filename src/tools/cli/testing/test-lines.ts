import { counted } from '../../../language/diagnostics/make.js';
import { harmless } from '../../../language/diagnostics/render/index.js';
import { isError } from '../../../language/diagnostics/types.js';
import { duration } from '../../../pipeline/planner/quantities.js';
import type { FileOutcome, TestOutcome } from '../../pipeline-tests/index.js';
import type { Colours } from '../cli-context.js';

const MARKS: Readonly<Record<TestOutcome['status'], string>> = { passed: '✓', failed: '✗', skipped: '-' };

/** A test's line. */
export function testLine({ status, name, seconds, expectations }: TestOutcome, colours: Colours): string {
  const { green, red, yellow, dim } = colours;
  const colour = { passed: green, failed: red, skipped: yellow }[status];
  const mark = colour(MARKS[status]);
  const shown = harmless(name);
  if (status === 'skipped') return `  ${mark} ${shown} ${dim('(runs the pipeline: --run)')}`;
  const count = counted(expectations, 'expectation');
  return `  ${mark} ${shown} ${dim(`(${count}, ${took(seconds)})`)}`;
}

export const indented = (text: string): string => text.replace(/^(?=.)/gm, '      ');

/** `3 passed, 1 failed in 13 s` */
export function sumLine(
  files: readonly FileOutcome[],
  seconds: number,
  { green, red, yellow }: Colours,
): string {
  const tests = files.flatMap((file) => file.tests);
  const count = (status: TestOutcome['status']): number =>
    tests.filter((test) => test.status === status).length;
  const broken = files.filter(({ diagnostics }) => diagnostics.some(isError)).length;
  const parts = [
    [count('passed'), 'passed', green],
    [count('failed'), 'failed', red],
    [count('skipped'), 'skipped', yellow],
    [broken, broken === 1 ? 'file with errors' : 'files with errors', red],
  ] as const;
  const said = parts
    .filter(([number]) => number > 0)
    .map(([number, what, colour]) => colour(`${number} ${what}`));
  return `${said.length === 0 ? 'no tests' : said.join(', ')} in ${took(seconds)}`;
}

const took = (seconds: number): string =>
  seconds < 1 ? `${Math.round(seconds * 1000)} ms` : duration(seconds);
