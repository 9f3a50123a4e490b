/**
 * Questions with choices per second, next to lm-evaluation-harness on the same questions, model and cores: `npm run bench --
 * choices`. The model is the GGUF that `FTPC_BENCH_MODEL` names, or else the starter; `FTPC_PYTHON` is a Python with lm_eval.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { evaluationDecoder } from '../../src/compute/evaluation/evaluation-decoder.js';
import { decoderModel, type LanguageModel } from '../../src/compute/evaluation/language-model.js';
import type { ModelFolder } from '../../src/compute/models/load.js';
import { openModelAt } from '../../src/compute/models/open.js';
import { openRuntime } from '../../src/compute/tensor/runtimes/index.js';
import type { TokenRows } from '../../src/compute/training/batch.js';
import type { Host } from '../../src/language/host/host.js';
import { nodeHost } from '../../src/language/host/node-host.js';
import { openEncoder, type RowEncoder } from '../../src/pipeline/stages/format/row-encoder.js';
import type { BenchmarkOptions } from '../benchmark.js';

/** Questions per second of lm-evaluation-harness, at least. */
const TARGET = 1;

const HEAD = ['| questions | | per second | lm-evaluation-harness | ratio |', '|---|---|---|---|---|'];

type Row = Readonly<Record<string, unknown>>;

export async function* choices({ only = '', repeats = '3' }: BenchmarkOptions): AsyncGenerator<string> {
  const host = nodeHost();
  const path = host.env('FTPC_BENCH_MODEL') ?? join(host.packageFolder, 'stdlib/models/starter');
  const rows = questionRows(host);
  const model = openModelAt(host, path);
  const runtime = await openRuntime(host, 'onnx', { threads: host.machine().cores });
  const weights = model.loadWeights('f32');
  const ours = decoderModel(await evaluationDecoder({ runtime, config: model.config, weights }));
  yield* HEAD;
  const sets = ['mmlu', 'arc', 'hellaswag', 'winogrande'].filter((set) => set.includes(only));
  for (const set of sets) {
    const questions = rows.filter((row) => row['set'] === set);
    const encoder = await encoderOf(model, set, rows);
    // what is compiled at the first call, and what the disk has not read yet
    await secondsOf(ours, encoder, questions);
    const theirs = secondsOfHarness(host, path, set, Number(repeats));
    if (typeof theirs === 'string') return yield theirs;
    let least = Number.POSITIVE_INFINITY;
    for (let turn = 0; turn < Number(repeats); turn++)
      least = Math.min(least, await secondsOf(ours, encoder, questions));
    const [rate, peer] = [questions.length / least, questions.length / theirs];
    const mark = rate >= TARGET * peer ? '' : ' (missed)';
    yield `| ${set} | ${questions.length} | ${rate.toFixed(2)} | ${peer.toFixed(2)} | ${(rate / peer).toFixed(2)}${mark} |`;
  }
  await ours.release();
  yield '';
  yield `target: at least as many; least time of ${repeats} each, on ${host.machine().cores} cores`;
}

const fixture = (host: Host, name: string): string => join(host.packageFolder, 'test/fixtures/choices', name);

const questionRows = (host: Host): readonly Row[] =>
  readFileSync(fixture(host, 'questions.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Row);

/** From the rows to the log-likelihood of every choice. */
async function secondsOf(
  ours: LanguageModel,
  encoder: RowEncoder,
  questions: readonly Row[],
): Promise<number> {
  const start = performance.now();
  await ours.losses(encoded(encoder, questions), { padId: 0, sharesPrefixes: true });
  return (performance.now() - start) / 1000;
}

function encoderOf(model: ModelFolder, set: string, rows: readonly Row[]): Promise<RowEncoder> {
  const args = set === 'mmlu' ? { style: 'letters', few_shot: 2 } : { style: 'endings', few_shot: 0 };
  const examples = { rows: rows.filter((row) => row['set'] === 'mmlu_dev') };
  return openEncoder(
    model,
    {
      from: { stage: 'rows', port: '' },
      model: undefined,
      template: { call: 'choices', args },
      ...{ max_length: 512, overflow: 'drop', loss_on: 'assistant' },
    },
    { name: 'questions', span: { file: '', start: 0, end: 0 } },
    { examples },
  );
}

function encoded(encoder: RowEncoder, questions: readonly Row[]): TokenRows {
  const kept = questions.flatMap((row) => {
    const outcome = encoder.encode(row);
    if ('reason' in outcome) throw new Error(outcome.detail);
    return outcome.kept;
  });
  const rowAt = (row: number) => kept[row] ?? { ids: new Int32Array(), labels: new Int32Array() };
  return { count: kept.length, lengthOf: (row) => rowAt(row).ids.length, read: rowAt };
}

const MEASURED = v.object({ seconds: v.number() });

/** The least of several times, without what loads the model; or why there is none. */
function secondsOfHarness(host: Host, model: string, set: string, repeats: number): number | string {
  const script = join(host.packageFolder, 'bench/peers/choices.py');
  const python = host.env('FTPC_PYTHON') ?? 'python3';
  const words = [script, fixture(host, ''), model, set, String(repeats), String(host.machine().cores)];
  try {
    const said = execFileSync(python, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    return v.parse(MEASURED, JSON.parse(said.trim().split('\n').at(-1) ?? '')).seconds;
  } catch (error) {
    return `${python} has not measured: ${(error instanceof Error ? error.message : String(error)).trim().split('\n').at(-1)}`;
  }
}
