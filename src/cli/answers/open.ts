import { isAbsolute, join, resolve } from 'node:path';
import { createDecoder, type Decoder } from '../../models/decoder/index.js';
import { openModel } from '../../models/load.js';
import { type ChatMessage, ModelError, type Tokenizer } from '../../models/types.js';
import { checkAdapter, readAdapter } from '../../packaging/peft/read.js';
import type { Host } from '../../source/host.js';
import { onnxRuntime } from '../../tensor/runtimes/onnx/index.js';
import { answeringFolder } from './release.js';

export interface AnsweringModel {
  readonly decoder: Decoder;
  readonly tokenizer: Tokenizer;
  /** Ids that end an answer. */
  readonly stopIds: readonly number[];
  /** The text that the model goes on from. Throws a `ModelError` where the model has no chat template. */
  prompt(messages: readonly ChatMessage[]): string;
  release(): Promise<void>;
}

export interface OpenOptions {
  /** Folder of the base, where `folder` holds an adapter and does not say, or says wrongly. */
  readonly base?: string;
  /** Holds the projections in four bits: what an adapter that was trained so expects. */
  readonly quantised: boolean;
  readonly threads: number;
}

/** Tokens whose logits exist at one time: answering needs those of the last one. */
const HEAD_CHUNK = 64;

/** Opens a model folder, an adapter folder with its base, or a release. Throws a `ModelError`. */
export async function openForAnswers(host: Host, name: string, given: OpenOptions): Promise<AnsweringModel> {
  const { folder: path, ...found } = answeringFolder(host, name, given);
  const options = { ...given, ...found };
  const adapter =
    host.stat(join(path, 'adapter_config.json')) === undefined ? undefined : readAdapter(host, path);
  const base =
    adapter === undefined ? path : baseFolder(host, path, options.base ?? adapter.base.name ?? undefined);
  const model = openModel(host, base);
  if (adapter !== undefined) checkAdapter(adapter, model.config, adapter.path);
  const tokenizer = await model.tokenizer();
  const decoder = await createDecoder({
    runtime: await onnxRuntime({ threads: options.threads }),
    config: model.config,
    weights: model.loadWeights(options.quantised ? 'nf4' : 'stored'),
    ...(adapter === undefined ? {} : { adapter }),
    trainable: 'none',
    checkpointedBlocks: 0,
    headChunk: HEAD_CHUNK,
  });
  const template = model.template();
  return {
    decoder,
    tokenizer,
    stopIds: model.config.eosTokenIds,
    prompt: (messages) => {
      if (template === undefined)
        throw new ModelError(
          'model_template',
          base,
          'The model has no chat template.',
          'Give the whole prompt yourself, with `--raw`.',
        );
      return template.render(messages, { addGenerationPrompt: true });
    },
    release: () => decoder.release(),
  };
}

/** The base that an adapter names: the starter, or a folder relative to the working directory. */
function baseFolder(host: Host, adapter: string, name: string | undefined): string {
  const known = name === 'starter' ? join(host.packageFolder, 'stdlib', 'models', 'starter') : undefined;
  const folder = known ?? (name === undefined || isAbsolute(name) ? name : resolve(host.cwd, name));
  if (folder !== undefined && host.stat(join(folder, 'config.json')) !== undefined) return folder;
  throw new ModelError(
    'model_not_found',
    adapter,
    name === undefined
      ? 'The adapter does not name its base.'
      : `The adapter's base \`${name}\` is not a model folder here.`,
    'Name the folder of the base with `--base FOLDER`.',
  );
}
