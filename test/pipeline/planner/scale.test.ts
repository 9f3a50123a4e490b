import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'chai';
import { nodeHost } from '../../../src/language/host/node-host.js';
import type { Plan, StageScale } from '../../../src/pipeline/planner/plan-json.js';
import { freshFolder } from '../run/worlds.js';

const MAIN = join(
  fileURLToPath(new URL('.', import.meta.url)),
  '..',
  '..',
  '..',
  'src',
  'tools',
  'cli',
  'main.js',
);
const root = nodeHost().packageFolder;
const MODEL = join(root, 'test/fixtures/evaluation/tiny/base');

/** 103 rows that are kept, one that is no JSON and one that repeats the first; passes that end with a short step. */
const PIPELINE = `edition 2026

import { jsonl } from "std/data"
import { chat } from "std/format"
import { perplexity } from "std/eval"

data rows {
  source = jsonl("data/*.jsonl")
  dedupe = [exact]
  split = { train: 80%, valid: 10%, test: 10% }
}
format dialogs {
  from = rows
  template = chat()
  model = local("model")
  max_length = 128tok
}
train low using lora {
  base = local("model")
  dataset = dialogs.train
  validate = dialogs.valid
  lora = { rank: 2, alpha: 4 }
  optimizer = adamw(rate: 5e-3)
  batch = { global: 8, micro: 2 }
  stop = { epochs: 2 }
}
train quantised using qlora {
  base = local("model")
  dataset = dialogs.all
  lora = { rank: 3, alpha: 4, targets: [q_proj, v_proj] }
  optimizer = adamw(rate: 5e-3)
  batch = { global: 50 }
  order = file
  stop = { steps: 4 }
}
train whole using full {
  base = local("model")
  dataset = dialogs.train
  optimizer = adamw(rate: 1e-4)
  batch = { global: 7 }
  stop = { epochs: 0.5, steps: 1000 }
}
eval quality {
  model = low.best
  dataset = dialogs.test
  metrics = [perplexity]
}
merge fused {
  base = local("model")
  adapter = low.best
}
`;

/** Stages that read rows, and which. */
const SPLITS = [
  ['dialogs', 'all'],
  ['low', 'train'],
  ['quantised', 'all'],
  ['whole', 'train'],
  ['quality', 'test'],
] as const;

type Event = Readonly<Record<string, unknown>>;
interface FormatJson {
  readonly splits: Readonly<
    Record<string, { readonly rows: number; readonly tokens: number; readonly supervised: number }>
  >;
}
type Header = Readonly<Record<string, { readonly shape?: readonly number[] }>>;

describe('how much a stage works on, against a run', () => {
  let folder = '';
  /** Nothing has run, and everything has. */
  let fresh: Plan;
  let done: Plan;
  let events: readonly Event[] = [];
  let format: FormatJson;

  const ftpc = (...args: readonly string[]): string =>
    execFileSync(process.execPath, [MAIN, ...args], {
      cwd: folder,
      encoding: 'utf8',
      maxBuffer: 1e8,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  const planned = (): Plan => JSON.parse(ftpc('plan', 'tiny.ftp', '--json')) as Plan;
  const scale = (plan: Plan, name: string): StageScale => {
    const found = plan.stages.find((stage) => stage.name === name)?.scale;
    if (found === null || found === undefined) throw new Error(`nothing is known of ${name}`);
    return found;
  };
  const outputs = (name: string): Readonly<Record<string, string>> =>
    events.find(({ type, stage }) => type === 'stage.finished' && stage === name)?.['outputs'] as Readonly<
      Record<string, string>
    >;
  const stepsRun = (name: string): number =>
    Math.max(
      ...events
        .filter(({ stage, step }) => stage === name && step !== undefined)
        .map(({ step }) => Number(step)),
    );
  /** Numbers in a safetensors file, counted from its header. */
  const numbersIn = (path: string): number => {
    const bytes = readFileSync(join(folder, path));
    const header = JSON.parse(bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE(0))).toString()) as Header;
    return Object.values(header)
      .map(({ shape }) => shape?.reduce((product, size) => product * size, 1) ?? 0)
      .reduce((sum, size) => sum + size, 0);
  };

  before(() => {
    folder = freshFolder();
    mkdirSync(join(folder, 'data'));
    cpSync(MODEL, join(folder, 'model'), { recursive: true });
    const rows = Array.from({ length: 103 }, (_, row) =>
      JSON.stringify({
        instruction: `${row}: what is ${'long '.repeat(row % 7)}?`,
        output: 'x'.repeat((row % 5) + 1),
      }),
    );
    writeFileSync(join(folder, 'data/a.jsonl'), [...rows, 'no JSON {', rows[0] ?? ''].join('\n'));
    writeFileSync(join(folder, 'tiny.ftp'), PIPELINE);
    fresh = planned();
    events = ftpc('run', 'tiny.ftp', '--json')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Event);
    done = planned();
    format = JSON.parse(readFileSync(join(folder, outputs('dialogs')['format'] ?? ''), 'utf8')) as FormatJson;
  });

  it('predicts rows and tokens from a sample: an upper bound, missed by what is dropped', () => {
    expect(scale(fresh, 'rows')).to.include({ rows: 105, known: 'sampled' });
    for (const [name, split] of SPLITS) {
      const predicted = scale(fresh, name);
      const real = format.splits[split];
      expect(predicted.known, name).to.equal('sampled');
      for (const figure of ['rows', 'tokens'] as const)
        expect((predicted[figure] ?? 0) / (real?.[figure] ?? Number.NaN), `${name} ${figure}`).to.be.within(
          0.95,
          1.1,
        );
    }
  });

  it('counts them once they have run', () => {
    expect(scale(done, 'rows')).to.include({ rows: 103, known: 'counted' });
    for (const [name, split] of SPLITS) {
      const { rows, tokens, supervised } = format.splits[split] ?? {};
      expect(scale(done, name), name).to.include({
        rows,
        tokens,
        supervisedTokens: supervised,
        known: 'counted',
      });
    }
    expect(format.splits['all']?.rows).to.equal(103);
  });

  it('predicts the very steps that the trainings take, with accumulation, and by epochs or steps', () => {
    for (const [name, steps] of [
      ['low', 22],
      ['quantised', 4],
      ['whole', 6],
    ] as const) {
      expect(stepsRun(name), name).to.equal(steps);
      expect(scale(fresh, name).steps, name).to.equal(steps);
      expect(scale(done, name).steps, name).to.equal(steps);
    }
    expect(done.stages.find(({ name }) => name === 'low')?.chosen).to.include({
      microBatch: 2,
      accumulation: 4,
    });
  });

  it('counts the tokens of every pass, also of one that is broken off', () => {
    const { train, all } = format.splits;
    expect(scale(done, 'low').tokensSeen).to.equal(2 * (train?.tokens ?? 0));
    // a pass of 103 rows is 3 steps; the fourth sees 50 rows more
    expect(scale(done, 'quantised').tokensSeen).to.equal(Math.round(((all?.tokens ?? 0) / 103) * 153));
    // 6 steps of 7 rows
    expect(scale(done, 'whole').tokensSeen).to.equal(Math.round(((train?.tokens ?? 0) / 83) * 42));
  });

  it('counts trained numbers as the artefacts hold them, and all as PEFT does', () => {
    const base = numbersIn('model/model.safetensors');
    const low = numbersIn(join(outputs('low')['best'] ?? '', 'adapter_model.safetensors'));
    const quantised = numbersIn(join(outputs('quantised')['best'] ?? '', 'adapter_model.safetensors'));
    const expected = {
      low: [low, base + low],
      quantised: [quantised, base + quantised],
      whole: [base, base],
      quality: [null, base],
      fused: [null, base],
    } as const;
    for (const plan of [fresh, done])
      for (const [name, [trainableParameters, totalParameters]] of Object.entries(expected))
        expect(scale(plan, name), name).to.include({ trainableParameters, totalParameters });
  });

  it('fits its schema, and says what it does not know', () => {
    const schema = JSON.parse(readFileSync(join(root, 'docs/schema/plan.json'), 'utf8')) as object;
    const validate = new Ajv2020({ strict: false }).compile(schema);
    for (const plan of [fresh, done]) expect(validate(plan), JSON.stringify(validate.errors)).to.equal(true);
    expect(scale(done, 'fused')).to.include({ rows: null, tokens: null, steps: null, known: null });
    expect(scale(done, 'quality')).to.include({ steps: null, tokensSeen: null });
  });
});
