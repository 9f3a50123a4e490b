/** A model in llama.cpp: sequences whose next tokens are computed together. */
import { llamaRefuses } from '../../../language/diagnostics/catalogue/llama.js';
import { UserError } from '../../../language/diagnostics/types.js';
import type { Host } from '../../../language/host/host.js';
import {
  type Llama,
  loadLlama,
  type NativeContext,
  type NativeModel,
  type SamplerSettings,
} from './addon.js';

interface LlamaOptions {
  /** For people. */
  readonly label: string;
  /** A GGUF file. */
  readonly path: string;
  /** A GGUF file with a LoRA adapter over it. */
  readonly lora?: string;
  /** Tokens of a sequence. */
  readonly contextTokens: number;
  /** Sequences. */
  readonly rows: number;
  readonly threads: number;
}

/** Tokens of one sequence for the next step. */
export interface Feed {
  readonly sequence: number;
  /** Of its first token in the sequence. */
  readonly position: number;
  readonly tokens: Uint32Array;
  /** After which of the tokens logits are wanted, by their index in `tokens`, ascending. */
  readonly logitsAt: readonly number[];
}

/** Logits after a token of the step that was computed last. */
export type LogitsHandle = number & { readonly __logits: never };

/** Tokens with their probabilities, which sum to 1; the likeliest first. */
interface Likeliest {
  readonly ids: Int32Array;
  readonly probabilities: Float32Array;
}

/** What llama.cpp does to logits before it looks for the likeliest. */
export type LogitChanges = Omit<SamplerSettings, 'temperature' | 'topK' | 'seed'>;

export interface LlamaModel {
  readonly rows: number;
  /** Tokens of a sequence. */
  readonly contextTokens: number;
  /** Tokens of one step at most. */
  readonly stepTokens: number;
  /** Bytes of weights, keys, values and the workspace. */
  readonly memory: number;
  /** What it computes with. */
  readonly device: string;
  /** One step over all feeds; handles in their order. They are valid until the next step. */
  step(feeds: readonly Feed[]): Promise<readonly (readonly LogitsHandle[])[]>;
  /** The likeliest token after a bias, -1 where a logit is not a number. */
  greedy(logits: LogitsHandle, changes?: LogitChanges): Promise<number>;
  /** The likeliest token and its probability among all. */
  top(logits: LogitsHandle): Promise<{ readonly id: number; readonly probability: number }>;
  /** The `count` likeliest tokens after a bias and a penalty; those that are equal to the last may be missing. */
  likeliest(logits: LogitsHandle, count: number, changes?: LogitChanges): Promise<Likeliest>;
  /** Keeps the first `length` tokens of a sequence; whether that could be done: if not, none are kept. */
  cut(sequence: number, length: number): boolean;
  /** Ids as the file's own tokenizer has them, special tokens in the text among them. */
  tokenize(text: string): readonly number[];
  close(): Promise<void>;
}

/** Tokens of a step: what its workspace is planned for. Processors gain nothing from more. */
const STEP_TOKENS = { cpu: 256, cuda: 512, vulkan: 512, metal: 512 } as const;
/** GGML's numbers of types. */
const F32 = 0;
const F16 = 1;
/** All layers. */
const ALL = 999;

/** Opens a GGUF file. Throws a `UserError` if llama.cpp is not there, or does not take it. */
export async function openLlama(host: Host, options: LlamaOptions): Promise<LlamaModel> {
  const { label, path, lora } = options;
  const llama = await loadLlama(host);
  const { addon, device } = llama;
  llama.said();
  const refused = (what: string): UserError => new UserError(llamaRefuses(label, what, llama.said()));
  const gpuLayers = device === 'cpu' ? 0 : ALL;
  const model = new addon.AddonModel(path, { addonExports: addon, gpuLayers, useMmap: true });
  if (!(await model.init().catch(() => false))) throw refused('the weights');
  try {
    const adapter = lora === undefined ? undefined : new addon.AddonModelLora(model, lora);
    if (adapter !== undefined)
      await model.loadLora(adapter).catch(() => {
        throw refused('the adapter');
      });
    const context = openContext(llama, model, options);
    if (!(await context.init().catch(() => false))) throw refused('a context');
    if (adapter !== undefined) context.setLoras([adapter], [1]);
    return llamaModel(llama, model, context, options);
  } catch (error) {
    await model.dispose();
    throw error;
  }
}

function openContext({ addon, device }: Llama, model: NativeModel, options: LlamaOptions): NativeContext {
  // keys and values are rounded no more than the weights are
  const type = model.getModelDescription().endsWith('F32') ? F32 : F16;
  return new addon.AddonContext(model, {
    contextSize: options.contextTokens * options.rows,
    batchSize: Math.max(STEP_TOKENS[device], options.rows),
    sequences: options.rows,
    threads: options.threads,
    flashAttention: device !== 'cpu',
    swaFullCache: true,
    kvCacheKeyType: type,
    kvCacheValueType: type,
  });
}

/** Where a processor computes with AMX, llama.cpp holds quantised matrices a second time, as its kernels read them, next to their file's pages. */
const laidOutAgain = ({ addon, device }: Llama, model: NativeModel): number =>
  device === 'cpu' &&
  addon.systemInfo().includes('AMX_INT8 = 1') &&
  /\bI?Q\d/.test(model.getModelDescription())
    ? model.getTotalSize()
    : 0;

function llamaModel(
  llama: Llama,
  model: NativeModel,
  context: NativeContext,
  { rows, contextTokens }: LlamaOptions,
): LlamaModel {
  const { addon, device } = llama;
  const [first, greedy] = [new addon.AddonSampler(model), new addon.AddonSampler(model)];
  const { cpuRam, gpuVram } = context.getMemoryBreakdown();
  return {
    rows,
    contextTokens,
    stepTokens: Math.max(STEP_TOKENS[device], rows),
    memory: model.getTotalSize() + laidOutAgain(llama, model) + cpuRam + gpuVram,
    device,
    async step(feeds) {
      context.initBatch(feeds.reduce((sum, { tokens }) => sum + tokens.length, 0));
      const handles = feeds.map(({ sequence, position, tokens, logitsAt }) =>
        context.addToBatch(sequence, position, tokens, Uint32Array.from(logitsAt)),
      );
      await context.decodeBatch();
      return handles.map((found) => Array.from(found, (handle) => handle as LogitsHandle));
    },
    greedy(logits, changes = {}) {
      greedy.applyConfig({ ...changes, temperature: 0 });
      return context.sampleToken(logits, greedy);
    },
    async top(logits) {
      greedy.applyConfig({ temperature: 0 });
      const [id, , probability = Number.NaN] = await context.sampleToken(logits, greedy, false, true);
      return { id, probability };
    },
    async likeliest(logits, count, changes = {}) {
      // its own draw is not asked for
      first.applyConfig({ ...changes, temperature: 1, topK: count, seed: 0 });
      const [, pairs = []] = await context.sampleToken(logits, first, true, false);
      const length = pairs.length / 2;
      return {
        ids: Int32Array.from({ length }, (_, at) => pairs[2 * at] as number),
        probabilities: Float32Array.from({ length }, (_, at) => pairs[2 * at + 1] as number),
      };
    },
    cut(sequence, length) {
      if (length > 0 && context.removeTokenCellsFromSequence(sequence, length, -1)) return true;
      context.disposeSequence(sequence);
      return false;
    },
    tokenize: (text) => Array.from(model.tokenize(text, true)),
    async close() {
      for (const sampler of [first, greedy]) sampler.dispose();
      await context.dispose();
      await model.dispose();
    },
  };
}
