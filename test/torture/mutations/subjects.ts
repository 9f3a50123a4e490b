/** What is spoilt: files of each kind, how they are read in this process, and by which command line. */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CHAT_TEMPLATE } from '../../../src/compute/models/chat-template/index.js';
import { openModelAt } from '../../../src/compute/models/open.js';
import type { ChatMessage } from '../../../src/compute/models/types.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import type { Value } from '../../../src/language/ir/program.js';
import { openAny } from '../../../src/pipeline/deploy/open-answerer.js';
import { prepare } from '../../../src/pipeline/prepare/index.js';
import { run as runData } from '../../../src/pipeline/stages/data/run.js';
import { outputFolder } from '../../../src/pipeline/store/output-folder.js';
import { MUTATIONS } from '../../fuzz/mutations.js';
import type { Random } from '../../language/formatter/mangle.js';
import { rowsText, writePipeline } from '../../pipeline/run/pipelines.js';
import { contextOf, stageOf } from '../../pipeline/stages/alone.js';
import { parquetRows } from './parquet.js';
import { bytes, jinja, jsonLines, jsonOrBytes, pick, safetensors, type Way } from './ways.js';

export interface SpoiltFile {
  /** Relative to the folder of the subject. */
  readonly path: string;
  readonly way: Way;
}

export interface Subject {
  /** Of 20 cases, how many are of this subject. */
  readonly share: number;
  readonly files: readonly SpoiltFile[];
  /** Puts everything into an empty folder. */
  prepare(folder: string): Promise<void>;
  /** Reads it, throwing what the command line would make a diagnostic of. */
  read(folder: string, path: string): Promise<void>;
  /** The command line that reads it. */
  words(path: string): readonly string[];
}

const fixtures = join(nodeHost().packageFolder, 'test/fixtures');
const TINY = join(fixtures, 'evaluation/tiny');

const copied =
  (...parts: readonly (readonly [from: string, to: string])[]) =>
  async (folder: string): Promise<void> => {
    for (const [from, to] of parts) cpSync(join(fixtures, from), join(folder, to), { recursive: true });
  };

async function ask(folder: string, model: string, base?: string): Promise<void> {
  const options = { folder: join(folder, model), runtime: 'onnx', threads: 1 } as const;
  const answerer = await openAny(
    nodeHost(folder),
    base === undefined ? options : { ...options, base: join(folder, base) },
  );
  try {
    if ('labels' in answerer) await answerer.classify('Why?');
    else await answerer.answer([{ role: 'user', content: 'Why?' }], { maxTokens: 2 });
  } finally {
    await answerer.release();
  }
}

const generate = (model: string, ...more: readonly string[]): readonly string[] => [
  'generate',
  model,
  'Why?',
  '--max-tokens',
  '2',
  ...more,
];

const DIALOG: readonly ChatMessage[] = [
  { role: 'system', content: 'Be short.' },
  { role: 'user', content: 'Why? é\u0301 😀' },
];

/** The tokenizers of all forms, each next to a model. */
const TOKENIZERS = [
  'evaluation/tiny/base/tokenizer.json',
  'tokenizer/byte-level.json',
  'tokenizer/metaspace-first.json',
  'tokenizer/sentence-piece.json',
  'format/bytes/tokenizer.json',
  'format/pieces/tokenizer.json',
];

const tokenizers: Subject = {
  share: 5,
  files: [
    ...TOKENIZERS.map((_, i) => ({ path: `model-${i}/tokenizer.json`, way: jsonOrBytes })),
    { path: 'model-0/tokenizer_config.json', way: jsonOrBytes },
    { path: `model-0/${CHAT_TEMPLATE}`, way: jinja },
    { path: `model-1/${CHAT_TEMPLATE}`, way: jinja },
  ],
  prepare: async (folder) => {
    for (const [i, tokenizer] of TOKENIZERS.entries()) {
      const model = join(folder, `model-${i}`);
      cpSync(join(TINY, 'base'), model, { recursive: true });
      cpSync(join(fixtures, tokenizer), join(model, 'tokenizer.json'));
    }
    const { packageFolder } = nodeHost();
    cpSync(
      join(packageFolder, 'stdlib/models/starter', CHAT_TEMPLATE),
      join(folder, 'model-0', CHAT_TEMPLATE),
    );
    cpSync(join(fixtures, 'format/thinking.jinja'), join(folder, 'model-1', CHAT_TEMPLATE));
  },
  read: async (folder, path) => {
    const model = openModelAt(nodeHost(folder), join(folder, dirname(path)));
    const tokenizer = await model.tokenizer();
    tokenizer.decode([...tokenizer.encode('Why? é\u0301 😀\n  <|im_start|>')], { skipSpecial: false });
    const template = model.template();
    if (template !== undefined) template.render(DIALOG, { addGenerationPrompt: true });
  },
  words: (path) => generate(dirname(path)),
};

const DATA: Readonly<Record<string, Way>> = {
  'rows.jsonl': jsonLines,
  'rows.json': jsonOrBytes,
  'rows.csv': bytes,
  'rows.parquet': bytes,
};

const dataSource = (path: string): string => path.split('.').at(-1) ?? '';

const data: Subject = {
  share: 4,
  files: Object.entries(DATA).map(([path, way]) => ({ path, way })),
  prepare: async (folder) => {
    const rows = rowsText(20).split('\n').slice(0, 20);
    const cells = rows.map((row) => Object.values(JSON.parse(row) as Record<string, string>));
    const table = [['instruction', 'output', 'group'], ...cells];
    writeFileSync(join(folder, 'rows.jsonl'), rows.join('\n'));
    writeFileSync(join(folder, 'rows.json'), `[${rows.join(',\n')}]`);
    const quoted = table.map((row) => row.map((cell) => `"${cell}"`).join(','));
    writeFileSync(join(folder, 'rows.csv'), quoted.join('\n'));
    writeFileSync(join(folder, 'rows.parquet'), await parquetRows(join(folder, 'rows.jsonl')));
    for (const path of Object.keys(DATA))
      writeFileSync(
        join(folder, `${path}.ftp`),
        `edition 2026\n\nimport { ${dataSource(path)} } from "std/data"\n\ndata rows {\n  source = ${dataSource(path)}("${path}")\n}\n`,
      );
  },
  read: async (folder, path) => {
    const call = { call: dataSource(path), args: { files: path } };
    const settings: Readonly<Record<string, Value>> = { source: call, dedupe: [], contradictions: 'warn' };
    const out = join(folder, 'out');
    rmSync(out, { recursive: true, force: true });
    mkdirSync(out);
    await runData(contextOf(stageOf('data', 'rows', settings), folder, { output: outputFolder(out) }));
  },
  words: (path) => ['run', `${path}.ftp`],
};

/** Whatever a text may do wrong: the ways in which the compiler's own texts are spoilt. */
const text: Way = (content, random) => {
  if (random() < 0.1) return bytes(content, random);
  const texts = [{ folder: '', name: '', text: content.toString() }];
  const mutation = pick(Object.values(MUTATIONS), random) as (
    text: string,
    random: Random,
    others: typeof texts,
  ) => string;
  return Buffer.from(mutation(content.toString(), random, texts));
};

export const SUBJECTS = {
  model: {
    share: 4,
    files: [
      { path: 'base/config.json', way: jsonOrBytes },
      { path: 'base/generation_config.json', way: jsonOrBytes },
      { path: 'base/model.safetensors', way: safetensors },
      { path: 'tiny.gguf', way: bytes },
    ],
    prepare: copied(['evaluation/tiny/base', 'base'], ['gguf/tiny.gguf', 'tiny.gguf']),
    read: (folder, path) => ask(folder, path.endsWith('.gguf') ? path : 'base'),
    words: (path) => generate(path.endsWith('.gguf') ? path : 'base'),
  },
  tokenizers,
  data,
  adapter: {
    share: 3,
    files: [
      { path: 'adapter/adapter_config.json', way: jsonOrBytes },
      { path: 'adapter/adapter_model.safetensors', way: safetensors },
    ],
    prepare: copied(['evaluation/tiny/adapter', 'adapter'], ['evaluation/tiny/base', 'base']),
    read: (folder) => ask(folder, 'adapter', 'base'),
    words: () => generate('adapter', '--base', 'base'),
  },
  pipeline: {
    share: 4,
    files: [{ path: 'tiny.ftp', way: text }],
    prepare: async (folder) => writePipeline(folder, { steps: 4 }),
    read: async (folder, path) => {
      const scope = { hub: 'never', speed: 'nominal', runs: 'none' } as const;
      const { diagnostics, program } = await prepare(nodeHost(folder), { file: path, params: {} }, scope);
      if (program === undefined && !diagnostics.some(({ severity }) => severity === 'error'))
        throw new Error('there is neither a program nor an error');
    },
    words: (path) => ['plan', path],
  },
} as const satisfies Readonly<Record<string, Subject>>;

export const original = (folder: string, path: string): Buffer => readFileSync(join(folder, path));
