/** What a setting is, what it is set to, by whom and why. */
import type { ParamValues } from '../../../language/check/overrides.js';
import { originOf, presetOf } from '../../../language/check/stage-settings.js';
import type { CheckedStage } from '../../../language/check/stages.js';
import { valueText } from '../../../language/check/value-text.js';
import type { Analysis } from '../../../language/compile.js';
import type { Origin, PresetOrigin, Value } from '../../../language/ir/program.js';
import type { LintReport } from '../../../language/lint/index.js';
import { type SourceMap, spanText } from '../../../language/source/text.js';
import type { Expression } from '../../../language/syntax/ast.js';
import { limitText } from '../../../pipeline/planner/limits.js';
import type { Plan, PlannedStage, RejectedPlan, StageLimits } from '../../../pipeline/planner/plan-json.js';
import { bytes } from '../../../pipeline/planner/quantities.js';
import { whyPrecision } from '../../../pipeline/planner/render/engine.js';
import {
  declarationOf,
  expressionAt,
  type FilePlace,
  lintsIn,
  placeOf,
  type SettingLint,
  type UsedParam,
  usedParams,
  writtenIn,
} from './setting-places.js';
import { type StageSetting, settingsByPath } from './stage-settings.js';
import { choicesOf, typeText, unitsOf } from './type-text.js';

/** Everything that an answer is drawn from. */
export interface Pipeline {
  readonly analysis: Analysis;
  readonly sources: SourceMap;
  readonly plan?: Plan;
  readonly lints: LintReport;
  readonly params: ParamValues;
}

export interface SetBy {
  /** `nobody`: it has no value. */
  readonly from: Origin | 'nobody';
  /** Where it is written: in the block, in the preset, or, for what follows from a parameter, the use of it. */
  readonly at?: FilePlace;
  readonly preset?: PresetOrigin;
  readonly params?: readonly UsedParam[];
}

export interface SettingExplanation {
  readonly path: string;
  readonly doc: string;
  /** In base units; `null` if it has none. */
  readonly value: Value;
  /** The value as a pipeline would have it; `null` if nothing set it. */
  readonly text: string | null;
  readonly type: string;
  readonly units: readonly string[];
  readonly choices: readonly string[];
  readonly required: boolean;
  /** As a pipeline would have it; `null` if there is none. */
  readonly default: string | null;
  readonly setBy: SetBy;
  /** What the file, or a preset, says where the planner took something else; a default is in `default`. */
  readonly asked?: string;
  /** Changing it changes the output, and so what has to run again. */
  readonly affectsOutput: boolean;
  /** Of what the planner chose: why, and what it did not take. */
  readonly why?: string;
  readonly rejected?: readonly RejectedPlan[];
  /** What the rules of `docs/lints.md` say about what is written here. */
  readonly lints: readonly SettingLint[];
}

/** Every setting that the stage can have, in the order of its schema. */
export function explainSettings(checked: CheckedStage, pipeline: Pipeline): readonly SettingExplanation[] {
  const planned = pipeline.plan?.stages.find(({ name }) => name === checked.stage.name);
  return settingsByPath(checked.stage)
    .filter(
      ({ byPlanner, path }) =>
        byPlanner !== true || planned?.effective[path] !== undefined || path === 'using',
    )
    .map((found) => explain(found, checked, planned, pipeline));
}

/** Those with a value, each once: a record is told by what is in it, and what someone wrote into a call by the call. */
export function toldOnce(all: readonly SettingExplanation[]): readonly SettingExplanation[] {
  return all.filter(({ path, text, setBy }) => {
    if (text === null) return false;
    if (text.startsWith('{')) return !all.some((other) => other.path.startsWith(`${path}.`));
    const isAbove = (other: SettingExplanation): boolean => path.startsWith(`${other.path}.`);
    return setBy.from !== 'author' || !all.some((other) => isAbove(other) && /^\w+\(/.test(other.text ?? ''));
  });
}

function explain(
  found: StageSetting,
  checked: CheckedStage,
  planned: PlannedStage | undefined,
  pipeline: Pipeline,
): SettingExplanation {
  const { path, setting, isWhole } = found;
  const byPlanner = isSetByPlanner(path, planned) ? planned : undefined;
  const own = found.value;
  const value = byPlanner?.effective[path]?.value ?? own;
  // `auto` leaves it to the planner, and a default nobody asks for
  const isAsked = own !== undefined && own !== 'auto' && originOf(checked, path) !== 'default';
  const isChanged = byPlanner !== undefined && isAsked && own !== value;
  const asText = (of: Value | undefined): string | null =>
    of === undefined ? null : valueText(of, setting.type);
  const isEmptyRecord = isWhole && setting.type.kind === 'record';
  return {
    path,
    doc: setting.doc,
    value: value ?? null,
    text: asWritten(path, checked, pipeline) ?? asText(value),
    type: typeText(setting.type),
    units: unitsOf(setting.type),
    choices: choicesOf(setting.type),
    required: setting.required,
    default: setting.default === undefined || isEmptyRecord ? null : valueText(setting.default, setting.type),
    setBy: byPlanner === undefined ? setBy(path, value, checked, pipeline) : { from: 'planner' },
    ...(isChanged ? { asked: asText(own) ?? '' } : {}),
    affectsOutput: setting.inert !== true,
    lints: lintsOf(path, checked, pipeline),
    ...(byPlanner === undefined ? {} : whyChosen(path, byPlanner, pipeline.plan)),
  };
}

/** A setting that is not written has none; nor has the part of another that decides it. */
function lintsOf(path: string, checked: CheckedStage, { lints }: Pipeline): readonly SettingLint[] {
  const found = writtenIn(checked, path);
  return found === undefined ? [] : lintsIn(lints, found.span);
}

/** What is in the block, where that is the whole value: more than what would have to be written. */
function asWritten(path: string, checked: CheckedStage, { analysis, sources, params }: Pipeline) {
  const found = checked.stage.origins[path] === 'author' ? writtenIn(checked, path) : undefined;
  const source = found === undefined ? undefined : sources.get(found.span.file);
  if (found === undefined || source === undefined || !WHOLE.has(found.kind)) return undefined;
  const text = spanText(source, found.span).replace(/\s+/g, ' ');
  const isPlain = usedParams(found, analysis.context, sources, params).length === 0;
  return isPlain && !text.includes('//') ? text : undefined;
}

const WHOLE = new Set<Expression['kind']>(['call', 'list']);

function setBy(
  path: string,
  value: Value | undefined,
  checked: CheckedStage,
  { analysis, sources, params }: Pipeline,
): SetBy {
  if (value === undefined) return { from: 'nobody' };
  if (path === 'using') return methodSetBy(checked, sources);
  const from = originOf(checked, path);
  if (from === 'preset') {
    const preset = presetOf(checked, path);
    const declaration = preset === undefined ? undefined : declarationOf(analysis, preset);
    const span = expressionAt(declaration?.properties ?? [], path)?.span ?? declaration?.name.span;
    return { from, preset, ...(span === undefined ? {} : { at: placeOf(span, sources) }) };
  }
  const found = from === 'default' ? undefined : writtenIn(checked, path);
  if (found === undefined) return { from };
  const at = placeOf(found.span, sources);
  const used = usedParams(found, analysis.context, sources, params);
  return used.length === 0 ? { from, at } : { from: 'param', at, params: used };
}

/** The method is named after `using`, itself or in a preset. */
function methodSetBy({ stage, block }: CheckedStage, sources: SourceMap): SetBy {
  const word = block.using.find(({ text }) => text === stage.preset) ?? block.using.at(-1);
  if (word === undefined) return { from: 'nobody' };
  const at = placeOf(word.span, sources);
  return word.text === stage.preset ? { from: 'author', at } : { from: 'preset', at };
}

const isSetByPlanner = (path: string, planned: PlannedStage | undefined): boolean =>
  planned?.effective[path]?.from === 'planner';

function whyChosen(
  path: string,
  { peak, rejected, chosen, action, limits, effective }: PlannedStage,
  plan: Plan | undefined,
): { readonly why: string; readonly rejected: readonly RejectedPlan[] } {
  if (path === 'precision') return { why: whyPrecision(effective[path]?.value, plan?.ranks), rejected: [] };
  const allowed = limits?.memory;
  const available =
    allowed !== undefined
      ? `the ${bytes(allowed.most)} of ${limitText(allowed)}`
      : plan === undefined
        ? ''
        : bytes(plan.machine.availableBytes);
  const fits =
    peak === null
      ? 'what it needs is known when the model can be read'
      : peak.measured === undefined
        ? `the stage then needs ${bytes(peak.bytes)} (at most ${bytes(peak.high)}) of ${available}`
        : `${bytes(peak.measured)} of ${available} were measured with it`;
  const kept = action === 'cached' ? 'chosen when the stage ran: ' : '';
  const follows: Readonly<Record<string, string>> = {
    'batch.accumulation': `it follows: ${chosen?.accumulation} × ${chosen?.microBatch} rows are the rows of one step`,
    'lora.alpha': `it follows the rank, so that alpha ÷ rank stays as it was`,
  };
  const decided = limits?.decides && follows[path] === undefined ? decidedText(limits) : '';
  return { why: `${kept}${decided}${follows[path] ?? fits}`, rejected };
}

/** `` `require peak_memory <= 0.6GB` (legal.ftp:68) decided: `` */
const decidedText = ({ memory, time }: StageLimits): string =>
  `${[memory, time].flatMap((limit) => (limit === undefined ? [] : [limitText(limit)])).join(' and ')} decided: `;
