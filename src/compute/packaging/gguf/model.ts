/** A model as one GGUF file: what it computes, its tokenizer, its chat template, and where it comes from. */
import type { Host } from '../../../language/host/host.js';
import type { Span } from '../../../language/source/span.js';
import { blueprintOf } from '../../models/architectures/index.js';
import { ggufAt } from '../../models/config-at.js';
import { headerModel } from '../../models/gguf/config.js';
import { type GgufHeader, type GgufTensor, readGgufHeader } from '../../models/gguf/header.js';
import { nameForSpaces } from '../../models/gguf/named-spaces.js';
import { type GgufField, type GgufFile, ggufFile, type WritableGgufTensor } from '../../models/gguf/write.js';
import type { ModelFiles } from '../../models/load.js';
import { openModelAt } from '../../models/open.js';
import type { ModelConfig, WeightStore } from '../../models/types.js';
import { noGguf } from './gguf-diagnostics.js';
import {
  ggufFamily,
  type Hyperparameters,
  hyperparameters,
  text,
  u32,
  type WrittenFamily,
} from './hyperparameters.js';
import { notComputed } from './llama-limits.js';
import { type GgufTensorsOptions, ggufTensors, type RowSource, sharedRoom } from './tensors.js';
import { GGUF_TYPES, type GgufType } from './types.js';
import { copiedVocabulary, folderVocabulary, type WrittenVocabulary } from './vocabulary.js';

/** Where a model comes from, for people. */
interface GgufOrigin {
  readonly name: string;
  /** The model that it was made from. */
  readonly base?: string;
  readonly description?: string;
  readonly licence?: string;
}

interface GgufModelOptions {
  readonly type: GgufType;
  readonly config: ModelConfig;
  /** Tokenizer and special tokens. */
  readonly files: ModelFiles;
  readonly template?: string;
  readonly origin: GgufOrigin;
  readonly source: GgufTensorsOptions['source'];
  readonly onTensor?: () => void;
  /** What an error points at. */
  readonly at?: Span;
}

/** Throws a `UserError` for a model that llama.cpp does not compute. */
export function writtenGguf(host: Host, options: GgufModelOptions): GgufFile {
  const { config, origin, type, at } = options;
  const what = `\`${origin.base ?? origin.name}\``;
  const family = writtenFamily(config, what, at);
  const written = hyperparameters(config, family);
  const tensors = [
    ...written.vectors.map(vectorTensor),
    ...ggufTensors({ ...options, rotatesPairs: family.rotatesPairs ?? false }),
  ];
  const vocabulary = vocabularyOf(host, options);
  const name = nameForSpaces(origin.name, vocabulary.spacesTaken);
  const fields = new Map<string, GgufField>([
    ['general.architecture', text(family.name)],
    ['general.type', text('model')],
    ...Object.entries(originFields({ ...origin, name })),
    ...Object.entries(written.fields),
    ...Object.entries(vocabulary.fields),
    ...(options.template === undefined ? [] : [['tokenizer.chat_template', text(options.template)] as const]),
    ['general.quantization_version', u32(2)],
    ['general.file_type', u32(GGUF_TYPES[type].fileType)],
  ]);
  const difference = otherModel(config, readAgain(fields, tensors, written));
  if (difference !== undefined)
    throw noGguf(what, `llama.cpp would compute something else (${difference})`, at);
  return ggufFile(fields, tensors);
}

/** How llama.cpp knows a model. Throws a `UserError` for one that it does not know. */
export function writtenFamily(config: ModelConfig, what: string, at?: Span): WrittenFamily {
  const family = ggufFamily(config);
  if (config.foreign !== undefined || family === undefined)
    throw noGguf(what, 'its architecture is not one that this program computes', at);
  if (config.labels !== undefined)
    throw noGguf(what, 'it is a classifier, whose head over labels llama.cpp does not read', at);
  const lack = notComputed(config);
  if (lack !== undefined) throw noGguf(what, lack, at);
  return family;
}

const vectorTensor = ({ name, values }: Hyperparameters['vectors'][number]): WritableGgufTensor => ({
  name,
  type: 'F32',
  shape: [values.length],
  chunks: () => [new Uint8Array(values.buffer, values.byteOffset, values.byteLength)],
});

const HUB_NAME = /^[\w.-]+\/[\w.-]+$/;

function originFields({ name, base, description, licence }: GgufOrigin): Readonly<Record<string, GgufField>> {
  return {
    'general.name': text(name),
    ...(description === undefined ? {} : { 'general.description': text(description) }),
    ...(licence === undefined ? {} : { 'general.license': text(licence) }),
    ...(base === undefined
      ? {}
      : {
          'general.base_model.count': u32(1),
          'general.base_model.0.name': text(base.split('/').at(-1) ?? base),
          ...(HUB_NAME.test(base)
            ? {
                'general.base_model.0.organization': text(base.split('/')[0] ?? ''),
                'general.base_model.0.repo_url': text(`https://huggingface.co/${base}`),
              }
            : {}),
        }),
  };
}

function vocabularyOf(
  host: Host,
  { files, config, at }: Pick<GgufModelOptions, 'files' | 'config' | 'at'>,
): WrittenVocabulary {
  const gguf = ggufAt(host, files.path);
  return gguf === undefined
    ? folderVocabulary(files, config, at)
    : copiedVocabulary(readGgufHeader(host, gguf));
}

/** The config that a reader of the file would find. */
function readAgain(
  fields: ReadonlyMap<string, GgufField>,
  tensors: readonly WritableGgufTensor[],
  { vectors }: Hyperparameters,
): ModelConfig {
  const header: GgufHeader = {
    path: 'the GGUF file',
    values: new Map([...fields].map(([key, { value }]) => [key, value])),
    tensors: new Map(
      tensors.map(({ name, type, shape }): [string, GgufTensor] => [
        name,
        { name, type, shape, start: 0, bytes: 0 },
      ]),
    ),
  };
  return headerModel(header, (name) => vectors.find((vector) => vector.name === name)?.values).config;
}

/** The first part of a model that a file says otherwise; `undefined` if it says the same. */
const otherModel = (wanted: ModelConfig, found: ModelConfig): string | undefined =>
  difference(blueprintOf(wanted), blueprintOf(found), '');

function difference(wanted: unknown, found: unknown, path: string): string | undefined {
  if (typeof wanted === 'number' && typeof found === 'number')
    // a file has float32
    return Math.abs(wanted - found) <= 1e-6 * Math.abs(wanted)
      ? undefined
      : `${path} would be ${found} instead of ${wanted}`;
  if (typeof wanted !== 'object' || wanted === null || typeof found !== 'object' || found === null)
    return wanted === found ? undefined : `${path} would be ${String(found)} instead of ${String(wanted)}`;
  const [a, b] = [Object.entries(wanted), new Map(Object.entries(found))];
  for (const key of b.keys())
    if (!(key in wanted) && b.get(key) !== undefined) return `${path}.${key} would be there`;
  for (const [key, value] of a) {
    const inner = difference(value, b.get(key), path === '' ? key : `${path}.${key}`);
    if (inner !== undefined) return inner;
  }
  return undefined;
}

/** A tensor of a store, in pieces. */
export const storedRows = (weights: WeightStore, name: string, room = sharedRoom()): RowSource => {
  const { shape, dequantiseRows } = weights.get(name);
  const width = shape.slice(1).reduce((product, size) => product * size, 1);
  return {
    shape,
    rows(first, count) {
      const values = room(count * width);
      dequantiseRows(first, count, values);
      return values;
    },
  };
};

/**
 * A Hugging Face folder, or another GGUF file, as a GGUF file of a type. Weights are read from their files when they are
 * written. Throws a `ModelError` or a `UserError`.
 */
export function modelGguf(
  host: Host,
  path: string,
  { type, name = path }: { readonly type: GgufType; readonly name?: string },
): GgufFile {
  const model = openModelAt(host, path);
  const weights = model.loadWeights('paged');
  const room = sharedRoom();
  const template = model.template()?.source;
  const licence = model.licence();
  return writtenGguf(host, {
    type,
    config: model.config,
    files: model,
    ...(template !== undefined && { template }),
    origin: { name, ...(licence !== undefined && { licence }) },
    source: (tensor) => storedRows(weights, tensor, room),
  });
}
