/** A driver without Python: says what the ranks of a training would say, and leaves the adapter as it began. */
import { cpSync, mkdirSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { RankEvent, StepSpec, TrainSpec } from '../../../../../src/compute/accelerate/spec.js';
import type { TrainingState } from '../../../../../src/compute/training/state.js';

const spec = JSON.parse(readFileSync(process.argv.at(-1) ?? '', 'utf8')) as TrainSpec;
const rank = Number(process.env['RANK']);
const say = (event: RankEvent): void => void writeSync(1, `${JSON.stringify(event)}\n`);

process.stdin.resume().on('end', () => process.exit(9));
say({
  ...{ event: 'start', pid: process.pid, rank, world: spec.world, device: spec.device },
  ...{ sharding: spec.sharding.kind, versions: { torch: '2.15.0' }, resumed: null, trained: 1 },
});
if (rank > 0) process.exit(0);

const lines = readFileSync(spec.steps, 'utf8').trimEnd().split('\n');
const steps: TrainingState['steps'][number][] = [];
for (const [index, line] of lines.entries()) {
  const { rate, epoch, micro } = JSON.parse(line) as StepSpec;
  const step = index + 1;
  // more than one row at a time does not fit
  if (process.env['FTPC_FAKE'] === 'memory' && micro.some((sequences) => sequences.length > 1)) {
    say({ event: 'error', rank, kind: 'out_of_memory', message: 'CUDA out of memory', step });
    process.exit(4);
  }
  if (process.env['FTPC_FAKE'] === 'nan' && step === 3) {
    say({ event: 'error', rank, kind: 'not_finite', message: '', step, what: 'loss', value: 'nan', rate });
    process.exit(4);
  }
  const record = {
    step,
    epoch,
    loss: 2 + 1 / step,
    learningRate: rate,
    gradNorm: 1,
    tokens: 10,
    seconds: 0.1,
  };
  steps.push(record);
  const memory = { allocated: 1000, reserved: 2000 };
  say({ event: 'step', ...record, memory, rss: 5 });
}
const step = lines.length;
const best = { step, loss: 1.5 };
say({ event: 'validation', ...best, best: true });
mkdirSync(join(spec.folder, 'result'), { recursive: true });
for (const name of ['best', 'last'])
  cpSync(
    join(spec.adapter?.folder ?? '', 'adapter_model.safetensors'),
    join(spec.folder, `result/${name}.safetensors`),
  );
const state: TrainingState = { step, checked: step, best, stale: 0, seconds: 1, steps, validations: [best] };
writeFileSync(join(spec.folder, 'result/state.json'), JSON.stringify(state));
say({ event: 'done', ending: 'steps', step, peak: { rss: [5, 5], cuda: [0, 0] } });
process.exit(0);
