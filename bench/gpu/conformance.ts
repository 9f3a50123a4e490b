/** Whether what computes on a GPU computes the same as what is known to be right. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import * as v from 'valibot';
import { count, tryJson } from '../../src/language/host/json.js';
import { nodeHost } from '../../src/language/host/node-host.js';
import type { GpuBench } from './bench.js';
import { type PipelineTask, runPipeline } from './pipeline.js';

/** Relative: a GPU adds in another order. */
const TOLERANCE = { cpu: 1e-5, cuda: 1e-3 } as const;
const STEPS = 10;

const REPORT = v.object({
  stats: v.object({ passes: count, failures: count }),
  failures: v.array(v.object({ fullTitle: v.string() })),
});

const TESTS: Readonly<Record<string, string>> = {
  'every op': 'dist/test/compute/tensor/runtimes/tensorflow.test.js',
  'every family': 'dist/test/compute/models/decoder/runtimes.test.js',
};

/** The tests of the repository, which TensorFlow's kernels for GPUs have to pass as well. */
export function conformanceOfTensorFlow(patience: number): readonly string[] {
  const { packageFolder } = nodeHost();
  const rows = Object.entries(TESTS).map(([name, file]) => {
    const mocha = join(packageFolder, 'node_modules/mocha/bin/mocha.js');
    const { stdout } = spawnSync(
      process.execPath,
      [
        mocha,
        '--no-config',
        '--timeout',
        '300000',
        '--reporter',
        'json',
        '--grep',
        'tensorflow|TensorFlow',
        file,
      ],
      { cwd: packageFolder, encoding: 'utf8', timeout: Math.max(1, Math.round(patience)), maxBuffer: 1e8 },
    );
    const report = tryJson(REPORT, stdout.slice(stdout.indexOf('{')));
    if (report === undefined) return `| tensorflow, ${name} | did not end | |`;
    const [first] = report.failures;
    return `| tensorflow, ${name} | ${report.stats.passes} | ${report.stats.failures}${first === undefined ? '' : `: ${first.fullTitle}`} |`;
  });
  return ['| conformance | passed | failed |', '|---|---|---|', ...rows];
}

/** Ten steps of a tiny model by the embedded engine on the CPU and by PyTorch. */
export async function familyRow({ folder, on, python, left }: GpuBench, name: string): Promise<string> {
  if (left() <= 0) return `| ${name} | not run: ten minutes are over | |`;
  const task: Omit<PipelineTask, 'engine'> = {
    ...{ model: join(folder, name), micro: 4, steps: STEPS, length: 64, patience: left() },
    method: 'lora',
    precision: 'f32',
  };
  const embedded = await runPipeline({ ...task, engine: ['--engine', 'embedded'] });
  const engine = ['--engine', 'accelerate', '--devices', '1', '--python', python];
  const accelerate = await runPipeline({ ...task, engine });
  const problem = embedded.problem ?? accelerate.problem;
  if (problem !== undefined) return `| ${name} | ${problem} | no |`;
  const worst = Math.max(
    ...embedded.losses.map((loss, step) => Math.abs((accelerate.losses[step] ?? Number.NaN) / loss - 1)),
  );
  return `| ${name} | ${worst.toExponential(1)} | ${worst <= TOLERANCE[on] ? 'yes' : 'no'} |`;
}
