import type { Json } from '../../../language/host/json.js';
import { configText } from '../../models/config/shape.js';
import type { RowPrompt } from '../../models/training-prompt.js';
import type { Adapter } from '../../models/types.js';
import { cell, promptSection, wholeFront } from '../model-card.js';
import { type MergeDtype, mergeDtypes } from './dtypes.js';
import type { LogitDifferences } from './merge-diagnostics.js';

interface MergedConfigOptions {
  /** Embedding and head are tensors of their own, which the base may have tied. */
  readonly untied?: boolean;
  /** Fields of the classifier that an adapter makes of the base. */
  readonly classes?: Json;
}

/**
 * The base's `config.json` with the new dtype, under the name that it has there: `torch_dtype`, or `dtype` since
 * transformers 5.
 */
export function mergedConfig(
  config: Json,
  dtype: MergeDtype,
  { untied = false, classes = {} }: MergedConfigOptions = {},
): string {
  const fields = ['torch_dtype', 'dtype'].filter((field) => field in config);
  const named = fields.length > 0 ? fields : ['torch_dtype'];
  const dtypes = Object.fromEntries(named.map((field) => [field, mergeDtypes[dtype].torch]));
  const ties = untied ? { tie_word_embeddings: false } : {};
  return configText({ ...config, ...dtypes, ...ties, ...classes });
}

interface MergedCardInput {
  readonly base: string;
  readonly licence?: string;
  /** What its weights are stored as. */
  readonly weights: string;
  /** They are in one GGUF file. */
  readonly isGguf: boolean;
  readonly adapter?: Pick<Adapter, 'config'>;
  /** Where the adapter is, if no stage trained it. */
  readonly folder?: string;
  /** Of a classifier. */
  readonly labels?: readonly string[];
  /** Set where the adapter was trained over a base in four bits. */
  readonly quantisedTraining: boolean;
  /** How the rows asked that the adapter, or the base, was trained on. */
  readonly prompt?: RowPrompt;
  readonly differences: LogitDifferences;
  readonly probes: number;
  /** Of the merged model on the probes, and of what it was merged from. */
  readonly perplexity?: { readonly merged: number; readonly before: number };
}

/** The model card of a merged folder. The same input gives the same text. */
export function mergedCard(input: MergedCardInput): string {
  const { base, licence, weights, adapter, folder, labels, differences, probes } = input;
  const front = wholeFront({
    base,
    licence,
    classifies: labels !== undefined,
    isTrained: adapter !== undefined,
    ...(input.isGguf && { library: 'gguf' }),
  });
  const rows: readonly (readonly [string, string])[] = [
    ['Base', base],
    ...(folder === undefined ? [] : [['Adapter', cell(folder)] as const]),
    ...(adapter?.config.kind === 'lora'
      ? ([
          ['LoRA', `rank ${adapter.config.rank}, alpha ${adapter.config.alpha}`],
          ['Modules', [...adapter.config.targets].sort().join(', ')],
        ] as const)
      : []),
    ...(labels === undefined ? [] : [['Labels', labels.map(cell).join(', ')] as const]),
    ['Weights', weights],
  ];
  return `${front}
# ${adapter === undefined ? `${base} in ${weights}` : `${base}, fine-tuned`}

| | |
|---|---|
${rows.map(([name, value]) => `| ${name} | ${value} |`).join('\n')}

${proof(differences, probes, adapter !== undefined)}${perplexities(input.perplexity)}${input.quantisedTraining ? `\n${QUANTISED}` : ''}${promptSection(input.prompt)}`;
}

function proof({ logit, effect, scale }: LogitDifferences, probes: number, adapted: boolean): string {
  const what = adapted ? 'base and adapter' : 'the base';
  const more = adapted ? ` The adapter moves a logit by up to ${effect.toPrecision(3)}.` : '';
  return `On ${probes} probe texts the largest difference of a logit to ${what} is ${logit.toPrecision(3)}, for logits up to ${scale.toPrecision(3)}.${more}
`;
}

const perplexities = (found: MergedCardInput['perplexity']): string =>
  found === undefined
    ? ''
    : `Their perplexity is ${found.merged.toPrecision(4)}, before ${found.before.toPrecision(4)}.\n`;

const QUANTISED = `The adapter was trained over the base in four bits (NF4) and merged into the original weights, not into the
four-bit ones: its answers can differ a little from those of the evaluation.
`;
