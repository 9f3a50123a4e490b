/** GGUF files of a model, and those that llama.cpp's own quantiser makes. */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readGgufHeader } from '../../src/compute/models/gguf/header.js';
import { modelGguf } from '../../src/compute/packaging/gguf/index.js';
import { GGUF_TYPES, type GgufType } from '../../src/compute/packaging/gguf/types.js';
import { llamaAddon } from '../../src/compute/serving/llama-cpp/installed.js';
import type { Host } from '../../src/language/host/host.js';

/** The folder of llama.cpp's libraries. Throws a `UserError` if they are not installed. */
export const llamaLibraries = (host: Host): string => dirname(llamaAddon(host).path);

export const pythonOf = (host: Host): string => host.env('FTPC_PYTHON') ?? 'python3';

/** Writes a model as a file of a type; gives the seconds of a core that this took. */
export function writeGguf(host: Host, model: string, type: GgufType, path: string): number {
  const start = process.cpuUsage();
  const file = openSync(path, 'w');
  for (const chunk of modelGguf(host, model, { type, name: 'bench' }).chunks()) writeSync(file, chunk);
  closeSync(file);
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e6;
}

export interface QuantisedFiles {
  /** What both are made from. */
  readonly source: string;
  readonly ours: string;
  readonly theirs: string;
}

/** Seconds of a core. */
export function quantisedByLlama(
  host: Host,
  libraries: string,
  type: GgufType,
  { source, theirs }: QuantisedFiles,
  python = pythonOf(host),
): number {
  const script = join(host.packageFolder, 'bench', 'peers', 'quantise.py');
  const fileType = String(GGUF_TYPES[type].fileType);
  const said = execFileSync(python, [script, libraries, source, theirs, fileType], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return Number(said.trim().split('\n').at(-1));
}

/** Tensors of two files that are of another type, or have other bytes. */
export function differentTensors(host: Host, { ours, theirs }: QuantisedFiles) {
  const [a, b] = [readGgufHeader(host, ours), readGgufHeader(host, theirs)];
  const bytes = (path: string, { start, bytes: length }: { start: number; bytes: number }): Buffer =>
    Buffer.from(host.readBytes(path, start, length));
  const different = [...a.tensors.values()].filter((tensor) => {
    const other = b.tensors.get(tensor.name);
    return other?.type !== tensor.type || !bytes(ours, tensor).equals(bytes(theirs, other));
  });
  return { names: different.map(({ name }) => name), of: a.tensors.size };
}
