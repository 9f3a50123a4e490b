/** The table of the largest error of each op, in docs/runtimes.md: `UPDATE_GOLDEN=1` writes it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeHost } from '../../../src/source/node-host.js';
import type { Worst } from './conformance.js';

const FILE = join(nodeHost().packageFolder, 'docs/runtimes.md');
const [START, END] = ['<!-- errors: written by the tests -->\n', '<!-- end of errors -->\n'];

/** Collects the errors of one suite, and writes them when it has ended. */
export function errorTable(): { readonly note: Worst } {
  const found = new Map<string, { result: number; gradient: number }>();
  after(() => {
    if (process.env['UPDATE_GOLDEN'] !== '1') return;
    const rows = [...found]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([op, { result, gradient }]) => `| \`${op}\` | ${textOf(result)} | ${textOf(gradient)} |\n`);
    const table = `\n| op | result | gradients |\n|---|---|---|\n${rows.join('')}\n`;
    const page = readFileSync(FILE, 'utf8');
    const [before, behind] = [page.indexOf(START) + START.length, page.indexOf(END)];
    writeFileSync(FILE, page.slice(0, before) + table + page.slice(behind));
  });
  return {
    note(op, what, difference) {
      const worst = found.get(op) ?? { result: 0, gradient: 0 };
      worst[what] = Math.max(worst[what], difference);
      found.set(op, worst);
    },
  };
}

const textOf = (value: number): string => (value === 0 ? '0' : value.toExponential(0));
