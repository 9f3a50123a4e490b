/** A small search for tests, and what came of it. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writePipeline } from './pipelines.js';

/** Four rates by halving; the winner is evaluated, merged and published. */
export function writeSearch(cwd: string, steps: number): void {
  writePipeline(cwd, { steps, gate: '< 100000' });
  const file = join(cwd, 'tiny.ftp');
  const text = readFileSync(file, 'utf8')
    .replace(
      'data rows {',
      `matrix rate: Number = [1e-4, 1e-3, 5e-3, 2e-2]
matrix best: Search = search(halving, by: adapter.valid_loss, trials: 4, factor: 2)

data rows {`,
    )
    .replace('adamw(rate: 5e-3)', 'adamw(rate: rate)')
    .replaceAll('= adapter.best', '= best.adapter.best');
  writeFileSync(file, text);
}

/** Who won, with what every trial came to; and the digests of all tensors in the store, by the key of their stage. */
export function searched(cwd: string): { readonly record: unknown; readonly tensors: unknown } {
  const [searches, store] = [join(cwd, '.ftp/searches'), join(cwd, '.ftp/store')];
  const [name = ''] = readdirSync(searches);
  return {
    record: JSON.parse(readFileSync(join(searches, name), 'utf8')),
    tensors: Object.fromEntries(readdirSync(store).map((key) => [key, tensorsOf(join(store, key))])),
  };
}

function tensorsOf(folder: string): Readonly<Record<string, unknown>> {
  const { files } = JSON.parse(readFileSync(join(folder, 'stage.json'), 'utf8')) as {
    readonly files: Readonly<Record<string, unknown>>;
  };
  return Object.fromEntries(Object.entries(files).filter(([file]) => file.endsWith('.safetensors')));
}
