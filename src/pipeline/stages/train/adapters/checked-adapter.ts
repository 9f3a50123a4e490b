/** Whether the adapter of a stage goes with its other settings, its base, and the adapter that it continues from. */
import type { AdapterConfig } from '../../../../compute/models/adapters/config.js';
import { labelsOf } from '../../../../compute/models/adapters/whole.js';
import type { ModelConfig } from '../../../../compute/models/types.js';
import { checkAdapter } from '../../../../compute/packaging/check-base.js';
import {
  baseDiffers,
  startContradicts,
  startWithout,
} from '../../../../language/diagnostics/catalogue/adapters.js';
import { type Diagnostic, isError, UserError } from '../../../../language/diagnostics/types.js';
import type { Stage } from '../../../../language/ir/program.js';
import { settingsOf } from '../../../../language/schemas/stages/settings.js';
import type { TrainSettings } from '../../../../language/schemas/stages/train.js';
import type { Span } from '../../../../language/source/span.js';
import { objectiveOf } from '../preferences/objective.js';
import { checkTask } from '../row-labels.js';
import { type AdapterCase, isSet, type Place, type Start, startOf } from './definition.js';
import { adapterOf, adapterProblems, stageAdapter, takenSettings } from './kinds.js';

/** Throws a `ModelError` if the adapter to continue from does not fit the base. */
export function checkStageAdapter(given: AdapterCase): readonly Diagnostic[] {
  const problems = adapterProblems(given);
  if (problems.length > 0 || given.start === undefined) return problems;
  return startProblems(given, given.start);
}

/** Throws a `ModelError` if the adapter does not fit the base. */
function startProblems({ stage, model, base, at }: AdapterCase, start: Start): readonly Diagnostic[] {
  if (stage.preset === 'full') return [startWithout(at('start'), 'using full', 'it trains no adapter')];
  checkAdapter(start.opened, model, start.opened.path);
  const taken = start.opened.config;
  const head = headProblem(settingsOf(stage, 'train'), labelsOf(taken));
  if (head !== undefined) return [startWithout(at(head.setting), head.setting, head.why)];
  const { setting: record, agrees } = stageAdapter(taken.kind);
  if (isSet(stage.origins, `${record}.init`))
    return [startWithout(at(`${record}.init`), 'init', 'the weights are those of the adapter')];
  const settings = settingsOf(stage, 'train');
  const values: Readonly<Record<string, unknown>> = (record && settings[record]) ?? {};
  const contradictions = Object.entries(takenSettings(taken, model)).flatMap(([setting, value]) => {
    const field = setting.slice(setting.indexOf('.') + 1);
    const set = values[field];
    // training may continue with another dropout
    if (!isSet(stage.origins, setting) || set === undefined || field === 'dropout') return [];
    if (agrees?.[field]?.(settings, taken, model) ?? shown(set) === shown(value)) return [];
    return [
      startContradicts(at(setting), { setting, set: shown(set), adapter: start.label, taken: shown(value) }),
    ];
  });
  return [...contradictions, ...otherBase(at('start'), start, base)];
}

/** Says where an adapter of a folder calls its base by another name. */
export function otherBase(at: Span, { label, opened }: Start, base: string): readonly Diagnostic[] {
  const own = opened.base.name;
  const renamed = own !== null && own !== '' && lastPart(own) !== lastPart(base);
  return renamed ? [baseDiffers(at, { adapter: label, own, base })] : [];
}

/** A reward model goes on from a head of one score, and from no other; what writes from none. */
function headProblem(
  settings: TrainSettings,
  labels: readonly string[] | undefined,
): { readonly setting: string; readonly why: string } | undefined {
  if (objectiveOf(settings)?.kind === 'reward')
    return labels?.length === 1
      ? undefined
      : { setting: 'objective', why: 'the adapter to continue from has no head of one score' };
  return labels === undefined
    ? undefined
    : { setting: 'dataset', why: 'the adapter to continue from has a head over labels, and writes nothing' };
}

const shown = (value: unknown): string =>
  value === undefined
    ? 'none'
    : Array.isArray(value)
      ? `[${value.map(String).join(', ')}]`
      : value !== null && typeof value === 'object'
        ? `{ ${Object.entries(value)
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([name, field]) => `${name}: ${String(field)}`)
            .join(', ')} }`
        : String(value);

const lastPart = (name: string): string => (name.replace(/\/+$/, '').split('/').at(-1) ?? '').toLowerCase();

/**
 * The adapter of a stage, once it is known to go with the base; `labels` are those of its rows. Throws a `UserError` with
 * the first thing that does not, or a `ModelError` where the adapter to continue from cannot be read.
 */
export function checkedAdapter(
  stage: Stage,
  { config: model, label: base }: { readonly config: ModelConfig; readonly label: string },
  place: Place,
  labels?: readonly string[],
): AdapterConfig {
  checkTask(stage, { config: model, label: base }, labels);
  const start = startOf(settingsOf(stage, 'train'), place);
  const adapter = adapterOf(stage, model, start, labels);
  const given = { stage, model, base, adapter, start, at: () => stage.span };
  const problem = checkStageAdapter(given).find(isError);
  if (problem !== undefined) throw new UserError(problem);
  return adapter;
}
