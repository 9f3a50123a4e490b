/** Models as the planner sees them: shape and sizes, nothing loaded. Opened once a plan. */

import type { AdapterConfig } from '../../compute/models/adapters/config.js';
import { unreadHead } from '../../compute/models/adapters/whole.js';
import {
  blueprintOf,
  type ExpectedTensor,
  expectedTensors,
} from '../../compute/models/architectures/index.js';
import { ggufAt } from '../../compute/models/config-at.js';
import type { Dequantised } from '../../compute/models/decoder/types.js';
import type { ModelFolder } from '../../compute/models/load.js';
import {
  NO_TOKENIZER,
  type TokenizerMemory,
  tokenizerMemory,
} from '../../compute/models/tokenizer/memory.js';
import type { ModelConfig } from '../../compute/models/types.js';
import { type FormatOf, pagedBytes, plannedBytes, type Storage } from '../../compute/models/weights/load.js';
import { ggufFormats } from '../../compute/packaging/gguf/tensor-formats.js';
import { mergeDtypes, type StoredAs, storedAs } from '../../compute/packaging/merge/dtypes.js';
import type { Host } from '../../language/host/host.js';
import type { Program, Stage, Value } from '../../language/ir/program.js';
import { isCall, isReference } from '../../language/ir/values.js';
import type { MergeSettings } from '../../language/schemas/stages/merge.js';
import { settingsOf } from '../../language/schemas/stages/settings.js';
import { modelIdentity, openResolved } from '../stages/open-models.js';
import { type ResolvedModel, resolveAdapter, resolveModelCall } from '../stages/resolve-models.js';
import type { TrainPlan } from '../stages/train-plan/plan.js';
import { TOKEN_IN_FILE } from './memory/calibration.js';

export interface PlannedModel {
  readonly root: RootModel;
  readonly folder: ModelFolder;
  readonly config: ModelConfig;
  /** How the weights are in their file when the stage reads them. */
  readonly format: FormatOf;
  readonly parameters: number;
  /** Bytes of its file, or in another. */
  readonly tokenizerBytes: number;
  readonly tokenizer: TokenizerMemory;
  /** An adapter of a folder over it. */
  readonly over?: AdapterConfig;
}

/** How the tensors of a model are stored that a stage writes: a folder has one format throughout. */
export function formatWritten(stored: StoredAs, config: ModelConfig): FormatOf {
  if (stored.format === 'gguf') return ggufFormats(stored.dtype, config);
  const format = mergeDtypes[stored.dtype].safetensors;
  return () => format;
}

const formatsOf = ({ weights }: RootModel, folder: ModelFolder): FormatOf =>
  weights === 'file' ? folder.weightFormat : formatWritten(weights, folder.config);

/** Of the weights that the stage reads: those that a stage wrote are in no 4 bits, whatever they were made from. */
function configOf({ weights }: RootModel, { config }: ModelFolder): ModelConfig {
  if (weights === 'file' || config.isInFourBits === undefined) return config;
  const { isInFourBits: _, ...written } = config;
  return written;
}

/** Whether linear layers are in 4 bits on ranks, by the method that trains them, or trained what is over them. */
export const isInFourBits = (config: ModelConfig, method: TrainPlan['method'] | undefined): boolean =>
  method === 'qlora' || (config.isInFourBits === true && method !== 'full');

export interface Models {
  /** The model under a setting. Throws a `ModelError` if it is not a model, or lacks a tensor. */
  of(value: Value | undefined): PlannedModel | undefined;
  /** What the tokenizer of a format stage takes. */
  formatTokenizer(value: Value | undefined): TokenizerMemory;
}

export function openModels(program: Program, host: Host): Models {
  const folders = new Map<string, ModelFolder>();
  const rootOf = (value: Value | undefined): RootModel | undefined => rootModel(program, value, host);
  const folderOf = ({ model }: RootModel): ModelFolder => {
    const name = modelIdentity(model);
    const folder = folders.get(name) ?? openResolved(host, model);
    folders.set(name, folder);
    return folder;
  };
  const fileBytes = ({ model }: RootModel): number => host.stat(`${model.folder}/tokenizer.json`)?.size ?? 0;
  const tokenizerOf = (root: RootModel): TokenizerMemory => {
    const { vocabulary, config } = folderOf(root);
    return tokenizerMemory(vocabulary ?? { tokens: config.vocabSize, bytes: fileBytes(root) });
  };
  const tokenizerBytes = (root: RootModel): number => {
    const inFile =
      root.weights === 'file'
        ? ggufAt(host, root.model.folder) !== undefined
        : root.weights.format === 'gguf';
    return inFile ? TOKEN_IN_FILE * folderOf(root).config.vocabSize : fileBytes(root);
  };
  return {
    formatTokenizer(value) {
      const root = rootOf(value);
      return root === undefined ? NO_TOKENIZER : tokenizerOf(root);
    },
    of(value) {
      const root = rootOf(value);
      if (root === undefined) return undefined;
      const folder = folderOf(root);
      folder.checkWeights();
      const config = configOf(root, folder);
      return {
        root,
        folder,
        config,
        format: formatsOf(root, folder),
        parameters: plannedBytes(config, () => 'F32', 'f32') / 4,
        tokenizerBytes: tokenizerBytes(root),
        tokenizer: tokenizerOf(root),
      };
    },
  };
}

/** The form that a base has in memory: what its method asks for, materialised as float32, or none. */
export type BaseForm = TrainPlan['method'] | 'paged' | 'materialised';

export function baseForm({
  method,
  pagedWeights,
  materialised,
}: Pick<TrainPlan, 'method' | 'pagedWeights' | 'materialised'>): BaseForm {
  if (pagedWeights) return 'paged';
  return materialised && method !== 'full' ? 'materialised' : method;
}

/** A model, and the adapter over it: with labels there, its head over the vocabulary is not in memory. */
export type AdaptedModel = Pick<PlannedModel, 'config' | 'format'> & { readonly adapter?: AdapterConfig };

const residentTensors = ({ config, adapter }: AdaptedModel): readonly ExpectedTensor[] => {
  const unread = unreadHead(config, adapter);
  return expectedTensors(config).filter(({ name }) => name !== unread);
};

/**
 * Bytes of the base as each method would hold it. Full training copies every weight; the memory that it released is not
 * yet collected.
 */
export function weightBytes({ config, format, adapter }: AdaptedModel): Readonly<Record<BaseForm, number>> {
  const unread = unreadHead(config, adapter);
  const bytes = (storage: Storage): number => plannedBytes(config, format, storage, unread);
  const stored = bytes('stored');
  return {
    lora: stored,
    qlora: bytes('nf4'),
    full: stored,
    head: stored,
    paged: bytes('paged') + pagedBytes(config, format, unread),
    materialised: bytes('f32'),
  };
}

/** Bytes of a value while a graph dequantises it: float32, and of codes the indices of the table that they are looked up in. */
const HALVES = { inGraph: 4 } as const;
const CODES = { inGraph: 5, coded: true } as const;

/** What is decoded for the pass that reads it, by method. */
export function decodedWeights(model: AdaptedModel): Readonly<Record<BaseForm, Dequantised>> {
  const { head: outer, blocksAt } = blueprintOf(model.config);
  const resident = residentTensors(model);
  const isStored = ({ name }: ExpectedTensor): boolean => model.format(name) !== 'F32';
  const blocks = resident.some((one) => one.name.startsWith(`${blocksAt}.`) && isStored(one));
  const head = resident.some((one) => one.name === outer.output.name && isStored(one));
  const stored = {
    blocks,
    head,
    ...(resident.every(({ name }) => ON_GPU.has(model.format(name))) && HALVES),
  };
  return {
    ...{ lora: stored, head: stored, qlora: { blocks: true, head, ...CODES } },
    ...{ paged: { blocks: true, head: true }, full: {}, materialised: {} },
  };
}

/** Formats that a GPU holds as they are; blocks of GGUF are decoded by the process, in each pass. */
const ON_GPU: ReadonlySet<string> = new Set(['F32', 'F16', 'BF16']);

/** Whether the process keeps the base, or a copy of it, where tensors lie on a GPU. */
export function keptByProcess(model: AdaptedModel): Readonly<Record<BaseForm, boolean>> {
  const blocks = residentTensors(model).some(({ name }) => !ON_GPU.has(model.format(name)));
  return { lora: blocks, qlora: false, full: true, head: blocks, paged: true, materialised: false };
}

/** How a stage holds weights that an earlier stage wrote; `file` if they are still those of the folder. */
type WeightOrigin = 'file' | StoredAs;

const FLOAT32: StoredAs = { format: 'safetensors', dtype: 'f32' };

export interface RootModel {
  readonly model: ResolvedModel;
  /** What the weights are stored as when the stage reads them. */
  readonly weights: WeightOrigin;
  /** Train stage whose adapter lies over the base, if any. */
  readonly adapterOf?: string;
  /** Train stage that the weights come from, by full training or a merge. */
  readonly trainedBy?: string;
  /** Folder of an adapter that was merged into them. */
  readonly merged?: string;
}

export const stageNamed = (program: Program, name: string): Stage | undefined =>
  program.stages.find((stage) => stage.name === name);

function mergedFrom(
  adapter: MergeSettings['adapter'],
  program: Program,
): Pick<RootModel, 'trainedBy' | 'merged'> {
  if (adapter === undefined) return {};
  return 'stage' in adapter
    ? { trainedBy: adapter.stage }
    : { merged: resolveAdapter(adapter, program)?.folder };
}

/**
 * Which model is at the root of what a stage trains, evaluates, merges or takes its tokenizer from; `undefined` for a
 * value that names none.
 */
export function rootModel(program: Program, value: Value | undefined, host: Host): RootModel | undefined {
  if (isCall(value)) {
    const model = resolveModelCall(value, { folder: program.folder, host });
    return model === undefined ? undefined : { model, weights: model.seed === undefined ? 'file' : FLOAT32 };
  }
  if (!isReference(value)) return undefined;
  const stage = stageNamed(program, value.stage);
  if (stage?.kind === 'train') {
    const base = rootModel(program, settingsOf(stage, 'train').base, host);
    if (base === undefined) return undefined;
    return stage.preset === 'full'
      ? { ...base, weights: FLOAT32, trainedBy: stage.name }
      : { ...base, adapterOf: stage.name };
  }
  if (stage?.kind === 'merge') {
    const settings = settingsOf(stage, 'merge');
    const base = rootModel(program, settings.base, host);
    if (base === undefined) return undefined;
    const { adapter, dtype, file_format } = settings;
    return {
      ...base,
      weights: storedAs(dtype, file_format),
      ...mergedFrom(adapter, program),
    };
  }
  return undefined;
}
