/** What computes fastest on this machine: a block's step on each in turn, for two seconds. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { LoraConfig } from '../../compute/models/adapters/config.js';
import { layerKind } from '../../compute/models/adapters/kinds.js';
import { blueprintOf } from '../../compute/models/architectures/index.js';
import { trainingBlock } from '../../compute/models/decoder/graphs.js';
import type { Precision } from '../../compute/models/decoder/types.js';
import type { ModelConfig } from '../../compute/models/types.js';
import { userProblem } from '../../compute/models/user-problem.js';
import { type Measurement, measurements } from '../../compute/tensor/runtimes/choice.js';
import { openRuntime } from '../../compute/tensor/runtimes/index.js';
import {
  MEASURED_LENGTH,
  readSpeeds,
  type Speeds,
  speedsPath,
  withSpeeds,
} from '../../compute/tensor/runtimes/speeds.js';
import { compilingKey } from '../../compute/tensor/runtimes/tensorflow/variants.js';
import { sizeOf } from '../../compute/tensor/shape.js';
import type { Graph, HostTensor, Runtime, Tensor, TensorType } from '../../compute/tensor/types.js';
import type { Host } from '../../language/host/host.js';
import type { RuntimeRequest } from '../../language/ir/runtimes.js';
import { replaceFile } from '../store/index.js';

/** A block of 135 million parameters, over so many tokens. */
const CONFIG: ModelConfig = {
  architecture: 'llama',
  vocabSize: 64,
  hiddenSize: 576,
  intermediateSize: 1536,
  layers: 1,
  heads: 9,
  keyValueHeads: 3,
  headDim: 64,
  maxPositions: 256,
  ropeTheta: 10_000,
  normEpsilon: 1e-5,
  tieEmbeddings: true,
  bosTokenId: null,
  eosTokenIds: [],
  padTokenId: null,
};
const LORA: LoraConfig = {
  kind: 'lora',
  rank: 16,
  alpha: 32,
  dropout: 0,
  targets: ['q_proj', 'v_proj', 'gate_proj'],
};
/** Milliseconds for all that are compared. */
const PATIENCE = 2000;
/** Runs of each at least. */
const LEAST = 5;
/** Milliseconds for which others are watched before anything is measured. */
const WATCHED = 100;
/**
 * Share of the cores that others may have had meanwhile. Next to one busy program, two cores had a block's step take 1.4 to 1.6
 * times as long; next to eight, 4.5 times with TensorFlow and seven times with ONNX Runtime, whose threads wait awake.
 */
const OTHERS = 0.1;

/**
 * Keeps in the user's cache what it measures: what was asked for, and one thing after the other where the second depends on
 * the first. What other programs disturbed is not kept: it would decide for ever. A runtime that does not load is left to who
 * opens it.
 */
export async function measureRuntimes(host: Host, asked?: RuntimeRequest): Promise<void> {
  const isBusy = watchOthers(host);
  await sleep(WATCHED);
  if (isBusy()) return;
  try {
    for (let known = readSpeeds(host); ; ) {
      const wanted = measurements(host, asked ?? { choice: 'auto', by: 'auto' }, known);
      if (wanted.length === 0) return;
      const isDisturbed = watchOthers(host);
      known = { ...known, ...(await inTurns(host, wanted)) };
      if (isDisturbed()) return;
      replaceFile(speedsPath(host), withSpeeds(host, known));
    }
  } catch (error) {
    if (userProblem(error) === undefined) throw error;
  }
}

/** Says whether other programs have had more than {@link OTHERS} of the cores since. */
function watchOthers(host: Host): () => boolean {
  const { cores } = host.machine();
  const [begun, before] = [host.clock(), host.othersTime()];
  return () => host.othersTime() - before > OTHERS * cores * (host.clock() - begun);
}

/**
 * Seconds of a step of each, and of compiling where it compiles; `null` of what failed, such as a compiler that has not
 * what it needs.
 */
async function inTurns(host: Host, wanted: readonly Measurement[]): Promise<Speeds> {
  const steps: BlockComparison[] = [];
  const found: Record<string, number | null> = {};
  for (const measured of wanted) {
    const opened = await openRuntime(host, measured.runtime, { variant: measured.variant });
    const { step, release } = await blockStep(opened, measured.precision);
    const begun = host.clock();
    try {
      await step();
      steps.push({ measured, step, release, first: host.clock() - begun, times: [] });
    } catch {
      found[measured.key] = null;
      await release();
    }
  }
  const end = host.clock() + PATIENCE;
  for (let run = 0; run < LEAST || host.clock() < end; run++)
    for (const { step, times } of steps) {
      const begun = host.clock();
      await step();
      times.push(host.clock() - begun);
    }
  for (const { measured, first, times, release } of steps) {
    // the fastest: other programs slow most runs down, and more so of a runtime whose threads wait awake
    const milliseconds = Math.min(...times);
    found[measured.key] = milliseconds / 1000;
    if (measured.variant?.xla) found[compilingKey(measured.key)] = Math.max(0, first - milliseconds) / 1000;
    await release();
  }
  return found;
}

interface BlockStep {
  readonly step: () => Promise<void>;
  readonly release: () => Promise<void>;
}

interface BlockComparison extends BlockStep {
  readonly measured: Measurement;
  /** Milliseconds of the first step, in which graphs are compiled, and of the others. */
  readonly first: number;
  readonly times: number[];
}

async function blockStep(runtime: Runtime, precision: Precision): Promise<BlockStep> {
  const kind = layerKind(blueprintOf(CONFIG), LORA, 0);
  const shape = { rows: 1, length: MEASURED_LENGTH };
  const { forward, backward } = trainingBlock(
    { config: CONFIG, adapter: LORA, trainable: 'adapter', precision },
    kind,
    shape,
    'nothing',
    false,
  );
  const { memory } = runtime;
  const [ahead, back] = [await runtime.compile(forward), await runtime.compile(backward)];
  const held = new Map<string, Tensor>();
  const filled = (type: TensorType): Tensor => {
    const data = new Float32Array(sizeOf(type.shape)).fill(0.01);
    return memory.hold({ type, data } satisfies HostTensor);
  };
  const inputs = ({ inputs: named, types }: Graph): Record<string, Tensor> =>
    Object.fromEntries(
      named.map(({ name, value }) => {
        const tensor = held.get(name) ?? filled(types[value] ?? { dtype: 'f32', shape: [] });
        held.set(name, tensor);
        return [name, tensor];
      }),
    );
  const buffers = [...forward.outputs, ...backward.outputs].map(() => memory.buffer());
  const outputs = ({ outputs: named, types }: Graph, first: number): Record<string, Tensor> =>
    Object.fromEntries(
      named.map(({ name, value }, at) => [
        name,
        buffers[first + at]?.tensor(types[value] ?? { dtype: 'f32', shape: [] }),
      ]),
    ) as Record<string, Tensor>;
  return {
    async step() {
      await ahead.run(inputs(forward), outputs(forward, 0));
      await back.run(inputs(backward), outputs(backward, forward.outputs.length));
    },
    async release() {
      for (const buffer of buffers) buffer.release();
      for (const tensor of held.values()) memory.free(tensor);
      await ahead.release();
      await back.release();
    },
  };
}
