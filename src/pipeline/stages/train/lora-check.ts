/** Settings of an adapter that contradict the base, or the adapter that a stage continues from. */

import { adaptedProjections, branchAt, isNamed } from '../../../compute/models/adapters/layout.js';
import { matchesPattern, patternProblem } from '../../../compute/models/adapters/patterns.js';
import { savableTensors } from '../../../compute/models/adapters/saved.js';
import { projectionsNamed, targetNames } from '../../../compute/models/adapters/targets.js';
import type { LoraConfig, ModelConfig } from '../../../compute/models/types.js';
import {
  headTarget,
  initWithout,
  layerUnknown,
  patternUnmatched,
  patternUnreadable,
  rankTooHigh,
  targetOutside,
  targetUnknown,
} from '../../../language/diagnostics/catalogue/adapters.js';
import { type Diagnostic, isError, UserError } from '../../../language/diagnostics/types.js';
import type { Stage } from '../../../language/ir/types.js';
import { settingsOf } from '../../../language/schemas/stages/settings.js';
import { hasFactors } from '../../../language/schemas/types.js';
import type { Span } from '../../../language/source/span.js';
import { bottleneckProblems } from './bottleneck-check.js';
import { checkTask } from './labels.js';
import { loraOf, type Place, startOf } from './lora.js';
import type { LoraCase } from './lora-case.js';
import { startProblems } from './start-check.js';
import { virtualProblems } from './virtual-check.js';

/** Throws a `ModelError` where the adapter to continue from does not fit the base. */
export function loraProblems(given: LoraCase): readonly Diagnostic[] {
  const virtual = virtualProblems(given);
  if (virtual.length > 0) return virtual;
  if (given.start !== undefined) return startProblems(given, given.start);
  if (given.lora.bottleneck !== undefined) return bottleneckProblems(given, given.lora.bottleneck);
  if (!hasFactors(given.stage.preset)) return [];
  const { rankPattern, alphaPattern, ...plain } = given.lora;
  const layers = [...layerProblems(given), ...initProblems(given)];
  const targets = layers.length > 0 ? [] : targetProblems({ ...given, lora: plain });
  // what an unknown target would have matched is no pattern's fault
  if (layers.length + targets.length > 0) return [...layers, ...targets];
  const patterns = { rank_pattern: rankPattern, alpha_pattern: alphaPattern };
  return patternProblems({ ...given, lora: plain }, patterns);
}

/** What PiSSA does not go with. */
function initProblems({ config, lora, at }: LoraCase): readonly Diagnostic[] {
  if (lora.pissa !== true) return [];
  const place = at('lora.init');
  const patterned = lora.rankPattern !== undefined || lora.alphaPattern !== undefined;
  const other = lora.dora ? 'dora' : lora.rslora && patterned ? 'rslora' : undefined;
  if (other !== undefined) return [initWithout(place, 'pissa', other, INIT_REASONS[other])];
  const { rankPattern, alphaPattern, ...plain } = lora;
  const narrow = adaptedProjections(config, plain).find(
    ({ inputs, outputs, branch }) => branch.rank > Math.min(inputs, outputs),
  );
  return narrow === undefined
    ? []
    : [rankTooHigh(at('lora.rank'), narrow.path, lora.rank, Math.min(narrow.inputs, narrow.outputs))];
}

const INIT_REASONS = {
  dora: 'the magnitudes are those of the whole weights',
  rslora:
    'with per-layer ranks, no single alpha preserves every scale once the factors are combined with the initial ones',
} as const;

function layerProblems({ config, lora, at }: LoraCase): readonly Diagnostic[] {
  return (lora.layers ?? []).flatMap((layer, index) =>
    layer < config.layers ? [] : [layerUnknown(at(`lora.layers.${index}`), layer, config.layers)],
  );
}

function targetProblems({ stage, config, lora, at }: LoraCase): readonly Diagnostic[] {
  if (typeof settingsOf(stage, 'train').lora.targets === 'string') return [];
  return lora.targets.flatMap((target, index) => {
    const named = projectionsNamed(config, target);
    const place = at(`lora.targets.${index}`);
    if (named.length === 0) return [noSuchTarget(config, target, place)];
    const reached = named.some(({ path, layer }) => branchAt({ ...lora, targets: [target] }, path, layer));
    return reached ? [] : [targetOutside(place, target, lora.layers ?? [])];
  });
}

function noSuchTarget(config: ModelConfig, target: string, at: Span): Diagnostic {
  const outer = savableTensors(config).find(({ name }) => isNamed(name.replace(/\.weight$/, ''), target));
  return outer === undefined
    ? targetUnknown(at, target, targetNames(config))
    : headTarget(at, target, outer.role === 'head');
}

function patternProblems(
  { config, lora, at }: LoraCase,
  patterns: Readonly<Record<'rank_pattern' | 'alpha_pattern', Readonly<Record<string, number>> | undefined>>,
): readonly Diagnostic[] {
  if (Object.values(patterns).every((pattern) => pattern === undefined)) return [];
  const adapted = adaptedProjections(config, lora);
  const known = [...new Set(adapted.map(({ target }) => target))];
  return (['rank_pattern', 'alpha_pattern'] as const).flatMap((setting) =>
    Object.keys(patterns[setting] ?? {}).flatMap((pattern) => {
      const place = at(`lora.${setting}.${pattern}`);
      const why = patternProblem(pattern);
      if (why !== undefined) return [patternUnreadable(place, pattern, why)];
      const matches = adapted.some(({ path }) => matchesPattern(pattern, path));
      return matches ? [] : [patternUnmatched(place, setting, pattern, known)];
    }),
  );
}

/**
 * The adapter of a stage, once it is known to go with the base; `labels` are those of its rows. Throws a `UserError` with the first thing that does
 * not, or a `ModelError` where the adapter to continue from cannot be read.
 */
export function checkedLora(
  stage: Stage,
  { config, label }: { readonly config: ModelConfig; readonly label: string },
  place: Place,
  labels?: readonly string[],
): LoraConfig {
  checkTask(stage, { config, label }, labels);
  const start = startOf(settingsOf(stage, 'train'), place);
  const lora = loraOf(stage, config, start, labels);
  const problem = loraProblems({ stage, config, base: label, lora, start, at: () => stage.span }).find(
    isError,
  );
  if (problem !== undefined) throw new UserError(problem);
  return lora;
}
