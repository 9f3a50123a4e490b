/**
 * What the files of each type answer: tensors next to llama.cpp's own quantiser, perplexity and greedy answers here, in
 * llama.cpp and in transformers: `npm run bench -- exports`. The model is what `FTPC_BENCH_MODEL` names, or else the starter model.
 * `--quick`: without transformers, which takes a minute to read a file of 135 million weights.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GGUF_TYPES, type GgufType } from '../../src/compute/packaging/gguf/types.js';
import { UserError } from '../../src/language/diagnostics/types.js';
import type { Host } from '../../src/language/host/host.js';
import { nodeHost } from '../../src/language/host/node-host.js';
import type { BenchmarkOptions } from '../benchmark.js';
import {
  type Answered,
  type Asked,
  answeredByLlama,
  answeredHere,
  askedOf,
  openTransformers,
  type Transformers,
} from './answers.js';
import {
  differentTensors,
  llamaLibraries,
  type QuantisedFiles,
  quantisedByLlama,
  writeGguf,
} from './peer.js';

const TOKENS = 16;
const TEXT_TOKENS = 128;
/** How far perplexity may be from that of llama.cpp's own file. */
const TARGET = 0.005;

const HEAD = [
  '| type | MB | other tensors | perplexity here | transformers | llama.cpp | its own file | same answers: transformers | llama.cpp |',
  '|---|---|---|---|---|---|---|---|---|',
];

export async function* exports({ only = '', quick = false }: BenchmarkOptions): AsyncGenerator<string> {
  const host = nodeHost();
  const model = host.env('FTPC_BENCH_MODEL') ?? join(host.packageFolder, 'stdlib/models/starter');
  const folder = mkdtempSync(join(tmpdir(), 'ftpc-exports-'));
  const transformers = quick ? undefined : openTransformers(host);
  try {
    const libraries = llamaLibraries(host);
    const files = {
      source: join(folder, 'f32.gguf'),
      ours: join(folder, 'ours.gguf'),
      theirs: join(folder, 'theirs.gguf'),
    };
    writeGguf(host, model, 'f32', files.source);
    const asked = await askedOf(host, model, { tokens: TOKENS, textTokens: TEXT_TOKENS });
    yield* HEAD;
    for (const type of (Object.keys(GGUF_TYPES) as GgufType[]).filter((type) => type.includes(only)))
      yield await row(host, { libraries, transformers, type, files, asked });
    yield '';
    yield `${asked.prompts.length} answers of ${TOKENS} tokens; perplexity of the first ${TEXT_TOKENS} tokens of this program’s licence`;
    yield `target: a perplexity within ${100 * TARGET} % of that of llama.cpp’s own file; it is made from the same float32`;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    yield error.diagnostic.message;
  } finally {
    transformers?.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Row {
  readonly libraries: string;
  readonly transformers: Transformers | undefined;
  readonly type: GgufType;
  readonly files: QuantisedFiles;
  readonly asked: Asked;
}

async function row(host: Host, { libraries, type, files, asked, ...peers }: Row): Promise<string> {
  writeGguf(host, files.source, type, files.ours);
  quantisedByLlama(host, libraries, type, files);
  const other = differentTensors(host, files);
  const here = await answeredHere(host, files.ours, asked);
  const transformers = await peers.transformers?.answered(files.ours, asked);
  const llama = await answeredByLlama(host, files.ours, asked);
  const own = other.names.length === 0 ? llama : await answeredByLlama(host, files.theirs, asked);
  const off = Math.abs(llama.perplexity / own.perplexity - 1);
  return `| ${[
    `\`${type}\``,
    (statSync(files.ours).size / 1e6).toFixed(1),
    `${other.names.length} of ${other.of}`,
    ...[here, transformers, llama].map((found) => found?.perplexity.toFixed(4) ?? '–'),
    `${own.perplexity.toFixed(4)}${off <= TARGET ? '' : ' (missed)'}`,
    ...[transformers, llama].map((theirs) =>
      theirs === undefined ? '–' : `${same(here, theirs)} of ${asked.prompts.length}`,
    ),
  ].join(' | ')} |`;
}

const same = (ours: Pick<Answered, 'answers'>, theirs: Pick<Answered, 'answers'>): number =>
  ours.answers.filter((ids, at) => ids.join() === theirs.answers[at]?.join()).length;
