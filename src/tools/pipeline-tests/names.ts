/** What a dotted name in an expectation refers to. */
import {
  needsRun,
  notComparable,
  severalStages,
  unknownTestName,
} from '../../language/diagnostics/catalogue/tests.js';
import type { Diagnostic } from '../../language/diagnostics/types.js';
import type { Reading } from '../../language/ir/evaluate.js';
import type { Stage, ValueType } from '../../language/ir/program.js';
import { schemas } from '../../language/schemas/stages/index.js';
import type { Word } from '../../language/syntax/ast.js';
import { newSettingName } from '../../pipeline/stages/train-plan/fields.js';
import {
  CHOSEN,
  type Field,
  type Fields,
  PLAN,
  PLANNED_STAGE,
  PROGRAM,
  ROOTS,
  RUN,
  RUN_STAGE,
} from './fields.js';
import { findSetting, readingOf, settingAt } from './settings-path.js';
import type { Facts, Need, TestName } from './types.js';

/** What names are looked up in. */
export interface Subject {
  /** `undefined`: the pipeline has errors, and of its stages nothing is known. */
  readonly stages: readonly Stage[] | undefined;
  readonly runs: boolean;
  /** Where a setting can be inserted into the test. */
  readonly insertAt: number;
}

/** A name without its path. */
type NameMeaning = Omit<TestName, 'path'> & { readonly type: ValueType };

type Report = (found: Diagnostic) => undefined;

export const isRoot = (word: string): word is Need => (ROOTS as readonly string[]).includes(word);

/** `plan.adapter.chosen.method`, whose first word is a root. Reports what it does not find. */
export function nameOf(path: readonly Word[], subject: Subject, report: Report): NameMeaning | undefined {
  const [root, ...rest] = path;
  const need = root?.text;
  if (root === undefined || need === undefined || !isRoot(need)) return undefined;
  const text = path.map((word) => word.text).join('.');
  if (need === 'run' && !subject.runs)
    return report(
      needsRun({ ...root.span, end: path.at(-1)?.span.end ?? root.span.end }, text, subject.insertAt),
    );
  const isStage = rest[0]?.text === 'stages' && rest.length > 1;
  const [first, ...inner] = isStage ? rest.slice(1) : rest;
  if (first === undefined) return report(notComparable(root.span, need, 'a group of values'));
  const table = WHOLE[need];
  const field = !isStage && Object.hasOwn(table, first.text) ? table[first.text] : undefined;
  if (field !== undefined)
    return inner[0] === undefined
      ? { ...field, need }
      : report(unknownTestName(inner[0].span, inner[0].text, `\`${need}.${first.text}\``, []));
  if (subject.stages === undefined) return { type: 'any', need, read: () => undefined };
  const stage = subject.stages.find(({ name }) => name === first.text);
  const instance = subject.stages.find((one) => one.instance?.of === first.text)?.instance;
  if (stage === undefined && instance !== undefined)
    return report(severalStages(first.span, first.text, Object.keys(instance.at)));
  if (stage === undefined)
    return report(unknownTestName(first.span, first.text, `\`${need}\``, knownIn(need, subject)));
  return STAGES[need](stage, inner, first, report);
}

const ran = (field: Field<NonNullable<Facts['run']>>): Field<Facts> => ({
  ...field,
  read: ({ run }) => run && field.read(run),
});

const WHOLE: Readonly<Record<Need, Fields<Facts>>> = {
  program: PROGRAM,
  plan: PLAN,
  run: Object.fromEntries(Object.entries(RUN).map(([name, field]) => [name, ran(field)])),
};

const knownIn = (need: Need, { stages }: Subject): readonly string[] => [
  ...Object.keys(WHOLE[need]),
  ...(stages ?? []).map(({ name, instance }) => instance?.of ?? name),
];

type Lookup = (stage: Stage, words: readonly Word[], named: Word, report: Report) => NameMeaning | undefined;

const STAGES: Readonly<Record<Need, Lookup>> = {
  program: (stage, words, named, report) => {
    if (words.length === 0) return whole(stage, named, report);
    const found = findSetting(stage, words, report);
    if (found === undefined) return undefined;
    const { path, ...field } = found;
    return { ...field, need: 'program', read: (facts) => settingAt(settingsOf(facts, stage), path) };
  },
  plan: (stage, words, named, report) => {
    const [first, second, ...more] = words;
    const known = [...Object.keys(PLANNED_STAGE), ...(stage.kind === 'train' ? ['chosen'] : []), 'settings'];
    if (first === undefined) return whole(stage, named, report);
    if (first.text === 'settings' && second !== undefined)
      return plannedSetting(stage, words.slice(1), report);
    const isChoice = first.text === 'chosen' && stage.kind === 'train' && second !== undefined;
    const [table, word, rest] = isChoice
      ? ([CHOSEN, second, more] as const)
      : ([PLANNED_STAGE, first, words.slice(1)] as const);
    const name = isChoice ? newSettingName(word.text) : word.text;
    const field = Object.hasOwn(table, name) ? table[name] : undefined;
    const names = isChoice ? Object.keys(CHOSEN) : known;
    if (field === undefined && !isChoice && Object.hasOwn(schemas[stage.kind].settings, word.text)) {
      const where = `the plan of \`${stage.name}\``;
      return report(unknownTestName(word.span, word.text, where, known, `settings.${word.text}`));
    }
    if (field === undefined || rest[0] !== undefined)
      return missing(stage, field === undefined ? word : (rest[0] ?? word), names, report);
    const { read, ...shown } = field;
    return { ...shown, need: 'plan', read: ({ plan }) => stageIn(plan?.stages, stage, read) };
  },
  run: (stage, words, named, report) => {
    const [first, second] = words;
    const metrics = measuredBy(stage);
    const known = [...Object.keys(RUN_STAGE), ...metrics];
    if (first === undefined) return whole(stage, named, report);
    const word = second ?? first;
    if (second !== undefined || !known.includes(first.text)) return missing(stage, word, known, report);
    const field = Object.hasOwn(RUN_STAGE, first.text) ? RUN_STAGE[first.text] : undefined;
    if (field !== undefined)
      return { ...field, need: 'run', read: ({ run }) => stageIn(run?.stages, stage, field.read) };
    const type = schemas[stage.kind].metrics[first.text]?.unit ?? 'number';
    return {
      type,
      need: 'run',
      read: ({ run }) => stageIn(run?.stages, stage, ({ metrics }) => metrics[first.text]),
    };
  },
};

const whole = ({ name, kind }: Stage, word: Word, report: Report): undefined =>
  report(notComparable(word.span, name, `a whole ${kind} stage`));

const missing = (stage: Stage, word: Word, known: readonly string[], report: Report): undefined =>
  report(unknownTestName(word.span, word.text, `the ${stage.kind} stage \`${stage.name}\``, known));

function stageIn<T extends { readonly name: string }>(
  stages: readonly T[] | undefined,
  stage: Stage,
  read: (found: T) => Reading,
): Reading {
  const found = stages?.find(({ name }) => name === stage.name);
  return found && read(found);
}

const settingsOf = ({ compiled }: Facts, { name }: Stage): Stage['settings'] =>
  compiled.program?.stages.find((stage) => stage.name === name)?.settings ?? {};

/** The value that will be used: where the file leaves it open, the one that the planner decided. */
function plannedSetting(stage: Stage, words: readonly Word[], report: Report): NameMeaning | undefined {
  const found = findSetting(stage, words, report);
  if (found === undefined) return undefined;
  const { path, ...field } = found;
  const read = (facts: Facts): Reading => {
    const planned = facts.plan?.stages.find(({ name }) => name === stage.name);
    const effective = planned?.effective[path.join('.')];
    return effective === undefined ? settingAt(settingsOf(facts, stage), path) : readingOf(effective.value);
  };
  return { ...field, need: 'plan', read };
}

/** Names of what a stage measures: an eval stage those that it lists. */
function measuredBy({ kind, settings }: Stage): readonly string[] {
  const listed = kind === 'eval' ? settings['metrics'] : undefined;
  if (!Array.isArray(listed)) return Object.keys(schemas[kind].metrics);
  return listed.map((metric) => String(readingOf(metric)));
}
