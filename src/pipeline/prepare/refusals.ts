/** What the engine of a run cannot honour, told at the setting that asks for it, before anything runs. */
import { hasCodedExperts } from '../../compute/models/foreign.js';
import { userProblem } from '../../compute/models/user-problem.js';
import { openAdapter } from '../../compute/packaging/adapters.js';
import type { Analysis } from '../../language/compile.js';
import { type EngineLimit, engineCannot, engineIdle } from '../../language/diagnostics/catalogue/engines.js';
import type { Diagnostic } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import type { AccelerateRun, RunEngine } from '../../language/ir/engines.js';
import type { Program, Stage, Value } from '../../language/ir/program.js';
import { placeOf } from '../../language/lint/places.js';
import { valueAt } from '../../language/schemas/setting-paths.js';
import { settingsOf } from '../../language/schemas/stages/settings.js';
import type { TrainSettings } from '../../language/schemas/stages/train.js';
import type { Span } from '../../language/source/span.js';
import { resolveAdapter } from '../stages/resolve-models.js';
import { isPaged } from '../stages/train/loop-settings.js';
import { modelSettings, type NamedModel, namedModel } from './named-models.js';

interface RefusalInput {
  readonly program: Program;
  readonly analysis: Analysis;
  readonly host: Host;
  readonly engine: RunEngine;
  /** Somebody asks for this engine: what means nothing on it is a mistake then. */
  readonly isAsked: boolean;
}

export function engineRefusals(input: RefusalInput): readonly Diagnostic[] {
  const { program, engine } = input;
  return program.stages.flatMap((stage) =>
    engine.name === 'embedded' ? ofEmbedded(stage, input) : ofAccelerate(stage, engine, input),
  );
}

/** Of a setting, where it is written. */
export function settingSpan({ stages }: Analysis, stage: Stage, path: string): Span {
  const checked = stages.find((one) => one.stage.name === stage.name);
  return checked === undefined ? stage.span : placeOf(checked, path).span;
}

const spanOf = ({ analysis }: RefusalInput, stage: Stage, path: string): Span =>
  settingSpan(analysis, stage, path);

/** `undefined` also for a model that is not to be read: that is told elsewhere. */
function modelOf(value: Value | undefined, input: RefusalInput): NamedModel | undefined {
  try {
    return namedModel(value, input);
  } catch (error) {
    if (userProblem(error) === undefined) throw error;
    return undefined;
  }
}

function ofEmbedded(stage: Stage, input: RefusalInput): readonly Diagnostic[] {
  const models = modelSettings(stage).flatMap((path) => {
    const found = modelOf(valueAt(stage.settings, path), input);
    const foreign = found?.config.foreign;
    if (found === undefined || foreign === undefined) return [];
    return [
      engineCannot(spanOf(input, stage, path), 'embedded', noGraph(path, found.label, foreign.modelType)),
    ];
  });
  const idle = stage.kind === 'train' && input.isAsked ? fallbackAt(stage, 'cpu_offload') : undefined;
  return [
    ...models,
    ...(idle === undefined ? [] : [engineCannot(spanOf(input, stage, idle), 'embedded', NO_OFFLOAD)]),
  ];
}

const noGraph = (path: string, label: string, modelType: string): EngineLimit => ({
  what: `the ${path === 'objective.reference' ? 'reference' : 'base'} \`${label}\``,
  why: `it has no graph for the architecture \`${modelType}\``,
  help: 'compute with the accelerate engine, which takes what transformers knows: `engine = accelerate` in a budget, or `--engine accelerate`',
});

const NO_OFFLOAD: EngineLimit = {
  what: '`cpu_offload`',
  why: 'its base is in the memory of the machine, or is read from its files by `paged_weights`',
  help: 'remove it from `fallback`, or list `paged_weights`',
};

const fallbackAt = (stage: Stage, name: string): string | undefined => {
  const at = settingsOf(stage, 'train').fallback.findIndex(({ call }) => call === name);
  return at < 0 ? undefined : `fallback.${at}`;
};

/** What a train stage may ask for, and the accelerate engine does not do. */
interface TrainRefusal extends EngineLimit {
  readonly path: string;
  applies(settings: TrainSettings, engine: AccelerateRun): boolean;
}

const EMBEDDED_INSTEAD = 'compute with the embedded engine: `engine = embedded`';

const TRAIN: readonly TrainRefusal[] = [
  {
    path: 'adapter',
    applies: ({ adapter }) => adapter !== undefined,
    what: 'bottleneck adapters (`adapter`)',
    why: 'PEFT has none',
    help: `train \`lora\`, \`prompt\` or \`prefix\` instead, or ${EMBEDDED_INSTEAD}`,
  },
  {
    path: 'start',
    applies: ({ start }) => start?.call === 'adapterhub',
    what: 'an adapter of AdapterHub (`start`)',
    why: 'PEFT has no bottleneck adapters',
    help: `continue from an adapter of PEFT, or ${EMBEDDED_INSTEAD}`,
  },
  {
    path: 'optimizer.paged',
    applies: (settings, { device }) => device === 'cpu' && isPaged(settings),
    what: 'a paged optimiser (`paged: true`)',
    why: 'bitsandbytes pages between a GPU and the memory of the machine, and there is no GPU',
    help: `remove \`paged\`, or ${EMBEDDED_INSTEAD}`,
  },
  {
    path: 'optimizer',
    applies: ({ optimizer }, { versions, python }) =>
      optimizer.call === 'adamw8bit' && python !== undefined && versions['bitsandbytes'] === undefined,
    what: '`adamw8bit`',
    why: 'its Python has no `bitsandbytes`',
    help: 'install `bitsandbytes` for this Python, or use another optimiser',
  },
];

function ofAccelerate(stage: Stage, engine: AccelerateRun, input: RefusalInput): readonly Diagnostic[] {
  const unread = modelSettings(stage)
    .filter((path) => hasUnreadExperts(modelOf(valueAt(stage.settings, path), input)))
    .map((path) => engineCannot(spanOf(input, stage, path), 'accelerate', NO_CODED_EXPERTS));
  const trained = stage.kind === 'train' ? ofTraining(stage, engine, input) : [];
  const bottlenecks = hasBottlenecks(stage, input)
    ? [engineCannot(spanOf(input, stage, 'adapter'), 'accelerate', NO_BOTTLENECKS)]
    : [];
  return [...unread, ...trained, ...bottlenecks];
}

/** Whether an evaluation names a folder of AdapterHub. One that cannot be read is told of elsewhere. */
function hasBottlenecks(stage: Stage, { program, host }: RefusalInput): boolean {
  const call = stage.kind === 'eval' ? settingsOf(stage, 'eval').adapter : undefined;
  const named = call && resolveAdapter(call, program);
  if (named === undefined) return false;
  try {
    return openAdapter(host, named.folder).config.kind === 'bottleneck';
  } catch (error) {
    if (userProblem(error) === undefined) throw error;
    return false;
  }
}

function hasUnreadExperts(named: NamedModel | undefined): boolean {
  const { foreign, isInFourBits } = named?.config ?? {};
  if (foreign === undefined || isInFourBits !== true) return false;
  try {
    return hasCodedExperts(foreign);
  } catch (error) {
    if (userProblem(error) === undefined) throw error;
    // files that cannot be read are told of elsewhere
    return false;
  }
}

function ofTraining(stage: Stage, engine: AccelerateRun, input: RefusalInput): readonly Diagnostic[] {
  const settings = settingsOf(stage, 'train');
  const at = (path: string) => spanOf(input, stage, path);
  const found = TRAIN.filter(({ applies }) => applies(settings, engine)).map((limit) =>
    engineCannot(at(limit.path), 'accelerate', limit),
  );
  const paged = fallbackAt(stage, 'paged_weights');
  const base = modelOf(stage.settings['base'], input);
  return [
    ...found,
    ...(paged === undefined
      ? []
      : [(input.isAsked ? engineCannot : engineIdle)(at(paged), 'accelerate', NO_PAGES)]),
    ...modelSettings(stage).flatMap((path) => {
      const named = modelOf(valueAt(stage.settings, path), input);
      const foreign = named?.isMade === true ? named.config.foreign : undefined;
      return foreign === undefined
        ? []
        : [engineCannot(at(path), 'accelerate', untrainedForeign(foreign.modelType))];
    }),
    ...(settings.batch.packing && MIXING.has(base?.config.foreign?.modelType ?? '')
      ? [engineCannot(at('batch.packing'), 'accelerate', NO_PACKING)]
      : []),
    ...fourBitsRefused(stage, engine, input, base?.isMade === false && base.config.isInFourBits === true),
  ];
}

/** `isStored`: the base is in 4 bits already. */
function fourBitsRefused(
  stage: Stage,
  { python, versions }: AccelerateRun,
  input: RefusalInput,
  isStored: boolean,
): readonly Diagnostic[] {
  const at = spanOf(input, stage, 'base');
  if (isStored && stage.preset === 'full') return [engineCannot(at, 'accelerate', NO_FULL)];
  if (python === undefined || versions['bitsandbytes'] !== undefined) return [];
  if (isStored) return [engineCannot(at, 'accelerate', NO_STORED)];
  return stage.preset === 'qlora' ? [engineCannot(stage.span, 'accelerate', NO_NF4)] : [];
}

const NO_BOTTLENECKS: EngineLimit = {
  what: 'an adapter of AdapterHub (`adapter`)',
  why: 'PEFT has no bottleneck adapters',
  help: EMBEDDED_INSTEAD,
};

const NO_PAGES: EngineLimit = {
  what: '`paged_weights`',
  why: 'PyTorch has the whole base in memory',
  help: 'list `cpu_offload` instead, which keeps shards in the memory of the machine, or remove it',
};

/** Architectures whose attention or state crosses the border of packed texts in transformers. */
const MIXING: ReadonlySet<string> = new Set(['gpt_oss', 'qwen3_next']);

const NO_PACKING: EngineLimit = {
  what: '`packing` for this base',
  why: 'transformers mixes the packed texts of this architecture',
  help: 'remove `packing` from `batch`',
};

const NO_NF4: EngineLimit = {
  what: '`using qlora`',
  why: 'its Python has no `bitsandbytes`',
  help: 'install `bitsandbytes` for this Python, or train with `using lora`',
};

const NO_STORED: EngineLimit = {
  what: 'a base in 4 bits',
  why: 'its Python has no `bitsandbytes`',
  help: `install \`bitsandbytes\` for this Python, or ${EMBEDDED_INSTEAD}`,
};

const NO_CODED_EXPERTS: EngineLimit = {
  what: 'a base whose experts are in 4 bits',
  why: 'transformers 5 keeps the experts of a block in one tensor, and reads no codes into it',
  help: 'take the weights as they were before; `using qlora` over them has the other linear layers in 4 bits',
};

const NO_FULL: EngineLimit = {
  what: '`using full` over a base in 4 bits',
  why: 'codes of 4 bits have no gradients',
  help: `train with \`using lora\`, take the weights as they were before, or ${EMBEDDED_INSTEAD}, which trains the values that the codes stand for`,
};

const untrainedForeign = (modelType: string): EngineLimit => ({
  what: 'random weights (`untrained`)',
  why: `ftpc makes them, and does not know how the architecture \`${modelType}\` begins`,
  help: 'save a model of random weights with transformers, and give its folder: `local("folder")`',
});
