import { delimiter, join } from 'node:path';
import type { AccelerateEngine } from '../../../../compute/accelerate/engine.js';
import { driverFolder } from '../../../../compute/accelerate/installed.js';
import { boundsOf } from '../../../../compute/accelerate/rank-bounds.js';
import type { RanksTask } from '../../../../compute/accelerate/ranks.js';
import type { Host } from '../../../../language/host/host.js';

/** The ranks of this machine that train by the specification in a folder; they run in it. */
export function rankTask(host: Host, engine: AccelerateEngine, threads: number, folder: string): RanksTask {
  const paths = [driverFolder(host), host.env('PYTHONPATH') ?? ''].filter((path) => path !== '');
  return {
    python: engine.python,
    args: ['-m', 'ftpc_driver', 'train', join(folder, 'spec.json')],
    cwd: folder,
    environment: { PYTHONPATH: paths.join(delimiter) },
    devices: engine.devices,
    nodes: engine.nodes,
    threads: Math.max(1, Math.floor(threads / engine.devices)),
    bounds: boundsOf((name) => host.env(name)),
  };
}
