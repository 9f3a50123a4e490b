/** The tables of a pipeline's page, the same in every format. */
import { bytes } from '../../../pipeline/planner/quantities.js';
import type { Page } from './page.js';

export type Cell =
  | { readonly text: string }
  /** A word of the language, a path, a condition. */
  | { readonly code: string }
  /** What something is called; several names are joined by commas. */
  | { readonly names: readonly string[] }
  /** From a doc comment. */
  | { readonly doc: string }
  /** Of a requirement; `null` if that is not known before a run. */
  | { readonly holds: boolean | null };

export interface PageTable {
  readonly id: 'params' | 'secrets' | 'files' | 'gates' | 'budgets';
  readonly title: string;
  /** Backticks are around code. */
  readonly note?: string;
  readonly columns: readonly { readonly title: string; readonly right?: boolean }[];
  readonly rows: readonly (readonly Cell[])[];
}

const code = (text: string): Cell => ({ code: text });
const name = (...names: readonly string[]): Cell => ({ names });
const titles = (...all: readonly string[]): PageTable['columns'] => all.map((title) => ({ title }));

/** Those that have rows. */
export function tablesOf(page: Page): Readonly<Partial<Record<PageTable['id'], PageTable>>> {
  const tables: readonly PageTable[] = [
    {
      id: 'params',
      title: 'Parameters',
      note: 'Given with `-p name=value`.',
      columns: titles('parameter', 'type', 'value', 'what', 'decides'),
      rows: page.params.map((param) => [
        code(param.name),
        code(param.type),
        code(param.text),
        { doc: param.doc ?? '' },
        name(...param.usedBy),
      ]),
    },
    {
      id: 'secrets',
      title: 'Secrets',
      note: 'Read from the environment where ftpc runs; shown, hashed and stored nowhere.',
      columns: titles('secret', 'read from', 'what'),
      rows: page.secrets.map((secret) => [
        code(secret.name),
        code(`$${secret.env}`),
        { doc: secret.doc ?? '' },
      ]),
    },
    {
      id: 'files',
      title: 'Files that it reads',
      columns: [
        ...titles('files', 'stage'),
        { title: 'number', right: true },
        { title: 'size', right: true },
      ],
      rows: page.sources.map(({ stage, pattern, files }) => [
        code(pattern),
        name(stage),
        { text: `${files.length}` },
        { text: bytes(files.reduce((sum, file) => sum + file.bytes, 0)) },
      ]),
    },
    {
      id: 'gates',
      title: 'Gates',
      note: 'Where one does not hold, nothing that depends on the stage runs.',
      columns: titles('stage', 'requires'),
      rows: page.stages.flatMap((stage) =>
        stage.requires.map((require) => [name(stage.name), code(require)]),
      ),
    },
    {
      id: 'budgets',
      title: 'Budgets',
      columns: [...titles('budget', 'requires'), { title: 'planned', right: true }, { title: '' }],
      rows: page.budgets.map((budget) => [
        name(budget.name),
        code(budget.require),
        { text: budget.value },
        { holds: budget.holds },
      ]),
    },
  ];
  return Object.fromEntries(tables.filter(({ rows }) => rows.length > 0).map((table) => [table.id, table]));
}
