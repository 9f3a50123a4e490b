/** A training by the accelerate engine, next to a plain TRL script of the same settings. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { finite, tryJson } from '../../src/language/host/json.js';
import { nodeHost } from '../../src/language/host/node-host.js';
import { bytes } from '../../src/pipeline/planner/quantities.js';
import type { GpuBench } from './bench.js';
import type { Training } from './cases.js';
import { rowsText, runPipeline } from './pipeline.js';

/** Steps, and tokens of a row at most; on a CPU, only to see that it works. */
const SIZES = { cuda: { steps: 12, length: 512 }, cpu: { steps: 6, length: 128 } } as const;

/** Several threads wait for each other where other programs compute, too. */
const ONE_THREAD = { threads: 1 } as const;

const PEER = v.object({ tokensPerSecond: finite, peakBytes: finite });
type Peer = v.InferInput<typeof PEER>;

export async function trainingRow(bench: GpuBench, training: Training): Promise<string> {
  const { title, method, shape, micro } = training;
  if (bench.left() <= 0) return `| ${title} | not run: ten minutes are over |`;
  const model = shape === undefined ? undefined : join(bench.folder, '7b');
  const found = await runPipeline({
    ...{ model, method, micro, ...SIZES[bench.on], patience: bench.left() },
    precision: bench.on === 'cuda' ? 'bf16' : 'f32',
    isCompared: true,
    engine: ['--engine', 'accelerate', '--devices', '1', '--python', bench.python],
    ...(bench.on === 'cpu' ? ONE_THREAD : {}),
  });
  if (found.problem !== undefined) return `| ${title} | ${found.problem} |`;
  const peer = trl(bench, training, model);
  const { tokensPerSecond, peakBytes, plannedBytes } = found;
  const isKnown = plannedBytes !== undefined && peakBytes > 0;
  const cells = [
    ...[title, tokensPerSecond.toFixed(0)],
    ...(typeof peer === 'string'
      ? [peer, '']
      : [peer.tokensPerSecond.toFixed(0), (tokensPerSecond / peer.tokensPerSecond).toFixed(2)]),
    plannedBytes === undefined ? 'not planned' : bytes(plannedBytes),
    peakBytes > 0 ? bytes(peakBytes) : 'not measured',
    isKnown ? (plannedBytes / peakBytes).toFixed(2) : '',
    typeof peer === 'string' || peer.peakBytes === 0 ? '' : bytes(peer.peakBytes),
  ];
  return `| ${cells.join(' | ')} |`;
}

/** What it measured, or why it did not. */
function trl(
  { python, left, on }: GpuBench,
  { method, micro }: Training,
  model: string | undefined,
): Peer | string {
  const { packageFolder } = nodeHost();
  const folder = mkdtempSync(join(tmpdir(), 'ftpc-trl-'));
  try {
    const rows = join(folder, 'rows.jsonl');
    writeFileSync(rows, `${rowsText(SIZES[on].length)}\n`);
    const task = {
      ...{ folder, rows, method, micro, ...SIZES[on], rank: 16, checkpointing: false },
      model: model ?? join(packageFolder, 'stdlib/models/starter'),
    };
    const { stdout, stderr } = spawnSync(
      python,
      [join(packageFolder, 'bench/gpu/peer.py'), JSON.stringify(task)],
      {
        cwd: folder,
        encoding: 'utf8',
        timeout: Math.max(1, Math.round(left())),
        env: {
          ...process.env,
          ...{ HF_HUB_OFFLINE: '1', HF_HOME: join(folder, 'hf') },
          ...(on === 'cpu' ? { OMP_NUM_THREADS: `${ONE_THREAD.threads}` } : {}),
        },
      },
    );
    const measured = tryJson(PEER, (stdout ?? '').trim().split('\n').at(-1) ?? '');
    if (measured !== undefined) return measured;
    const said = (stderr ?? '').trim().split('\n').at(-1) ?? '';
    return /No module named '(\w+)'/.exec(said)?.[0] ?? (said.slice(0, 60) || 'did not end');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
