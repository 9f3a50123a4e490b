/** Models as the planner sees them: shape and sizes, nothing loaded. Opened once a plan. */
import type { Program, Value } from '../ir/types.js';
import { type ModelFolder, openModel } from '../models/load.js';
import type { ModelConfig } from '../models/types.js';
import { plannedBytes } from '../models/weights/load.js';
import type { FileFormat } from '../models/weights/source.js';
import type { Host } from '../source/host.js';
import type { Chosen } from '../stages/types.js';
import { type RootModel, rootModel } from './models.js';

export interface PlannedModel {
  readonly root: RootModel;
  readonly folder: ModelFolder;
  readonly config: ModelConfig;
  /** How the weights stand in their file when the stage reads them. */
  readonly format: FileFormat;
  readonly parameters: number;
  readonly tokenizerBytes: number;
}

const FORMATS = { f32: 'F32', f16: 'F16', bf16: 'BF16' } as const;

export type ModelLookup = (value: Value | undefined) => PlannedModel | undefined;

/** Throws a `ModelError` where a folder is not a model, or lacks a tensor. */
export function modelLookup(program: Program, host: Host): ModelLookup {
  const folders = new Map<string, ModelFolder>();
  return (value) => {
    const root = rootModel(program, value, host);
    if (root === undefined) return undefined;
    const { folder: path, seed } = root.model;
    const folder = folders.get(path) ?? openModel(host, path);
    folders.set(path, folder);
    if (seed === undefined) folder.checkWeights();
    const { config } = folder;
    return {
      root,
      folder,
      config,
      format: root.weights === 'file' ? folder.weightFormat() : FORMATS[root.weights],
      parameters: plannedBytes(config, 'F32', 'f32') / 4,
      tokenizerBytes: host.stat(`${path}/tokenizer.json`)?.size ?? 0,
    };
  };
}

/** Bytes of the base as each method would hold it. Full training copies every weight and lets go of the base. */
export function weightBytes({ config, format }: PlannedModel): Readonly<Record<Chosen['method'], number>> {
  return {
    lora: plannedBytes(config, format, 'stored'),
    qlora: plannedBytes(config, format, 'nf4'),
    full: 0,
  };
}

export function decodedWeights({ format }: PlannedModel): Readonly<Record<Chosen['method'], boolean>> {
  return { lora: format !== 'F32', qlora: true, full: false };
}
