/** What is trained of a model, by the method of a run. */

import type { TorchShape } from '../../../src/compute/accelerate/memory/shape.js';
import type {
  AdapterTarget,
  AdapterTraining,
  Dtype,
  Trained,
} from '../../../src/compute/accelerate/memory/training.js';
import type { AdapterRun } from './adapter-run.js';

interface MethodInput {
  readonly run: AdapterRun;
  readonly shape: TorchShape;
  /** Of trained numbers. */
  readonly dtype: Dtype;
  /** Of the base's weights. */
  readonly base: Dtype;
  /** Bytes per token and block that the trainer's own code keeps of an adapter. */
  readonly extra: number;
}

type Method = (input: MethodInput) => Trained;

/** Tokens of LLaMA-Adapter's prompt (arXiv 2303.16199), and the first block that has one, in LitGPT. */
const PROMPT = { tokens: 10, from: 2 } as const;

export const METHODS = {
  full: ({ dtype }) => ({ kind: 'full', dtype }),
  lora: ({ run, shape, dtype, base, extra }) => {
    const { targets = [], rank = 8, dropout = 0, isEmbeddingTrained } = run;
    const layers = shape.linears.filter(
      ({ name }) => targets.includes(name) || (name === 'qkv' && targets.some(isQkv)),
    );
    const numbers = layers.reduce((sum, { inputs, outputs }) => sum + rank * (inputs + outputs), 0);
    const ofHead = targets.includes('head') ? rank * (shape.hidden + shape.vocabulary) : 0;
    const whole = isEmbeddingTrained ? shape.embedding + shape.head : 0;
    return {
      kind: 'adapter',
      dtype,
      parameters: shape.layers * numbers + ofHead + whole,
      copies: { parameters: whole, dtype: base },
      targets: layers.map(({ reads, inputs }): AdapterTarget => ({ reads, inputs, rank })),
      dropout,
      extraPerToken: extra,
    };
  },
  /** The prompt's own attention keeps its output. */
  'adapter v1': ({ shape, dtype }) => prompted(shape, dtype, 0, 0),
  /** … and every linear layer a scale, which keeps what it scales, every norm what its weight is multiplied by. */
  'adapter v2': ({ shape, dtype }) => {
    const scaled = shape.linears.reduce((sum, { outputs }) => sum + 2 * outputs, 0);
    const norms = shape.block.norm === 'rms' ? 4 * shape.block.norms * shape.hidden : 0;
    const numbers = shape.linears.reduce((sum, { outputs }) => sum + 2 * outputs, shape.layers);
    return { ...prompted(shape, dtype, scaled + norms, numbers), skippedBlocks: 0 };
  },
} as const satisfies Readonly<Record<string, Method>>;
export type MethodName = keyof typeof METHODS;

const prompted = (shape: TorchShape, dtype: Dtype, extra: number, numbers: number): AdapterTraining => ({
  kind: 'adapter',
  dtype,
  parameters: (shape.layers - PROMPT.from) * PROMPT.tokens * shape.hidden + shape.layers * numbers,
  targets: [],
  dropout: 0,
  extraPerToken: 2 * shape.queries + 4 * shape.heads + extra,
  skippedBlocks: PROMPT.from,
});

const isQkv = (name: string): boolean => name === 'q' || name === 'k' || name === 'v';
