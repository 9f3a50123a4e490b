/** The table of the largest error of each op on each runtime, in docs/runtimes.md: `UPDATE_GOLDEN=1` writes its column. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import type { RuntimeName } from '../../../../src/language/ir/runtimes.js';
import type { Worst } from './conformance.js';

const FILE = join(nodeHost().packageFolder, 'docs/runtimes.md');
const [START, END] = ['<!-- errors: written by the tests -->\n', '<!-- end of errors -->\n'];
const COLUMNS: readonly RuntimeName[] = ['tensorflow', 'webgpu', 'wasm', 'cpu'];

type Rows = Map<string, Partial<Record<string, string>>>;

/** The table as it stands: a column that is not measured now keeps its figures. */
function readRows(table: string): Rows {
  const [head = [], ...rows] = table
    .split('\n')
    .filter((line) => line.startsWith('|') && !line.startsWith('|---'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  return new Map(
    rows.map(([op = '', ...cells]) => [
      op.replaceAll('`', ''),
      Object.fromEntries(cells.map((cell, at) => [(head[at + 1] ?? '').replaceAll('`', ''), cell])),
    ]),
  );
}

function tableOf(rows: Rows): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`;
  const body = [...rows]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([op, cells]) => line([`\`${op}\``, ...COLUMNS.map((name) => cells[name] ?? '')]));
  const head = line(['op', ...COLUMNS.map((name) => `\`${name}\``)]);
  return `\n${head}|${'---|'.repeat(COLUMNS.length + 1)}\n${body.join('')}\n`;
}

/** Collects the errors of one runtime's suite, and writes them when it has ended. */
export function errorTable(name: RuntimeName): { readonly note: Worst } {
  const found = new Map<string, { result: number; gradient: number }>();
  after(() => {
    if (process.env['UPDATE_GOLDEN'] !== '1') return;
    const page = readFileSync(FILE, 'utf8');
    const [before, behind] = [page.indexOf(START) + START.length, page.indexOf(END)];
    const old = readRows(page.slice(before, behind));
    const rows: Rows = new Map(
      [...found].map(([op, { result, gradient }]) => [
        op,
        { ...old.get(op), [name]: `${textOf(result)}, ${textOf(gradient)}` },
      ]),
    );
    writeFileSync(FILE, page.slice(0, before) + tableOf(rows) + page.slice(behind));
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
