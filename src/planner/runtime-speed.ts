/** Which runtime is faster on this machine: the products of a block's step, on each in turn, for a second. */
import { UserError } from '../diagnostics/types.js';
import type { RuntimeName } from '../ir/runtimes.js';
import { layerKind } from '../models/adapters/layout.js';
import { blueprintOf } from '../models/architectures/index.js';
import { trainingBlock } from '../models/decoder/graphs.js';
import type { LoraConfig, ModelConfig } from '../models/types.js';
import type { Host } from '../source/host.js';
import { replaceFile } from '../store/index.js';
import { contenders, speedsPath, withSpeeds } from '../tensor/runtimes/choice.js';
import { openRuntime } from '../tensor/runtimes/index.js';
import { sizeOf } from '../tensor/shape.js';
import type { Graph, HostTensor, Runtime, Tensor } from '../tensor/types.js';

/** A block of 135 million parameters, over so many tokens. */
const CONFIG: ModelConfig = {
  ...{ architecture: 'llama', vocabSize: 64, hiddenSize: 576, intermediateSize: 1536, layers: 1 },
  ...{ heads: 9, keyValueHeads: 3, headDim: 64, maxPositions: 256, ropeTheta: 10_000, normEpsilon: 1e-5 },
  ...{ tieEmbeddings: true, bosTokenId: null, eosTokenIds: [], padTokenId: null },
};
const LORA: LoraConfig = { rank: 16, alpha: 32, dropout: 0, targets: ['q_proj', 'v_proj', 'gate_proj'] };
const LENGTH = 128;
/** Milliseconds for all runtimes together. */
const PATIENCE = 1000;
/** Steps a measurement: long against a clock of milliseconds. */
const TOGETHER = 4;
/** Runs of each at least: the first ones are slow. */
const LEAST = 3;

/** Keeps in the user's cache what it measures. A runtime that does not load is left to who opens it. */
export async function measureRuntimes(host: Host): Promise<void> {
  try {
    const steps = await Promise.all(
      contenders(host).map(async (name) => ({ name, ...(await blockStep(await openRuntime(host, name))) })),
    );
    const best: Partial<Record<RuntimeName, number>> = {};
    const end = host.now() + PATIENCE;
    for (let run = 0; run < LEAST || host.now() < end; run++)
      for (const { name, step } of steps) {
        const begun = host.now();
        for (let together = 0; together < TOGETHER; together++) await step();
        // the best of several: what other programs take away is not the runtime's speed
        const seconds = Math.max(1, host.now() - begun) / (1000 * TOGETHER);
        best[name] = Math.min(best[name] ?? Number.POSITIVE_INFINITY, seconds);
      }
    for (const { release } of steps) await release();
    replaceFile(speedsPath(host), withSpeeds(host, best));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
  }
}

interface BlockStep {
  readonly step: () => Promise<void>;
  readonly release: () => Promise<void>;
}

async function blockStep(runtime: Runtime): Promise<BlockStep> {
  const kind = layerKind(blueprintOf(CONFIG), LORA, 0);
  const shape = { rows: 1, length: LENGTH };
  const { forward, backward } = trainingBlock(
    { config: CONFIG, lora: LORA, trainable: 'adapter' },
    kind,
    shape,
    'nothing',
    false,
  );
  const { memory } = runtime;
  const [ahead, back] = [await runtime.compile(forward), await runtime.compile(backward)];
  const held = new Map<string, Tensor>();
  const inputs = ({ inputs: named, types }: Graph): Record<string, Tensor> =>
    Object.fromEntries(
      named.map(({ name, value }) => {
        const type = types[value] ?? { dtype: 'f32', shape: [] };
        const data = new Float32Array(sizeOf(type.shape)).fill(0.01);
        const tensor = held.get(name) ?? memory.hold({ type, data } satisfies HostTensor);
        held.set(name, tensor);
        return [name, tensor];
      }),
    );
  const rooms = [...forward.outputs, ...backward.outputs].map(() => memory.room());
  const outputs = ({ outputs: named, types }: Graph, first: number): Record<string, Tensor> =>
    Object.fromEntries(
      named.map(({ name, value }, at) => [
        name,
        rooms[first + at]?.tensor(types[value] ?? { dtype: 'f32', shape: [] }),
      ]),
    ) as Record<string, Tensor>;
  return {
    async step() {
      await ahead.run(inputs(forward), outputs(forward, 0));
      await back.run(inputs(backward), outputs(backward, forward.outputs.length));
    },
    async release() {
      for (const room of rooms) room.release();
      for (const tensor of held.values()) memory.free(tensor);
      await ahead.release();
      await back.release();
    },
  };
}
