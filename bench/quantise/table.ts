/**
 * How fast models are written as GGUF files of each type, next to llama.cpp's own quantiser on the same float16 file, in
 * seconds of one core: `npm run bench -- quantise`. The model is what `FTPC_BENCH_MODEL` names, or else the starter model.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GGUF_TYPES, type GgufType } from '../../src/compute/packaging/gguf/types.js';
import { UserError } from '../../src/language/diagnostics/types.js';
import { nodeHost } from '../../src/language/host/node-host.js';
import type { BenchmarkOptions } from '../benchmark.js';
import { differentTensors, llamaLibraries, quantisedByLlama, writeGguf } from './peer.js';

/** Times of llama.cpp's seconds, at most. */
const TARGET = 2;

const HEAD = [
  '| type | seconds of a core | llama.cpp | ratio | tensors with other bytes |',
  '|---|---|---|---|---|',
];

export async function* quantise({ only = '', repeats = '3' }: BenchmarkOptions): AsyncGenerator<string> {
  const host = nodeHost();
  const model = host.env('FTPC_BENCH_MODEL') ?? join(host.packageFolder, 'stdlib/models/starter');
  const folder = mkdtempSync(join(tmpdir(), 'ftpc-quantise-'));
  const files = { source: join(folder, 'f16'), ours: join(folder, 'ours'), theirs: join(folder, 'theirs') };
  try {
    const libraries = llamaLibraries(host);
    writeGguf(host, model, 'f16', files.source);
    // what is compiled at the first call
    writeGguf(host, files.source, 'q8_0', files.ours);
    yield* HEAD;
    for (const type of (Object.keys(GGUF_TYPES) as GgufType[]).filter(isCompared(only))) {
      let [ours, theirs] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
      for (let turn = 0; turn < Number(repeats); turn++) {
        ours = Math.min(ours, writeGguf(host, files.source, type, files.ours));
        theirs = Math.min(theirs, quantisedByLlama(host, libraries, type, files));
      }
      const other = differentTensors(host, files);
      const mark = ours <= TARGET * theirs ? '' : ' (missed)';
      yield `| ${type} | ${ours.toFixed(2)} | ${theirs.toFixed(2)} | ${(ours / theirs).toFixed(2)}${mark} | ${other.names.length} of ${other.of} |`;
    }
    yield '';
    yield `target: at most ${TARGET} times its time; least of ${repeats} each, taking turns`;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    yield error.diagnostic.message;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** llama.cpp copies what has the type already. */
const isCompared =
  (only: string) =>
  (type: GgufType): boolean =>
    type !== 'f16' && type.includes(only);
