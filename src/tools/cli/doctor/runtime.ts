import { userProblem } from '../../../compute/models/user-problem.js';
import { gradients } from '../../../compute/tensor/autodiff.js';
import { GraphBuilder } from '../../../compute/tensor/builder.js';
import { chooseRuntime } from '../../../compute/tensor/runtimes/choice.js';
import { openRuntime, RUNTIMES } from '../../../compute/tensor/runtimes/index.js';
import { referenceRuntime } from '../../../compute/tensor/runtimes/reference/index.js';
import { explainVariant } from '../../../compute/tensor/runtimes/tensorflow/variants.js';
import type { HostTensor, Runtime } from '../../../compute/tensor/types.js';
import { driverInSoftware, noGpu } from '../../../language/diagnostics/catalogue/runtimes.js';
import { RUNTIME_NAMES, type RuntimeName } from '../../../language/ir/runtimes.js';
import { type Check, failed, firstLine } from './checks.js';

/** Two implementations of the same float32 graph may differ by rounding, and no more. */
const TOLERANCE = 1e-5;

/** How a runtime is called here, and what helps where it computes wrongly and where it does not load. */
const adviceOn = (name: RuntimeName) =>
  name === 'onnx'
    ? {
        name: 'onnxruntime',
        wrong: 'install ftpc again; if it stays, this processor is not supported',
        broken: 'install ftpc again; it needs glibc 2.28 or newer on Linux',
      }
    : {
        name,
        wrong: `reinstall it (\`ftpc runtime remove ${name}\`, then \`install\`), or use \`--runtime onnx\``,
        broken: `reinstall it on this machine: \`ftpc runtime remove ${name}\`, then \`install\``,
      };

const ON_GPU: ReadonlySet<RuntimeName> = new Set(['tensorflow', 'webgpu']);

/** The runtime loads, and what it computes is what the plain reference computes. Only the first one has to be there. */
const check =
  (runtime: RuntimeName): Check =>
  async (host) => {
    const { name, wrong, broken } = adviceOn(runtime);
    const version = RUNTIMES[runtime].version(host);
    if (version === undefined) {
      const { install, missing } = RUNTIMES[runtime];
      const problem = missing?.(host);
      if (problem !== undefined) return failed(name, problem.message, problem.help ?? install);
      const wanted = ON_GPU.has(runtime) ? 'where there is a GPU' : 'if you want it';
      return runtime === 'onnx'
        ? failed(name, 'not installed', install)
        : { name, state: 'note', detail: `not installed; ${wanted}, ${install}` };
    }
    try {
      const opened = await openRuntime(host, runtime, { look: 'all' });
      const difference = await worstDifference(opened);
      if (difference > TOLERANCE)
        return failed(name, `${version} computes wrongly: off by ${difference.toExponential(1)}`, wrong);
      const detail = [
        `${version}; a product, a softmax and their gradients agree with the reference to ${difference.toExponential(0)}`,
        ...(opened.device === undefined ? [] : [`on the ${opened.device}`]),
        ...(opened.driver === undefined ? [] : [opened.driver.facts.join(', ')]),
        ...(runtime === 'tensorflow' ? explainVariant(host) : []),
        ...(chooseRuntime(host) === runtime ? ['used by runs'] : []),
      ].join('; ');
      if (opened.driver?.isSoftware === true)
        return { name, state: 'warning', detail, help: driverInSoftware(opened.driver.name).help };
      return forGpu(version) && opened.device === 'CPU'
        ? {
            name,
            state: 'warning',
            detail,
            help: 'it finds no GPU: check with `nvidia-smi` whether the driver does',
          }
        : { name, state: 'ok', detail };
    } catch (error) {
      const { code, help = broken } = userProblem(error) ?? { code: undefined };
      // installed where there is nothing to compute on: other runtimes do
      const state = code === noGpu().code ? 'warning' : 'failed';
      return { name, state, detail: `${version} does not run: ${firstLine(error)}`, help };
    }
  };

const forGpu = (version: string): boolean => version.endsWith('+cuda');

/**
 * WebGPU is looked at before TensorFlow: Mesa's driver in software and TensorFlow bring an LLVM each, and a process that
 * loaded them in the other order is ended by the C library when it closes.
 */
const FIRST: readonly RuntimeName[] = ['onnx', 'webgpu'];

export const runtimes: readonly Check[] = [
  ...FIRST,
  ...RUNTIME_NAMES.filter((name) => !FIRST.includes(name)),
].map(check);

const ROWS = 6;
const WIDTH = 16;

/** The largest difference between a runtime and the reference on a small graph, forward and backward. */
async function worstDifference(runtime: Runtime): Promise<number> {
  const [expected, found] = [await results(referenceRuntime()), await results(runtime)];
  let worst = 0;
  for (const [name, { data }] of Object.entries(expected)) {
    const other = found[name]?.data;
    for (let at = 0; at < data.length; at++) {
      const difference = Math.abs(Number(data[at]) - Number(other?.[at] ?? Number.NaN));
      if (Number.isNaN(difference)) return Number.POSITIVE_INFINITY;
      worst = Math.max(worst, difference);
    }
  }
  return worst;
}

async function results(runtime: Runtime): Promise<Readonly<Record<string, HostTensor>>> {
  const graph = new GraphBuilder('self-test');
  const x = graph.input('x', [ROWS, WIDTH]);
  const w = graph.input('w', [WIDTH, WIDTH]);
  const y = graph.softmax(graph.silu(graph.matmul(x, w)));
  const loss = graph.sum(graph.mul(y, y), [0, 1]);
  graph.output('y', y);
  graph.output('loss', loss);
  const found = gradients(graph, [{ value: loss, gradient: graph.scalar(1) }], [x, w]);
  found.forEach((gradient, at) => {
    if (gradient !== undefined) graph.output(`gradient${at}`, gradient);
  });
  const compiled = await runtime.compile(graph.build());
  try {
    return await compiled.run({ x: waves(ROWS, WIDTH, 0.7), w: waves(WIDTH, WIDTH, 0.3) });
  } finally {
    await compiled.release();
  }
}

/** Numbers of both signs without a pattern that could hide a transposed product. */
function waves(rows: number, columns: number, step: number): HostTensor {
  const data = Float32Array.from({ length: rows * columns }, (_, at) => Math.sin(1 + at * step));
  return { type: { dtype: 'f32', shape: [rows, columns] }, data };
}
