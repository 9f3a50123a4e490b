/** The details of a comparison as tables. */

import type { Reason } from '../../../language/ir/events.js';
import { FIELDS } from '../../../pipeline/stages/train-plan/fields.js';
import { figureNoun, figureText } from '../figures.js';
import type { Comparison, FigureChange, SettingChange, StageChange } from '../types.js';
import { type Cell, code, codeList, joined } from './pieces.js';

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
    { title: 'Engine', head: ['setting', 'before', 'after'], rows: computingRows(comparison) },
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

const settingRows = (stages: readonly StageChange[], chosen: (change: SettingChange) => boolean) =>
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

const computingRows = ({ computing = [] }: Comparison): readonly Row[] =>
  computing.map(({ setting, before, after }) => ({
    tone: 'plain',
    cells: [[code(setting)], valueCell(before), valueCell(after)],
  }));

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

/** `lora.rank changed; reads new output of dialogs`, or `reads dialogs ← clauses: data/legal/a.jsonl changed` */
function whyCell(stage: StageChange, all: readonly StageChange[]): Cell {
  if (stage.reasons.length > 0) {
    const inputs: Cell =
      stage.because.length === 0 ? [] : ['; reads new output of ', ...joined(stage.because.map(code))];
    return [...reasonsCell(stage.reasons), ...inputs];
  }
  const way = wayToCause(stage, new Map(all.map((one) => [one.name, one])));
  const names = way.flatMap(({ name }, index): Cell => (index === 0 ? [code(name)] : [' ← ', code(name)]));
  const cause = way.at(-1)?.reasons ?? [];
  return ['reads ', ...names, ...(cause.length === 0 ? [] : [': ', ...reasonsCell(cause)])];
}

/** From the first input that runs again, over its first, to one with reasons of its own or a new one. */
function wayToCause(stage: StageChange, byName: ReadonlyMap<string, StageChange>): readonly StageChange[] {
  const way: StageChange[] = [];
  let at: StageChange | undefined = stage;
  while (at !== undefined && !way.includes(at)) {
    if (at !== stage) way.push(at);
    if (at.reasons.length > 0) break;
    at = byName.get(at.because[0] ?? '');
  }
  return way;
}

type Group = readonly [codes: readonly string[], verb: string];

/** In the order in which they are told. */
const GROUPS: readonly Group[] = [
  [['setting_changed', 'choice_changed', 'file_changed'], 'changed'],
  [['setting_added', 'file_added'], 'is new'],
  [['setting_removed', 'file_removed'], 'is gone'],
  [['input_added'], 'is read now'],
  [['input_removed'], 'is no longer read'],
];
const PLURAL: Readonly<Record<string, string>> = {
  'is new': 'are new',
  'is gone': 'are gone',
  'is read now': 'are read now',
  'is no longer read': 'are no longer read',
};

function reasonsCell(reasons: readonly Reason[]): Cell {
  const told = GROUPS.flatMap(([codes, verb]): readonly Cell[] => {
    const paths = reasons
      .filter(({ code: id }) => codes.includes(id))
      .map(({ path }) => settingPath(path ?? ''));
    const found = [...new Set(paths)];
    if (found.length === 0) return [];
    const said = found.length > 1 ? (PLURAL[verb] ?? verb) : verb;
    return [[...codeList(found), ` ${said}`]];
  });
  const others = reasons.flatMap(({ code: id }) => (Object.hasOwn(OTHERS, id) ? [[OTHERS[id] ?? '']] : []));
  return [...told, ...others].flatMap((cell, index): Cell => (index === 0 ? cell : ['; ', ...cell]));
}

const OTHERS: Readonly<Record<string, string>> = {
  runtime_changed: 'another runtime computes',
  definition_changed: 'this version of ftpc makes it differently',
};

/** What a part of a key is called among the settings; a setting that led to a choice is told once. */
const settingPath = (path: string): string =>
  FIELDS.find(({ name }) => path === `chosen.${name}`)?.setting ?? path.replace(/^settings\./, '');
