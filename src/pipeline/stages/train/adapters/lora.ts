import { biasesOf, trainedBiases } from '../../../../compute/models/adapters/biases.js';
import {
  adaptedExperts,
  adaptedProjections,
  expertsNamed,
  isNamed,
  matchesPattern,
  patternProblem,
  projectionsNamed,
  type TargetSet,
  targetNames,
  targetsOfSet,
} from '../../../../compute/models/adapters/branches.js';
import type { LoraConfig } from '../../../../compute/models/adapters/config.js';
import { adaptedOuter, isTied, outerNamed, outerTarget } from '../../../../compute/models/adapters/outer.js';
import { plainAdapter } from '../../../../compute/models/adapters/pissa.js';
import {
  adaptedConfig,
  savableTensors,
  type WholeRole,
  wholeTensor,
} from '../../../../compute/models/adapters/whole.js';
import { namesExperts } from '../../../../compute/models/experts.js';
import type { ModelConfig } from '../../../../compute/models/types.js';
import {
  excludedAnyway,
  factorsOverWhole,
  initWithout,
  layerUnknown,
  noBiases,
  nothingAdapted,
  outerWithout,
  patternUnmatched,
  patternUnreadable,
  rankTooHigh,
  targetOutside,
  targetUnknown,
  tiedFactors,
} from '../../../../language/diagnostics/catalogue/adapters.js';
import { expertsWithout } from '../../../../language/diagnostics/catalogue/engines.js';
import type { Diagnostic } from '../../../../language/diagnostics/types.js';
import { hasFactors } from '../../../../language/schemas/methods.js';
import { settingsOf } from '../../../../language/schemas/stages/settings.js';
import { TARGET_SETS } from '../../../../language/schemas/stages/train.js';
import type { AdapterCase, StageAdapter } from './definition.js';

/** Low-rank factors, which are trained where nothing else is asked for. */
export const lora: StageAdapter<'lora'> = {
  setting: 'lora',
  config: ({ lora: settings }, model, labels) => ({
    kind: 'lora',
    rank: settings.rank,
    alpha: settings.alpha,
    dropout: settings.dropout,
    ...targetsOf(settings.targets as Targets, model, settings.layers),
    ...(settings.exclude === undefined
      ? {}
      : { exclude: settings.exclude.map((name) => outerTarget(model, name)) }),
    ...(settings.rslora ? { rslora: true } : {}),
    ...(settings.dora ? { dora: true } : {}),
    ...(settings.bias === undefined || settings.bias === 'none' ? {} : { bias: settings.bias }),
    ...(settings.layers === undefined ? {} : { layers: settings.layers }),
    ...(settings.rank_pattern === undefined ? {} : { rankPattern: settings.rank_pattern }),
    ...(settings.alpha_pattern === undefined ? {} : { alphaPattern: settings.alpha_pattern }),
    ...(settings.modules_to_save === undefined
      ? {}
      : { modulesToSave: savedModules(settings.modules_to_save, model) }),
    ...(settings.init === 'pissa' ? { pissa: true } : {}),
    ...(labels === undefined ? {} : { labels }),
  }),
  init: ({ lora: { init } }) => (init === 'pissa' ? undefined : init),
  contradictions: () => [],
  problems: loraProblems,
  fields: (adapter) => ({
    rank: adapter.rank,
    alpha: adapter.alpha,
    dropout: adapter.dropout,
    targets: [...adapter.targets, ...(adapter.parameters ?? [])],
    exclude: adapter.exclude,
    rslora: adapter.rslora ?? false,
    dora: adapter.dora ?? false,
    bias: adapter.bias ?? 'none',
    layers: adapter.layers,
    rank_pattern: adapter.rankPattern,
    alpha_pattern: adapter.alphaPattern,
    modules_to_save: adapter.modulesToSave,
  }),
  agrees: {
    targets: ({ lora: { targets } }, taken, model) =>
      coverOf(model, taken) ===
      coverOf(model, { ...taken, parameters: [], ...targetsOf(targets as Targets, model, taken.layers) }),
    exclude: ({ lora: { exclude } }, taken, model) =>
      coverOf(model, taken) === coverOf(model, { ...taken, exclude }),
    modules_to_save: ({ lora: { modules_to_save = [] } }, { modulesToSave = [] }, model) =>
      savedModules(modules_to_save, model).join() === modulesToSave.join(),
  },
  unmergeable: undefined,
  saved: (trained, { first }) => plainAdapter(trained, first),
};

/** The static type of the `targets` setting, which the schema's inference can't see through a union of a list. */
type Targets = TargetSet | readonly string[];

const isSet = (target: string): target is TargetSet => (TARGET_SETS as readonly string[]).includes(target);

/** PEFT has experts in a list of their own, in which `layers` do not count: whole paths do. */
function targetsOf(
  setting: Targets,
  model: ModelConfig,
  layers: readonly number[] | undefined,
): Pick<LoraConfig, 'targets' | 'parameters'> {
  const all = typeof setting === 'string' ? [setting] : setting;
  const named = all.filter((target) => !namesExperts(target));
  const targets = [
    ...new Set(
      named.flatMap((target) => (isSet(target) ? targetsOfSet(model, target) : outerTarget(model, target))),
    ),
  ];
  const ofExperts = all.filter(namesExperts);
  if (ofExperts.length === 0) return { targets };
  const inLayers = (target: string): readonly string[] =>
    expertsNamed(model, target).flatMap(({ path, layer }) => (layers?.includes(layer) ? path : []));
  return { targets, parameters: layers === undefined ? ofExperts : ofExperts.flatMap(inLayers) };
}

/** By the names that the family has for them. */
const savedModules = (modules: readonly string[], model: ModelConfig): readonly string[] =>
  savableTensors(model)
    .filter(({ role }) => modules.includes(role === 'head' ? 'lm_head' : 'embed_tokens'))
    .map(({ module }) => module);

/** Layers and experts that have factors, embedding and head among them. */
const adaptedPaths = (model: ModelConfig, adapter: LoraConfig): readonly string[] =>
  [
    ...adaptedProjections(model, adapter),
    ...adaptedExperts(model, adapter),
    ...adaptedOuter(adaptedConfig(model, adapter), adapter),
  ].map(({ path }) => path);

/** What targets select: different lists may select the same. */
const coverOf = (model: ModelConfig, adapter: LoraConfig): string => adaptedPaths(model, adapter).join();

interface LoraCase extends AdapterCase {
  readonly adapter: LoraConfig;
}

/** An adapter that a stage continues from fits its base, or was refused. */
function loraProblems(given: AdapterCase, adapter: LoraConfig): readonly Diagnostic[] {
  if (given.start !== undefined || !hasFactors(given.stage.preset)) return [];
  const { rankPattern, alphaPattern, ...plain } = adapter;
  const layers = [
    ...layerProblems({ ...given, adapter }),
    ...initProblems({ ...given, adapter }),
    ...expertProblems({ ...given, adapter }),
    ...outerProblems({ ...given, adapter }),
  ];
  const targets =
    layers.length > 0
      ? []
      : [...targetProblems({ ...given, adapter: plain }), ...excludeProblems({ ...given, adapter: plain })];
  // what an unknown target would have matched is no pattern's fault
  if (layers.length + targets.length > 0) return [...layers, ...targets];
  const biases = biasProblems({ ...given, adapter });
  if (biases.length > 0) return biases;
  const patterns = { rank_pattern: rankPattern, alpha_pattern: alphaPattern };
  const unmatched = patternProblems({ ...given, adapter: plain }, patterns);
  return unmatched.length > 0 ? unmatched : tiedNotes({ ...given, adapter });
}

/** What PEFT has for linear layers alone: of experts, the weights are changed before anything is multiplied with them. */
function expertProblems({ adapter, at }: LoraCase): readonly Diagnostic[] {
  const [first] = adapter.parameters ?? [];
  if (first === undefined) return [];
  const asked = { dropout: adapter.dropout > 0, dora: adapter.dora, init: adapter.pissa };
  return EXPERT_REASONS.flatMap(([setting, value, why]) =>
    asked[setting] === true ? [expertsWithout(at(`lora.${setting}`), first, { setting, value, why })] : [],
  );
}

const EXPERT_REASONS = [
  ['dropout', '0', 'there is no input of the factors that could be dropped'],
  ['dora', 'false', 'PEFT has no magnitudes of experts'],
  ['init', 'kaiming', 'PEFT takes no principal parts of experts'],
] as const;

/**
 * What does not go with factors over embedding and head. PiSSA would take its first factors off a matrix that the two may
 * share, and PEFT leaves the embedding out of it.
 */
function outerProblems({ model, adapter, at }: LoraCase): readonly Diagnostic[] {
  return adaptedOuter(adaptedConfig(model, adapter), adapter).flatMap(({ role, path }) => {
    const unfit = OUTER_REASONS.find(({ asked, roles }) => asked(adapter) && roles.includes(role));
    if (unfit !== undefined) return [outerWithout(at(`lora.${unfit.setting}`), path, unfit)];
    return wholeTensor(model, adapter, role) === undefined
      ? []
      : [factorsOverWhole(at('lora.modules_to_save'), path)];
  });
}

interface OuterReason {
  readonly setting: string;
  readonly value: string;
  readonly asked: (adapter: LoraConfig) => boolean;
  readonly roles: readonly WholeRole[];
  readonly why: string;
}

const OUTER_REASONS: readonly OuterReason[] = [
  {
    setting: 'init',
    value: 'kaiming',
    asked: ({ pissa }) => pissa === true,
    roles: ['embedding', 'head'],
    why: 'its first factors would be taken off a matrix that embedding and head may share',
  },
  {
    setting: 'dora',
    value: 'false',
    asked: ({ dora }) => dora === true,
    roles: ['embedding'],
    why: 'every step would need the norms of the whole vocabulary',
  },
];

/** A base that ties embedding and head has two once one of them is changed. */
function tiedNotes({ model, base, adapter, at }: LoraCase): readonly Diagnostic[] {
  const [first] = adapter.labels === undefined && isTied(model) ? adaptedOuter(model, adapter) : [];
  return first === undefined ? [] : [tiedFactors(at('lora.targets'), { base, path: first.path, ...model })];
}

/** What PiSSA does not go with. */
function initProblems({ model, adapter, at }: LoraCase): readonly Diagnostic[] {
  if (adapter.pissa !== true) return [];
  const place = at('lora.init');
  const patterned = adapter.rankPattern !== undefined || adapter.alphaPattern !== undefined;
  const other = adapter.dora ? 'dora' : adapter.rslora && patterned ? 'rslora' : undefined;
  if (other !== undefined) return [initWithout(place, 'pissa', other, INIT_REASONS[other])];
  const { rankPattern, alphaPattern, ...plain } = adapter;
  const narrow = adaptedProjections(model, plain).find(
    ({ inputs, outputs, branch }) => branch.rank > Math.min(inputs, outputs),
  );
  return narrow === undefined
    ? []
    : [rankTooHigh(at('lora.rank'), narrow.path, adapter.rank, Math.min(narrow.inputs, narrow.outputs))];
}

const INIT_REASONS = {
  dora: 'the magnitudes are those of the whole weights',
  rslora:
    'with per-layer ranks, no single alpha preserves every scale once the factors are combined with the initial ones',
} as const;

/** A setting that trains nothing is a mistake. */
function biasProblems({ model, base, adapter, at }: LoraCase): readonly Diagnostic[] {
  if (adapter.bias === undefined || trainedBiases(model, adapter).length > 0) return [];
  return [noBiases(at('lora.bias'), { bias: adapter.bias, base, others: biasesOf(model).length })];
}

function layerProblems({ model, adapter, at }: LoraCase): readonly Diagnostic[] {
  return (adapter.layers ?? []).flatMap((layer, index) =>
    layer < model.layers ? [] : [layerUnknown(at(`lora.layers.${index}`), layer, model.layers)],
  );
}

function targetProblems({ stage, model: base, adapter, at }: LoraCase): readonly Diagnostic[] {
  const model = adaptedConfig(base, adapter);
  if (typeof settingsOf(stage, 'train').lora.targets === 'string') return [];
  const targets = settingsOf(stage, 'train').lora.targets as readonly string[];
  return targets.flatMap((target, index) => {
    if (isSet(target)) return [];
    const place = at(`lora.targets.${index}`);
    const named = namesExperts(target)
      ? expertsNamed(model, target)
      : [...projectionsNamed(model, target), ...outerNamed(model, outerTarget(model, target))];
    if (named.length === 0) return [targetUnknown(place, target, targetNames(model))];
    const isInLayers = (layer: number | undefined): boolean =>
      adapter.layers === undefined || (layer !== undefined && adapter.layers.includes(layer));
    const reached = named.some(
      (one) => one.path === target || isInLayers('layer' in one ? one.layer : undefined),
    );
    return reached ? [] : [targetOutside(place, target, adapter.layers ?? [])];
  });
}

/** What is excluded would have an adapter otherwise, and something is left. */
function excludeProblems({ model, adapter: { exclude = [], ...all }, at }: LoraCase): readonly Diagnostic[] {
  const adapted = [...adaptedProjections(model, all), ...adaptedOuter(adaptedConfig(model, all), all)];
  const idle = exclude.flatMap((name, index) =>
    adapted.some(({ path }) => isNamed(path, name))
      ? []
      : [excludedAnyway(at(`lora.exclude.${index}`), name, targetNames(model))],
  );
  if (idle.length > 0 || exclude.length === 0) return idle;
  return adaptedPaths(model, { ...all, exclude }).length > 0
    ? []
    : [nothingAdapted(at('lora.exclude'), adapted.length)];
}

function patternProblems(
  { model, adapter, at }: LoraCase,
  patterns: Readonly<Record<'rank_pattern' | 'alpha_pattern', Readonly<Record<string, number>> | undefined>>,
): readonly Diagnostic[] {
  if (Object.values(patterns).every((pattern) => pattern === undefined)) return [];
  const adapted = [
    ...adaptedProjections(model, adapter),
    ...adaptedExperts(model, adapter).map(({ path, module }) => ({ path, target: module })),
    ...adaptedOuter(adaptedConfig(model, adapter), adapter),
  ];
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
