/** What llama.cpp does not compute as this program does, as its loaders and graphs have it (`src/models/*.cpp`). */
import type { ArchitectureName, ModelConfig } from '../../models/types.js';

/** A model that llama.cpp does not load, or computes otherwise at every length. */
interface Lack {
  readonly when: (config: ModelConfig) => boolean;
  /** One clause. */
  readonly why: string;
}

const biased = ({ biases }: ModelConfig): boolean =>
  biases !== undefined && (biases.attention || biases.output || biases.mlp);

const BIASES: Lack = { when: biased, why: 'llama.cpp has no biases for this architecture' };

const LACKS: Readonly<Partial<Record<ArchitectureName, readonly Lack[]>>> = {
  qwen3: [BIASES],
  smollm3: [BIASES],
  gemma2: [
    BIASES,
    {
      when: ({ tieEmbeddings }) => !tieEmbeddings,
      why: 'llama.cpp takes the embedding for its head, which is another matrix here',
    },
  ],
  gemma3: [
    BIASES,
    {
      when: (config) => windowPeriod(config) === undefined,
      why: 'llama.cpp knows layers without a window at regular distances only',
    },
  ],
  phi3: [
    {
      when: ({ heads, headDim, hiddenSize }) => heads * headDim !== hiddenSize,
      why: 'llama.cpp knows no heads of another width than hidden size by heads for this architecture',
    },
  ],
  gpt_neox: [
    {
      when: (config) => config.biases?.attention === false,
      why: 'llama.cpp needs the biases of its attention',
    },
    {
      when: ({ tieEmbeddings }) => tieEmbeddings,
      why: 'llama.cpp needs a head of its own, which is the embedding here',
    },
  ],
};

/** Why llama.cpp does not compute a model of a family that it has; `undefined` where it does. */
export const notComputed = (config: ModelConfig): string | undefined =>
  LACKS[config.architecture]?.find(({ when }) => when(config))?.why;

/** Every how many layers one sees all, the others a window; `undefined` where that is not regular. */
export function windowPeriod({ layerTypes = [], layers }: ModelConfig): number | undefined {
  const first = layerTypes.indexOf('full');
  const period = first < 0 ? layers + 1 : first + 1;
  const isRegular = layerTypes.every((type, layer) => (type === 'full') === ((layer + 1) % period === 0));
  return isRegular ? period : undefined;
}

/** Architectures whose window llama.cpp passes over. */
const WITHOUT_WINDOW: ReadonlySet<ArchitectureName> = new Set(['mistral', 'phi3']);

interface ExactContext {
  readonly tokens: number;
  /** One clause: what is other beyond. */
  readonly why: string;
}

/** The longest context in which llama.cpp computes what this program does; `undefined` where any is. */
export function exactContext(config: ModelConfig): ExactContext | undefined {
  const { architecture, window, ropeScaling, maxPositions } = config;
  const limits: readonly ExactContext[] = [
    ...(WITHOUT_WINDOW.has(architecture) && window !== undefined
      ? [{ tokens: window, why: 'it has no sliding window for this architecture' }]
      : []),
    ...(ropeScaling?.type === 'longrope'
      ? [
          {
            tokens: ropeScaling.originalPositions,
            why: 'its context, not a text’s length, decides between LongRoPE’s factors',
          },
        ]
      : []),
  ].filter(({ tokens }) => tokens < maxPositions);
  return limits.toSorted((a, b) => a.tokens - b.tokens)[0];
}
