/** The details of a comparison as tables. */
import { figureNoun, figureText } from '../figures.js';
import type { Comparison, FigureChange, SettingChange, StageChange } from '../types.js';
import { type Cell, code } from './pieces.js';
import { whyCell } from './why.js';

export interface Row {
  /** What it says about the new plan. */
  readonly tone: 'good' | 'bad' | 'new' | 'gone' | 'plain';
  readonly cells: readonly Cell[];
}

export interface Section {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly Row[];
}

/** Those that have something to say, in the order in which a reviewer asks. */
export function sectionsOf(comparison: Comparison): readonly Section[] {
  const { stages } = comparison;
  const sections: readonly Section[] = [
    {
      title: 'Settings',
      head: ['stage', 'setting', 'before', 'after', 'set by'],
      rows: settingRows(stages, ({ from }) => from !== 'planner'),
    },
    { title: 'Requirements', head: ['in', 'require', ''], rows: requirementRows(comparison) },
    {
      title: 'Chosen by the planner',
      head: ['stage', 'setting', 'before', 'after', 'set by'],
      rows: settingRows(stages, ({ from }) => from === 'planner'),
    },
    { title: 'Stages', head: ['stage', '', 'why'], rows: stages.flatMap((stage) => stageRow(stage, stages)) },
    { title: 'Sizes', head: ['stage', '', 'before', 'after', 'change'], rows: sizeRows(comparison) },
    { title: 'Diagnostics', head: ['', 'code', 'message'], rows: diagnosticRows(comparison) },
  ];
  return sections.filter(({ rows }) => rows.length > 0);
}

const settingRows = (
  stages: readonly StageChange[],
  chosen: (change: SettingChange) => boolean,
): readonly Row[] =>
  stages.flatMap(({ name, settings }) =>
    settings.filter(chosen).map((change): Row => {
      const { path, before, after } = change;
      const tone = before === null ? 'new' : after === null ? 'gone' : 'plain';
      return {
        tone,
        cells: [[code(name)], [code(path)], valueCell(before), valueCell(after), setBy(change)],
      };
    }),
  );

const valueCell = (text: string | null): Cell => [text === null ? '–' : code(text)];

function setBy({ from, preset, after }: SettingChange): Cell {
  if (from === undefined) return [''];
  const who: Cell =
    preset === undefined ? [from] : [`${from} `, code(preset.preset), ' of ', code(preset.module)];
  return after === null ? ['was ', ...who] : who;
}

function requirementRows({ stages, budget }: Comparison): readonly Row[] {
  const ofStages = stages.flatMap(({ name, requires }) => [
    ...requires.removed.map(
      (text): Row => ({ tone: 'gone', cells: [[code(name)], [code(text)], ['removed']] }),
    ),
    ...requires.added.map((text): Row => ({ tone: 'new', cells: [[code(name)], [code(text)], ['added']] })),
  ]);
  const ofBudget = budget.map(({ require, change, holds }): Row => {
    const broken = holds === false ? ', and does not hold' : '';
    const words = {
      added: `added${broken}`,
      removed: 'removed',
      broken: 'no longer holds',
      kept: 'holds again',
    };
    const tone = change === 'removed' ? 'gone' : holds === false ? 'bad' : change === 'kept' ? 'good' : 'new';
    return { tone, cells: [['budget'], [code(require)], [words[change]]] };
  });
  return [...ofStages, ...ofBudget];
}

function stageRow(stage: StageChange, all: readonly StageChange[]): readonly Row[] {
  const { name, status, reruns, renamedFrom, kind } = stage;
  const own: Cell = [`${kind} `, code(name)];
  if (status === 'added') return [{ tone: 'new', cells: [own, ['new'], ['']] }];
  if (status === 'removed') return [{ tone: 'gone', cells: [own, ['gone'], ['']] }];
  const renamed: Cell = renamedFrom === undefined ? [] : ['was ', code(renamedFrom)];
  if (reruns === true) {
    const why = whyCell(stage, all);
    return [
      { tone: 'bad', cells: [own, ['reruns'], renamed.length === 0 ? why : [...renamed, '; ', ...why]] },
    ];
  }
  if (renamed.length > 0) return [{ tone: 'plain', cells: [own, ['renamed'], renamed] }];
  return [];
}

function sizeRows({ stages, totals }: Comparison): readonly Row[] {
  const row = (name: Cell, change: FigureChange): Row => {
    const { figure, before, after } = change;
    const texts = [before, after].map((value): Cell => [figureText(figure, value)]);
    return { tone: 'plain', cells: [name, [figureNoun(figure)], ...texts, [relativeText(change)]] };
  };
  return [
    ...stages.flatMap(({ name, figures }) => figures.map((change) => row([code(name)], change))),
    ...totals.filter((change) => !saidByOne(change, stages)).map((change) => row(['in all'], change)),
  ];
}

/** The whole is that of one stage. */
const saidByOne = (total: FigureChange, stages: readonly StageChange[]): boolean =>
  stages.some(({ figures }) =>
    figures.some(
      ({ figure, before, after }) =>
        figure === total.figure && before === total.before && after === total.after,
    ),
  );

/** `+25%`, `× 3.2`; empty if there is nothing to relate to. */
export function relativeText({ before, after }: FigureChange): string {
  if (before === null || after === null || before <= 0 || after <= 0) return '';
  const ratio = after / before;
  if (ratio >= 2) return `× ${Number(ratio.toPrecision(2))}`;
  const percent = 100 * (ratio - 1);
  const digits = Math.abs(percent) < 10 ? 1 : 0;
  return `${percent > 0 ? '+' : '−'}${Math.abs(percent).toFixed(digits)}%`;
}

function diagnosticRows({ diagnostics }: Comparison): readonly Row[] {
  const rows = (found: Comparison['diagnostics']['added'], isNew: boolean): readonly Row[] =>
    found.map(({ code: id, severity, message }) => ({
      tone: isNew ? (severity === 'error' ? 'bad' : 'new') : 'gone',
      cells: [[isNew ? `new ${severity}` : `${severity} gone`], [code(id)], [code(message)]],
    }));
  return [...rows(diagnostics.added, true), ...rows(diagnostics.removed, false)];
}
