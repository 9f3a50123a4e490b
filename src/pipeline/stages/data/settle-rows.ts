/** What becomes of the rows once all are read: unusual lengths, splits, balance, and what a mix and a limit take. */
import { mixDoesNotFit, thinStrata } from '../../../language/diagnostics/catalogue/files.js';
import { counted, percentText } from '../../../language/diagnostics/make.js';
import { type DataSettings, generalMix, mixedSources } from '../../../language/schemas/stages/data.js';
import { settingsOf } from '../../../language/schemas/stages/settings.js';
import type { StageContext } from '../stage.js';
import { type Balance, balanceCounts, balanceRows, largestShare } from './balance.js';
import { type GroupedRows, GroupOrder } from './group-order.js';
import { dropOutliers, NO_OUTLIERS, type Outliers, outliersOf } from './length-outliers.js';
import { DEFAULT_STRATEGY, misfits } from './mix-plan.js';
import type { Collected } from './row-collector.js';
import { keptRows, orderIn, type Rows } from './row-order.js';
import type { ColumnValues } from './row-values.js';
import type { RowMemory } from './scratch.js';
import { countsOf, type MixedPart, mixedOrder, mixSentence, selectMixed } from './select-mixed.js';
import { type SelectOptions, selectRows } from './select-rows.js';
import { type SourceFile, sourceName } from './sources.js';
import { assignSplits, assignStratified, type Shares, type SplitName, splitNames } from './split.js';

type Files = readonly SourceFile[];

/** The stage whose rows these are, and where it reports what it finds. */
export type Settling = Pick<StageContext, 'stage' | 'emit' | 'warn'>;

/** Whether a row is no general one. */
const isOwn =
  ({ table }: Collected, files: Files) =>
  (row: number): boolean =>
    files[table.file.get(row)]?.general !== true;

/** Rows that are kept and no general ones. */
const ownRows = (collected: Collected, files: Files): Iterable<number> =>
  keptRows(collected.table, isOwn(collected, files))();

const trainRows = (collected: Collected, files: Files): Rows => {
  const own = isOwn(collected, files);
  return keptRows(collected.table, (row) => own(row) && collected.table.split.get(row) === 0);
};

const noteOf =
  ({ emit, stage }: Settling) =>
  (text: string): void =>
    emit({ type: 'note', stage: stage.name, text });

/** Rows of unusual length, with what is unusual; dropped where the stage says so. */
export function findOutliers(context: Settling, collected: Collected, files: Files): Outliers {
  const { outliers: rules } = settingsOf(context.stage, 'data');
  const { lengths } = collected.checks;
  if (rules === undefined || lengths === undefined) return NO_OUTLIERS;
  const found = outliersOf(collected.table, isOwn(collected, files), lengths, rules);
  if (rules.action === 'drop') dropOutliers(collected.table, found);
  if (rules.action === 'warn' && found.count > 0)
    noteOf(context)(`${counted(found.count, 'row')} of unusual length: report.json lists them`);
  return found;
}

export function splitRows(
  context: Settling,
  collected: Collected,
  files: Files,
  shares: Shares,
  memory: RowMemory,
): void {
  const { table, checks } = collected;
  if (checks.strata === undefined) {
    const splitOf = assignSplits(new GroupOrder(allRows(collected), memory.groups), shares);
    for (const row of ownRows(collected, files))
      table.split.set(row, splitOf({ order: table.order.get(row), stratum: 0 }));
    return;
  }
  const groups = new GroupOrder(stratifiedRows(collected, files, checks.strata), memory.strataGroups);
  const splitOf = assignStratified(groups, shares);
  for (const { row, group } of groups.members()) table.split.set(row, splitOf(group));
  warnOfThinStrata(context, collected, files, checks.strata, shares);
}

/** Rows that are not kept count too: what is held out does not depend on what else is repeated. */
const allRows = ({ table }: Collected): GroupedRows => ({
  count: table.count,
  order: (row) => table.order.get(row),
  isMember: () => true,
});

/** What is not kept counts in no stratum. */
const stratifiedRows = ({ table }: Collected, files: Files, strata: ColumnValues): GroupedRows => ({
  count: table.count,
  order: (row) => table.order.get(row),
  isMember: (row) => table.is(row, 'kept') && files[table.file.get(row)]?.general !== true,
  stratum: (row) => strata.numbers.get(row),
});

/** Values that have no row in a split that has a share. */
function warnOfThinStrata(
  { stage, warn }: Settling,
  collected: Collected,
  files: Files,
  strata: ColumnValues,
  shares: Shares,
): void {
  const counts = splitNames.map(() => strata.names.map(() => 0));
  for (const row of ownRows(collected, files)) {
    const of = counts[collected.table.split.get(row)] ?? [];
    const value = strata.numbers.get(row);
    of[value] = (of[value] ?? 0) + 1;
  }
  const lacks = (value: number): readonly SplitName[] =>
    splitNames.filter((name, split) => shares[name] > 0 && (counts[split]?.[value] ?? 0) === 0);
  const thin = strata.names.flatMap((name, value) => {
    const rows = counts.reduce((sum, split) => sum + (split[value] ?? 0), 0);
    const missing = lacks(value);
    if (rows === 0 || missing.length === 0) return [];
    return [
      `${JSON.stringify(name.slice(0, 60))} has ${counted(rows, 'row')}, none in ${missing.join(' and ')}`,
    ];
  });
  if (thin.length > 0) warn?.(thinStrata(stage.span, strata.column, thin, strata.names.length));
}

interface Selected {
  /** The training split in its order, where that is not the order of the files. */
  readonly order?: Iterable<number>;
  readonly largestShare?: number;
  /** What the report says of it. */
  readonly report: object;
}

/** Drops what a balance leaves over; passes over what a limit and the mix leave out. */
export function selectForSplits(
  context: Settling,
  collected: Collected,
  files: Files,
  seed: number,
): Selected {
  const { table, checks } = collected;
  const settings = settingsOf(context.stage, 'data');
  const balance: Balance | undefined = checks.balance && {
    values: checks.balance,
    atMost: settings.balance?.at_most ?? 1,
  };
  const order = orderIn(table, seed);
  const before = checks.balance?.count(trainRows(collected, files)()) ?? [];
  if (balance !== undefined)
    balanceRows(table, trainRows(collected, files), balance, order, context.stage.span);
  const options: SelectOptions = {
    order,
    ...(typeof settings.limit === 'number' ? { limit: settings.limit } : {}),
    ...(balance === undefined ? {} : { balance }),
  };
  const parts = mixedSources(settings).length === 0 ? undefined : mixed(context, collected, files, options);
  if (parts === undefined) takeGeneral(context, collected, files, options);
  const sources = parts && reportSources(context, settings, parts);
  const after =
    parts === undefined
      ? checks.balance?.count(trainRows(collected, files)())
      : usedValues(checks.balance, parts);
  if (balance !== undefined) noteImbalance(context, balance, after ?? []);
  return {
    ...(parts === undefined ? {} : { order: mixedOrder(parts) }),
    ...(after === undefined ? {} : { largestShare: largestShare(after) }),
    report: {
      ...(sources === undefined ? {} : { sources }),
      ...(balance === undefined ? {} : { balance: balanceCounts(balance, before, after ?? []) }),
    },
  };
}

function takeGeneral(context: Settling, { table }: Collected, files: Files, options: SelectOptions): void {
  const share = generalMix(settingsOf(context.stage, 'data'))?.share ?? 0;
  const { general, wanted } = selectRows(table, files, { ...options, share });
  if (general < wanted) noteOf(context)(`the mix asks for ${wanted} general rows; there are ${general}`);
}

function mixed(
  { stage }: Settling,
  { table }: Collected,
  files: Files,
  options: SelectOptions,
): readonly MixedPart[] {
  const settings = settingsOf(stage, 'data');
  const strategy = settings.stopping_strategy ?? DEFAULT_STRATEGY;
  return selectMixed(table, files, { ...options, sources: mixedSources(settings), strategy });
}

function reportSources(context: Settling, settings: DataSettings, parts: readonly MixedPart[]) {
  const names = [[settings.source].flat(), ...mixedSources(settings).map(({ source }) => [source])].map(
    sourceName,
  );
  const counts = parts.map((part, index) => countsOf(part, names[index] ?? ''));
  for (const each of counts) noteOf(context)(mixSentence(each));
  warnOfMisfits(context, settings, parts, names);
  return counts;
}

/** Shares that are not met, and sources of which nothing is used: the report alone would not say that it is no wish. */
function warnOfMisfits(
  { stage, warn }: Settling,
  settings: DataSettings,
  parts: readonly MixedPart[],
  names: readonly string[],
): void {
  const wanted = [{}, ...mixedSources(settings)].map((source, part) => ({
    ...source,
    rows: parts[part]?.count ?? 0,
  }));
  const found = misfits(wanted, settings.stopping_strategy ?? DEFAULT_STRATEGY);
  const sentences = found.map(({ part, rows, has, asked }) => {
    const name = names[part] ?? '';
    if (rows === 0) return `${name} has no row for training`;
    if (asked === undefined) return `none of the ${counted(rows, 'training row')} of ${name} is used`;
    return `${name} has ${counted(rows, 'training row')}: ${percentText(has)} of the split instead of ${percentText(asked)}`;
  });
  const isTooLong = found.some(({ rows }) => rows > 0);
  if (found.length > 0) warn?.(mixDoesNotFit(stage.span, sentences, isTooLong));
}

/** Training rows of each value, repeated ones counted again. */
function usedValues(
  values: ColumnValues | undefined,
  parts: readonly MixedPart[],
): readonly number[] | undefined {
  if (values === undefined) return undefined;
  const counts = values.names.map(() => 0);
  for (const { rows, whole, isMore } of parts)
    for (const row of rows()) {
      const value = values.numbers.get(row);
      counts[value] = (counts[value] ?? 0) + whole + Number(isMore(row));
    }
  return counts;
}

/** A mix repeats and leaves out rows after they were balanced, and a limit of a few rows may leave one value. */
function noteImbalance(context: Settling, { values, atMost }: Balance, counts: readonly number[]): void {
  const share = largestShare(counts);
  if (share <= atMost + 1e-9) return;
  const value = values.names[counts.indexOf(Math.max(...counts))] ?? '';
  noteOf(context)(
    `${JSON.stringify(value.slice(0, 60))} has ${(100 * share).toFixed(1)}% of the training rows, more than \`balance\` allows: the mix or the limit takes other rows`,
  );
}
