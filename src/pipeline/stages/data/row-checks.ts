/** What a data stage looks at when it reads rows, and the splits that it makes, from its settings. */
import { sharesDoNotAddUp } from '../../../language/diagnostics/catalogue/values.js';
import { UserError } from '../../../language/diagnostics/types.js';
import type { Stage } from '../../../language/ir/program.js';
import type { DataSettings } from '../../../language/schemas/stages/data.js';
import { settingsOf } from '../../../language/schemas/stages/settings.js';
import type { Checks } from './row-collector.js';
import { schemaCheck } from './row-schema.js';
import type { RowTable } from './row-table.js';
import { ColumnValues } from './row-values.js';
import type { Shares } from './split.js';

const SEED = 17;

export const seedOf = ({ split }: DataSettings): number => split?.seed ?? SEED;

/** `near`: least overlap of near copies; `undefined` where they are not looked for. Columns of the table are made for what is noted. */
export async function checksOf(
  settings: DataSettings,
  near: number | undefined,
  table: RowTable,
): Promise<Checks> {
  const { balance, outliers, split } = settings;
  return {
    ...(settings.schema === undefined ? {} : { schema: await schemaCheck(settings.schema) }),
    exact: settings.dedupe.some(({ call }) => call === 'exact'),
    ...(near === undefined ? {} : { near }),
    contradictions: settings.contradictions,
    ...(split?.by === undefined ? {} : { by: split.by }),
    ...(split?.stratify === undefined
      ? {}
      : { strata: new ColumnValues(split.stratify, 'stratified', table.column()) }),
    ...(balance === undefined ? {} : { balance: new ColumnValues(balance.by, 'balanced', table.column()) }),
    ...(outliers === undefined ? {} : { lengths: table.column() }),
    seed: seedOf(settings),
  };
}

/** What fraction of the rows each split gets. Throws a {@link UserError} if they are not the whole. */
export function sharesOf(stage: Stage): Shares {
  const { split } = settingsOf(stage, 'data');
  if (split === undefined) return { train: 1, valid: 0, test: 0 };
  const { train, valid, test } = split;
  const sum = train + valid + test;
  if (Math.abs(sum - 1) < 1e-6) return { train, valid, test };
  throw new UserError(sharesDoNotAddUp(stage.span, `${Number((sum * 100).toFixed(2))}%`));
}
