/** Why a stage runs again: its own reasons, or the path to the stage that has one. */
import type { Reason } from '../../../language/ir/events.js';
import { FIELDS } from '../../../pipeline/stages/train-plan/fields.js';
import type { StageChange } from '../types.js';
import { type Cell, code, codeList, joined } from './pieces.js';

/** `lora.rank changed; reads new output of dialogs`, or `reads dialogs ← clauses: data/legal/a.jsonl changed` */
export function whyCell(stage: StageChange, all: readonly StageChange[]): Cell {
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
