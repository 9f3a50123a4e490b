/** The part of node-llama-cpp's native library that is used here; its own types are `AddonTypes.d.ts` in that package. */
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { llamaDamaged } from '../../../language/diagnostics/catalogue/llama.js';
import { UserError } from '../../../language/diagnostics/types.js';
import type { Host } from '../../../language/host/host.js';
import { type LlamaManifest, llamaAddon } from './installed.js';

/** What is done to logits, in this order: bias, repetition penalty, top-k, and with a temperature a draw, else the likeliest. */
export interface SamplerSettings {
  readonly temperature?: number;
  readonly topK?: number;
  readonly seed?: number;
  readonly repeatPenalty?: number;
  readonly repeatPenaltyMaxTokens?: number;
  readonly repeatPenaltyTokens?: Uint32Array;
  readonly tokenBiasKeys?: Uint32Array;
  readonly tokenBiasValues?: Float32Array;
}

interface NativeSampler {
  applyConfig(settings: SamplerSettings): void;
  dispose(): void;
}

export interface NativeModel {
  /** Whether it was loaded. */
  init(): Promise<boolean>;
  loadLora(lora: NativeLora): Promise<void>;
  dispose(): Promise<void>;
  tokenize(text: string, specialTokens: boolean): Uint32Array;
  getTrainContextSize(): number;
  getTotalSize(): number;
  /** As `llama 256M Q4_1`. */
  getModelDescription(): string;
}

interface NativeLora {
  dispose(): Promise<void>;
}

/** A token, the tokens that are left with their probabilities in pairs (the likeliest first), and the token's probability. */
type Sampled = readonly [
  token: number,
  pairs: readonly number[] | undefined,
  probability: number | undefined,
];

export interface NativeContext {
  init(): Promise<boolean>;
  dispose(): Promise<void>;
  getContextSize(): number;
  getMemoryBreakdown(): { readonly cpuRam: number; readonly gpuVram: number };
  initBatch(tokens: number): void;
  /** Handles of the logits after the tokens with these indexes. */
  addToBatch(sequence: number, position: number, tokens: Uint32Array, logitsAt: Uint32Array): Uint32Array;
  decodeBatch(): Promise<void>;
  sampleToken(logits: number, sampler: NativeSampler): Promise<number>;
  sampleToken(
    logits: number,
    sampler: NativeSampler,
    probabilities: boolean,
    probability: boolean,
  ): Promise<Sampled>;
  disposeSequence(sequence: number): void;
  /** Whether keys and values from `start` to `end` could be removed; -1: all that follow. */
  removeTokenCellsFromSequence(sequence: number, start: number, end: number): boolean;
  setLoras(loras: readonly NativeLora[], scales: readonly number[]): void;
}

interface LlamaAddon {
  readonly AddonModel: new (
    path: string,
    options: {
      readonly addonExports: LlamaAddon;
      readonly gpuLayers: number;
      readonly useMmap: boolean;
    },
  ) => NativeModel;
  readonly AddonModelLora: new (model: NativeModel, path: string) => NativeLora;
  readonly AddonContext: new (
    model: NativeModel,
    options: {
      /** Tokens of all sequences together. */
      readonly contextSize: number;
      readonly batchSize: number;
      readonly sequences: number;
      readonly threads: number;
      readonly flashAttention: boolean;
      /** Keys and values of layers with a window are kept whole, so that a sequence may be cut anywhere. */
      readonly swaFullCache: boolean;
      /** Numbers of GGML's types. */
      readonly kvCacheKeyType: number;
      readonly kvCacheValueType: number;
    },
  ) => NativeContext;
  readonly AddonSampler: new (model: NativeModel) => NativeSampler;
  setLogger(logger: (level: number, text: string) => void): void;
  setLoggerLogLevel(level: number): void;
  loadBackends(folder?: string): void;
  getGpuType(): string | false | undefined;
  /** Instructions that its kernels use, as `AVX2 = 1 | AMX_INT8 = 1`. */
  systemInfo(): string;
  init(): Promise<void>;
}

/** The library, and what it writes about errors. */
export interface Llama {
  readonly addon: LlamaAddon;
  readonly device: LlamaManifest['device'];
  /** The lines of errors since it was last asked. */
  said(): readonly string[];
}

/** Of llama.cpp's levels, the least that matters: 2 are errors. */
const ERRORS = 2;
/** Lines that are kept. */
const LINES = 8;

const loaded = new Map<string, Promise<Llama>>();

/** Loads the library, once per process. Throws a `UserError` if it is not installed, damaged, or does not load. */
export function loadLlama(host: Host): Promise<Llama> {
  const { path, device } = llamaAddon(host);
  const known = loaded.get(path) ?? load(path, device);
  loaded.set(path, known);
  return known;
}

async function load(path: string, device: LlamaManifest['device']): Promise<Llama> {
  const addon = required(path);
  let lines: string[] = [];
  let line = '';
  addon.setLogger((level, text) => {
    if (level > ERRORS) return;
    const parts = `${line}${text}`.split('\n');
    line = parts.pop() ?? '';
    lines = [...lines, ...parts.filter((part) => part.trim() !== '')].slice(-LINES);
  });
  addon.setLoggerLogLevel(ERRORS);
  addon.loadBackends();
  addon.loadBackends(dirname(path));
  await addon.init();
  return {
    addon,
    device,
    said() {
      const all = line === '' ? lines : [...lines, line];
      lines = [];
      line = '';
      return all;
    },
  };
}

function required(path: string): LlamaAddon {
  try {
    return createRequire(path)(path);
  } catch (error) {
    throw new UserError(llamaDamaged(error instanceof Error ? error.message : String(error)));
  }
}
