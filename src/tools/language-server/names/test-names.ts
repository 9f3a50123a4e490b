/** The words of a file of tests, which refer to a pipeline: its parameters, its stages, and what is known of them. */
import { PARAM_TYPES } from '../../../language/check/params.js';
import { unitNoun } from '../../../language/check/units.js';
import type { Unit, ValueType } from '../../../language/ir/program.js';
import type { Setting } from '../../../language/schemas/schema.js';
import { alternative } from '../../../language/schemas/setting-paths.js';
import { lookUp } from '../../../language/source/look-up.js';
import type { Span } from '../../../language/source/span.js';
import type { Expression, Property, Test, Word } from '../../../language/syntax/ast.js';
import {
  CHOSEN,
  type Field,
  type Fields,
  PLAN,
  PLANNED_STAGE,
  PROGRAM,
  RUN,
  RUN_STAGE,
} from '../../pipeline-tests/fields.js';
import { testSettings } from '../../pipeline-tests/settings.js';
import { ownMetrics, schemaOf } from './block-schemas.js';
import { type Declaration, type Target, targetOf } from './targets.js';
import type { ValueWalker } from './value-words.js';

/** What a pipeline declares. */
export type PipelineNames = ReadonlyMap<string, Declaration>;

/** Settings of a test whose values depend on the pipeline and on the machines that are known. */
export const OTHER_SETTINGS = {
  with: 'Values of the pipeline’s parameters: `{ smoke: true }`.',
  machine: 'A machine of the catalogue to plan for; default: this one.',
} as const;

/** What expectations begin with. */
export const ROOT_DOCS = {
  program: 'The pipeline as it is written: known once it is checked.',
  plan: 'What would run: known once it is planned.',
  run: 'What was measured: known after a run, for which the test says `run = true`.',
} as const;

export const fieldsOf = {
  program: PROGRAM,
  plan: PLAN,
  run: RUN,
} as const satisfies Record<keyof typeof ROOT_DOCS, Fields<never>>;

export const fieldsOfStage = { program: {}, plan: PLANNED_STAGE, run: RUN_STAGE } as const;

/** What is between a stage of a plan and its values. */
const GROUPS: Readonly<Record<string, string>> = {
  chosen: 'what the planner decided',
  settings: 'settings as they count, with what the planner decided',
};

type Add = (span: Span, target: Target) => void;

/** `own`: names of the file of tests; another word alone, such as `qlora`, is what something is compared with. */
export function walkTest(
  test: Test,
  tested: PipelineNames,
  own: ReadonlyMap<string, Target>,
  values: ValueWalker,
  add: Add,
): void {
  for (const property of test.properties) setting(property, tested, values, add);
  for (const { condition } of test.expectations)
    values.walk(
      condition,
      undefined,
      undefined,
      ({ path }) => expected(path, tested, add) || !own.has(path[0]?.text ?? ''),
    );
}

function setting({ key, value }: Property, tested: PipelineNames, values: ValueWalker, add: Add): void {
  const table: Readonly<Record<string, Setting>> = testSettings;
  const known = lookUp(table, key.text);
  const other = Object.entries(OTHER_SETTINGS).find(([name]) => name === key.text);
  if (known !== undefined) add(key.span, { kind: 'setting', owner: 'test', path: key.text, setting: known });
  if (other !== undefined) add(key.span, { kind: 'field', name: other[0], doc: other[1] });
  if (key.text === 'pipeline' && value.kind === 'string')
    add(value.span, { kind: 'path', path: value.value, names: 'file' });
  if (key.text === 'with' && value.kind === 'record') parameters(value, tested, values, add);
  else values.walk(value, known?.type);
}

function parameters(
  { entries }: Extract<Expression, { kind: 'record' }>,
  tested: PipelineNames,
  values: ValueWalker,
  add: Add,
): void {
  for (const { key, value } of entries) {
    const declared = tested.get(key.text);
    const type = declared !== undefined && 'type' in declared.node ? declared.node.type.text : undefined;
    if (declared !== undefined && type !== undefined) add(key.span, targetOf(declared));
    values.walk(value, type === undefined ? undefined : paramType(type));
  }
}

export const paramType = (name: string) => lookUp(PARAM_TYPES, name);

/** `plan.adapter.chosen.method`; `false` for a name that is none of these. */
function expected(path: readonly Word[], tested: PipelineNames, add: Add): boolean {
  const [root, ...rest] = path;
  if (root === undefined || !isRoot(root.text)) return false;
  const need = root.text;
  add(root.span, { kind: 'root', name: need, doc: ROOT_DOCS[need] });
  const [first, ...more] = rest;
  if (first === undefined) return true;
  const group = first.text === 'stages' && more.length > 0;
  if (!group && field(first, fieldsOf[need], need, add)) return true;
  const [word, ...inner] = group ? more : rest;
  const declared = word === undefined ? undefined : tested.get(word.text);
  if (word === undefined || declared?.what !== 'stage') return true;
  add(word.span, targetOf(declared));
  ofStage(need, declared, inner, add);
  return true;
}

export const isRoot = (word: string | undefined): word is keyof typeof ROOT_DOCS =>
  word !== undefined && Object.hasOwn(ROOT_DOCS, word);

function ofStage(need: keyof typeof ROOT_DOCS, stage: Declaration, words: readonly Word[], add: Add): void {
  const [first, second] = words;
  if (first === undefined || stage.what !== 'stage') return;
  const kind = stage.node.kind.text;
  const settings = schemaOf(kind)?.settings ?? {};
  const name = `${need}.${stage.name.text}`;
  const group = need === 'plan' ? lookUp(GROUPS, first.text) : undefined;
  if (group !== undefined) add(first.span, { kind: 'field', name: `${name}.${first.text}`, doc: group });
  if (need === 'program') settingsOf(words, settings, kind, add);
  else if (need === 'plan' && first.text === 'settings') settingsOf(words.slice(1), settings, kind, add);
  else if (need === 'plan' && first.text === 'chosen') {
    if (second !== undefined) field(second, CHOSEN, `${name}.chosen`, add);
  } else if (!field(first, fieldsOfStage[need], name, add) && need === 'run') {
    const metrics = ownMetrics(kind) ?? {};
    const schema = lookUp(metrics, first.text);
    if (schema !== undefined)
      add(first.span, { kind: 'metric', owner: kind, name: first.text, schema, stage });
  }
}

/** `lora.rank` */
function settingsOf(
  words: readonly Word[],
  table: Readonly<Record<string, Setting>>,
  owner: string,
  add: Add,
  before = '',
): void {
  const [word, ...rest] = words;
  const found = lookUp(table, word?.text);
  if (word === undefined || found === undefined) return;
  const path = before === '' ? word.text : `${before}.${word.text}`;
  add(word.span, { kind: 'setting', owner, path, setting: found });
  settingsOf(rest, alternative(found.type, 'record')?.fields ?? {}, owner, add, path);
}

function field({ text, span }: Word, table: Fields<never>, of: string, add: Add): boolean {
  const found = lookUp(table, text);
  if (found === undefined) return false;
  add(span, { kind: 'field', name: `${of}.${text}`, doc: fieldText(found) });
  return true;
}

const NOUNS = {
  number: 'a number',
  boolean: '`true` or `false`',
  text: 'a text',
  none: '`none`',
  any: 'a value',
} as const satisfies Record<Exclude<ValueType, Unit>, string>;

export const isUnit = (type: ValueType): type is Unit => !Object.hasOwn(NOUNS, type);

export const fieldText = ({ type, words }: Pick<Field<never>, 'type' | 'words'>): string =>
  words !== undefined
    ? words.map((word) => `\`${word}\``).join(', ')
    : isUnit(type)
      ? unitNoun(type)
      : NOUNS[type];
