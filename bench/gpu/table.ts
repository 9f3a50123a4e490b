/**
 * A machine with an NVIDIA GPU, in ten minutes at most and without a network: do TensorFlow and PyTorch compute there what
 * the reference and the embedded engine compute, how fast does the accelerate engine train next to a plain TRL script, and
 * does it take what was planned?
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PythonEnvironment, tryPython } from '../../src/compute/accelerate/environment.js';
import { RUNTIMES } from '../../src/compute/tensor/runtimes/index.js';
import { nodeHost } from '../../src/language/host/node-host.js';
import { bytes } from '../../src/pipeline/planner/quantities.js';
import { findGpus } from '../../src/pipeline/prepare/gpus.js';
import type { BenchmarkOptions } from '../benchmark.js';
import type { GpuBench } from './bench.js';
import { FAMILIES, TRAININGS } from './cases.js';
import { conformanceOfTensorFlow, familyRow } from './conformance.js';
import { trainingRow } from './trainings.js';

/** Milliseconds after which nothing more is begun. */
const LIMIT = 9 * 60_000;

export async function* gpu({ only = '', cpu = false }: BenchmarkOptions): AsyncGenerator<string> {
  const host = nodeHost();
  const found = await findGpus();
  const gpus = found.state === 'found' ? found.gpus : [];
  for (const { name, memoryBytes } of gpus) yield `${name}, ${bytes(memoryBytes)}`;
  if (gpus.length === 0 && !cpu) {
    const why = found.state === 'failed' ? `: \`nvidia-smi\` fails, ${found.detail}` : '';
    return yield `this machine has no NVIDIA GPU${why}; nothing was measured (\`--cpu\` tries the benchmark itself)`;
  }
  const began = host.clock();
  const left = (): number => LIMIT - (host.clock() - began);
  if (gpus.length > 0 && RUNTIMES.tensorflow.version(host)?.endsWith('+cuda') === true)
    yield* ['', ...conformanceOfTensorFlow(left())];
  else yield 'TensorFlow is not installed for GPUs: `ftpc runtime install tensorflow`';
  const environment = tryPython(host);
  if ('code' in environment) return yield `${environment.message}: ${environment.help}`;
  yield versionsOf(environment);
  const folder = mkdtempSync(join(tmpdir(), 'ftpc-gpu-models-'));
  const gpuBytes = Math.min(...gpus.map(({ memoryBytes }) => memoryBytes));
  const on = gpus.length > 0 ? 'cuda' : 'cpu';
  try {
    yield* tables({ python: environment.python, folder, on, gpuBytes, left }, only);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const versionsOf = ({ version, packages }: PythonEnvironment): string =>
  [`Python ${version}`, ...Object.entries(packages).map(([name, one]) => `${name} ${one}`)].join(', ');

const heading = (cells: readonly string[]): readonly string[] => [
  '',
  `| ${cells.join(' | ')} |`,
  `|${cells.map(() => '---|').join('')}`,
];

async function* tables(bench: GpuBench, only: string): AsyncGenerator<string> {
  const families = Object.entries(FAMILIES).filter(([name]) => `family ${name}`.includes(only));
  if (families.length > 0) {
    writeModels(bench, Object.fromEntries(families));
    yield* heading(['family', 'largest difference of ten losses', 'agrees']);
    for (const [name] of families) yield await familyRow(bench, name);
  }
  const trainings = TRAININGS.filter(({ title }) => title.includes(only));
  if (trainings.length > 0)
    yield* heading([
      ...['training', 'tokens/s', 'plain TRL', 'ratio', 'planned peak', 'measured', 'planned / measured'],
      'peak of TRL',
    ]);
  for (const training of trainings) {
    const { shape } = training;
    const isLarge = shape !== undefined && bench.gpuBytes < training.needs;
    if (bench.on === 'cpu' && shape !== undefined) yield `| ${training.title} | not on a CPU |`;
    else if (isLarge) yield `| ${training.title} | needs ${bytes(training.needs)} |`;
    else {
      if (shape !== undefined) writeModels(bench, { '7b': shape });
      yield await trainingRow(bench, training);
    }
  }
}

const written = new Set<string>();

/** Random weights, once each. */
function writeModels({ folder, python }: GpuBench, shapes: Readonly<Record<string, object>>): void {
  const models = Object.fromEntries(
    Object.entries(shapes)
      .filter(([name]) => !written.has(name))
      .map(([name, shape]) => [join(folder, name), shape]),
  );
  for (const name of Object.keys(shapes)) written.add(name);
  if (Object.keys(models).length === 0) return;
  const { packageFolder } = nodeHost();
  const task = { tokenizer: join(packageFolder, 'stdlib/models/starter'), models };
  execFileSync(python, [join(packageFolder, 'bench/gpu/models.py'), JSON.stringify(task)], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}
