/** How long one thread takes to read the first block of a base and to quantise it to NF4, next to bitsandbytes. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { openModel } from '../../src/compute/models/load.js';
import { nodeHost } from '../../src/language/host/node-host.js';
import { pythonOf } from '../quantise/peer.js';

/** A line; the block is read once before it is timed. */
export function* quantised(folder: string): Generator<string> {
  const host = nodeHost();
  const base = join(folder, 'base');
  const model = openModel(host, base);
  const names = model
    .toQuantise()
    .map(({ name }) => name)
    .filter((name) => name.startsWith('model.layers.0.'));
  const ours = () => {
    const began = performance.now();
    for (const name of names) model.quantise(name);
    return (performance.now() - began) / 1000;
  };
  ours();
  const here = ours();
  const line = `a block from its file to NF4, one thread: ${here.toFixed(2)} s`;
  const theirs = byBitsandbytes(join(base, 'model.safetensors'), names);
  yield theirs === undefined
    ? `${line} (no bitsandbytes to compare with)`
    : `${line}, bitsandbytes ${theirs.toFixed(2)} s, ratio ${(here / theirs).toFixed(2)}`;
}

/** Seconds; `undefined` where the Python lacks it. */
function byBitsandbytes(file: string, names: readonly string[]): number | undefined {
  const host = nodeHost();
  const script = join(host.packageFolder, 'bench', 'peers', 'nf4.py');
  try {
    const said = execFileSync(pythonOf(host), [script, file, ...names], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return Number(said.trim().split('\n').at(-1));
  } catch {
    return undefined;
  }
}
