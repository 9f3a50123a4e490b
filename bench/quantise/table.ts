/**
 * How fast models are written as GGUF files of each type, next to llama.cpp's own quantiser on the same float16 file, in
 * seconds of one core: `npm run bench -- quantise`. The model is what `FTPC_BENCH_MODEL` names, or else the starter model.
 */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readGgufHeader } from '../../src/compute/models/gguf/header.js';
import { modelGguf } from '../../src/compute/packaging/gguf/index.js';
import { GGUF_TYPES, type GgufType } from '../../src/compute/packaging/gguf/types.js';
import { llamaAddon } from '../../src/compute/serving/llama-cpp/installed.js';
import { UserError } from '../../src/language/diagnostics/types.js';
import type { Host } from '../../src/language/host/host.js';
import { nodeHost } from '../../src/language/host/node-host.js';
import type { BenchmarkOptions } from '../benchmark.js';

/** Times of llama.cpp's seconds, at most. */
const TARGET = 2;

const HEAD = [
  '| type | seconds of a core | llama.cpp | ratio | tensors with other bytes |',
  '|---|---|---|---|---|',
];

export async function* quantise({ only = '', repeats = '3' }: BenchmarkOptions): AsyncGenerator<string> {
  const host = nodeHost();
  const model = host.env('FTPC_BENCH_MODEL') ?? join(host.packageFolder, 'stdlib/models/starter');
  const libraries = llamaLibraries(host);
  if (typeof libraries !== 'string') return yield libraries.message;
  const folder = mkdtempSync(join(tmpdir(), 'ftpc-quantise-'));
  const files = { source: join(folder, 'f16'), ours: join(folder, 'ours'), theirs: join(folder, 'theirs') };
  try {
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
      const mark = ours <= TARGET * theirs ? '' : ' (missed)';
      yield `| ${type} | ${ours.toFixed(2)} | ${theirs.toFixed(2)} | ${(ours / theirs).toFixed(2)}${mark} | ${differences(host, files)} |`;
    }
    yield '';
    yield `target: at most ${TARGET} times its time; least of ${repeats} each, taking turns`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** llama.cpp copies what has the type already. */
const isCompared =
  (only: string) =>
  (type: GgufType): boolean =>
    type !== 'f16' && type.includes(only);

function llamaLibraries(host: Host): string | { readonly message: string } {
  try {
    return dirname(llamaAddon(host).path);
  } catch (error) {
    if (error instanceof UserError) return error.diagnostic;
    throw error;
  }
}

/** Seconds of a core. */
function writeGguf(host: Host, model: string, type: GgufType, path: string): number {
  const start = process.cpuUsage();
  const file = openSync(path, 'w');
  for (const chunk of modelGguf(host, model, { type, name: 'bench' }).chunks()) writeSync(file, chunk);
  closeSync(file);
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e6;
}

interface Files {
  readonly source: string;
  readonly ours: string;
  readonly theirs: string;
}

function quantisedByLlama(host: Host, libraries: string, type: GgufType, { source, theirs }: Files): number {
  const script = join(host.packageFolder, 'bench', 'peers', 'quantise.py');
  const python = host.env('FTPC_PYTHON') ?? 'python3';
  const said = execFileSync(python, [script, libraries, source, theirs, String(GGUF_TYPES[type].fileType)], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return Number(said.trim().split('\n').at(-1));
}

function differences(host: Host, { ours, theirs }: Files): string {
  const [a, b] = [readGgufHeader(host, ours), readGgufHeader(host, theirs)];
  const bytes = (path: string, { start, bytes: length }: { start: number; bytes: number }): Buffer =>
    Buffer.from(host.readBytes(path, start, length));
  const different = [...a.tensors.values()].filter((tensor) => {
    const other = b.tensors.get(tensor.name);
    return other?.type !== tensor.type || !bytes(ours, tensor).equals(bytes(theirs, other));
  });
  return `${different.length} of ${a.tensors.size}`;
}
