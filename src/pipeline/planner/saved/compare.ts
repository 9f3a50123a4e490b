/** A saved plan against what is there now: the first differences, by name. */

import { valueText } from '../../../language/check/value-text.js';
import type { Value, Values } from '../../../language/ir/program.js';
import { isQuantity, isRecord, isReference } from '../../../language/ir/values.js';
import { settingTypeAt } from '../../../language/schemas/setting-paths.js';
import { lookUp } from '../../../language/source/look-up.js';
import { changedFields } from '../../stages/train-plan/fields.js';
import { canonical } from '../canonical.js';
import { differences as partDifferences } from '../history.js';
import type { Plan } from '../plan-json.js';
import type { SavedPlan, SavedProgram } from './saved-file.js';

/** Something that changed since a plan was saved. */
export interface PlanDifference {
  /** For people: `` the setting `lora.rank` of `adapter` ``. */
  readonly what: string;
  readonly before: string;
  readonly after: string;
  /** Where it is in the pipeline. */
  readonly place?: { readonly stage: string; readonly path: string };
}

export const ABSENT = 'not there';

/** Differences of the program. */
export function programDifferences(before: SavedProgram, after: SavedProgram): readonly PlanDifference[] {
  const stages = [...new Set([...Object.keys(before.stages), ...Object.keys(after.stages)])];
  const inStages = stages.flatMap((name): readonly PlanDifference[] => {
    const [old, now] = [lookUp(before.stages, name), lookUp(after.stages, name)];
    if (old === undefined)
      return [
        { what: `the stage \`${name}\``, before: ABSENT, after: 'there', place: { stage: name, path: '' } },
      ];
    if (now === undefined) return [{ what: `the stage \`${name}\``, before: 'there', after: ABSENT }];
    const plain = (['kind', 'using', 'requires'] as const)
      .filter((field) => canonical(old[field]) !== canonical(now[field]))
      .map((field) => ({
        what: `\`${field === 'requires' ? 'require' : field}\` of \`${name}\``,
        before: shown(old[field]),
        after: shown(now[field]),
        place: { stage: name, path: '' },
      }));
    // JSON has no values that settings cannot have
    const [settings, others] = [old.settings as Values, now.settings as Values];
    return [...plain, ...settingDifferences({ name, kind: now.kind }, '', settings, others)];
  });
  const budgets =
    canonical(before.budgets) === canonical(after.budgets)
      ? []
      : [{ what: 'the budget', before: shown(before.budgets), after: shown(after.budgets) }];
  return [...inStages, ...budgets];
}

/** Differences at the smallest place that has a name; values as they would be in a pipeline. */
function settingDifferences(
  stage: { readonly name: string; readonly kind: string },
  path: string,
  before: Value | undefined,
  after: Value | undefined,
): readonly PlanDifference[] {
  if (canonical(before) === canonical(after)) return [];
  if (hasFields(before) && hasFields(after) && before['call'] === after['call'])
    return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((name) =>
      settingDifferences(
        stage,
        name === 'args' ? path : path === '' ? name : `${path}.${name}`,
        before[name],
        after[name],
      ),
    );
  const text = (value: Value | undefined): string =>
    shown(value == null ? value : valueText(value, settingTypeAt(stage.kind, path)));
  const what = `the setting \`${path}\` of \`${stage.name}\``;
  return [{ what, before: text(before), after: text(after), place: { stage: stage.name, path } }];
}

const hasFields = (value: Value | undefined): value is Values =>
  isRecord(value) && !isQuantity(value) && !isReference(value);

const LONGEST = 80;

export function shown(value: unknown): string {
  if (value === undefined || value === null) return ABSENT;
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

/** What the stages are made of otherwise, though the program is the same: files, versions, choices. */
export function planDifferences(before: SavedPlan, after: Plan): readonly PlanDifference[] {
  const stages = before.stages.flatMap((saved) => {
    const now = after.stages.find(({ name }) => name === saved.name);
    return now === undefined || now.key === saved.key ? [] : [{ saved, now }];
  });
  const found = stages.flatMap(({ saved, now }) =>
    partDifferences(saved.parts, now.parts)
      // A stage that changed has already been reported.
      .filter(({ name }) => !name.startsWith('stage:') && !name.startsWith('settings.'))
      .map(({ name, before: old, after: current }) => ({
        what: partText(name, saved.name),
        before: digestText(old),
        after: digestText(current),
        place: { stage: saved.name, path: '' },
      })),
  );
  const moved = [...found, ...choiceDifferences(before, after)];
  if (moved.length > 0) return moved;
  // A difference without a name of its own: even so, a stage with another output is never run.
  return stages.slice(0, 1).map(({ saved, now }) => ({
    what: `what \`${saved.name}\` is made of`,
    before: digestText(saved.key),
    after: digestText(now.key),
    place: { stage: saved.name, path: '' },
  }));
}

/** What changes no key, and what was reviewed all the same: how ranks share a model, how many blocks are recomputed. */
const choiceDifferences = (before: SavedPlan, after: Plan): readonly PlanDifference[] =>
  before.stages.flatMap((saved) => {
    const now = after.stages.find(({ name }) => name === saved.name);
    if (now === undefined || now.key !== saved.key || now.action === 'cached') return [];
    if (saved.chosen === null || now.chosen === null) return [];
    const then = changedFields(now.chosen, saved.chosen);
    return Object.entries(changedFields(saved.chosen, now.chosen)).map(([field, value]) => ({
      what: `the planner's choice of \`${field}\` for \`${saved.name}\``,
      before: shown(then[field]),
      after: shown(value),
      place: { stage: saved.name, path: '' },
    }));
  });

function partText(name: string, stage: string): string {
  if (name.startsWith('file:')) return `the file \`${name.slice(5)}\` that \`${stage}\` reads`;
  if (name.startsWith('chosen.')) return `the planner's choice of \`${name.slice(7)}\` for \`${stage}\``;
  return `\`${name}\` of \`${stage}\``;
}

export const digestText = (value: string | undefined): string =>
  value === undefined ? ABSENT : /^[0-9a-f]{64}$/.test(value) ? `${value.slice(0, 12)}…` : value;
