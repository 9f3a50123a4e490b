import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { joinedLength } from '../../../../src/compute/training/objectives/joined.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import type { StageEvent } from '../../../../src/language/ir/events.js';
import type { Origin, Stage, Value } from '../../../../src/language/ir/program.js';
import { labelledRow } from '../../../../src/pipeline/stages/format/labelled-rows.js';
import {
  type FormatInfo,
  LengthCounts,
  type SplitInfo,
} from '../../../../src/pipeline/stages/format/split-files.js';
import type { Artefact, StageContext } from '../../../../src/pipeline/stages/stage.js';
import type { TrainPlan } from '../../../../src/pipeline/stages/train-plan/plan.js';
import { outputFolder, workFolder } from '../../../../src/pipeline/store/index.js';
import { fixtureJson, fixturePath } from '../../../compute/training/fixture.js';

export const CHOSEN: TrainPlan = {
  method: 'lora',
  microBatch: 2,
  accumulation: 2,
  maxLength: 64,
  rank: 4,
  alpha: 8,
  checkpointedBlocks: 0,
  logitsChunk: 64,
};

const SPAN = { file: 'test.ftp', start: 0, end: 1 };

interface Row {
  readonly ids: readonly number[];
  readonly labels: readonly number[];
  readonly weights?: readonly number[];
  /** What is asked, in tokens, and the reference. Default: one, and none. */
  readonly prompt?: number;
  readonly answer?: string;
  /** Of a preference. */
  readonly side?: 'chosen' | 'rejected';
}

/** A row of a tokenizer of bytes: a prompt, and the answer that is trained on, ended by `end`. */
export function askedRow(prompt: string, answer: string, end?: number): Row {
  const asked = [...Buffer.from(prompt)];
  const said = [...Buffer.from(answer), ...(end === undefined ? [] : [end])];
  return {
    ids: [...asked, ...said],
    labels: [...asked.map(() => -100), ...said],
    prompt: asked.length,
    answer,
  };
}

export const fixtureRows = (): readonly Row[] => fixtureJson<Row[]>('rows.json');

/** The rows, whose tokens count from nothing to all. */
const weightedRows = (): readonly Row[] =>
  fixtureRows().map((row) => ({ ...row, weights: row.ids.map((id, t) => ((id + t) % 5) / 4) }));

/** The texts, whose first token decides over their label. */
const labelledRows = (labels: number): readonly Row[] =>
  fixtureRows().map(({ ids }) => {
    const row = labelledRow(Int32Array.from(ids), { padId: 2, label: (ids[1] ?? 0) % labels });
    return { ids: [...row.ids], labels: [...row.labels] };
  });

/** Writes what a format stage puts out. */
export function writeFormat(
  folder: string,
  splits: Readonly<Record<string, readonly Row[]>>,
  labels?: readonly string[],
  stopId = 2,
  joined = true,
): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, rows] of Object.entries(splits)) {
    const tokens = Int32Array.from(
      rows.flatMap(({ ids, labels }) => ids.flatMap((id, t) => [id, labels[t] ?? -100])),
    );
    let offset = 0;
    const records = rows.flatMap(({ ids, labels, prompt = 1 }, row) => {
      const record = [offset, ids.length, labels.filter((label) => label >= 0).length, prompt, 0, row + 1];
      offset += ids.length;
      return record;
    });
    writeFileSync(join(folder, `${name}.tokens.bin`), new Uint8Array(tokens.buffer));
    const weights = Float32Array.from(rows.flatMap((row) => row.weights ?? []));
    if (weights.length > 0)
      writeFileSync(join(folder, `${name}.weights.bin`), new Uint8Array(weights.buffer));
    writeFileSync(join(folder, `${name}.rows.bin`), new Uint8Array(Float64Array.from(records).buffer));
    const texts = rows.map(({ answer = '', side }, row) => {
      const preference = side && { side, answer };
      return JSON.stringify({ prompt: '', answer, file: 'rows.jsonl', line: row + 1, preference });
    });
    writeFileSync(join(folder, `${name}.text.jsonl`), `${texts.join('\n')}\n`);
  }
  const info: FormatInfo = {
    version: 1,
    tokenizer: { folder: 'base', sha256: '' },
    template: { sha256: '' },
    files: ['rows.jsonl'],
    splits: Object.fromEntries(
      Object.entries(splits).map(([name, rows]) => [
        name,
        {
          rows: rows.length,
          tokens: rows.reduce((sum, { ids }) => sum + ids.length, 0),
          supervised: rows.reduce((sum, { labels }) => sum + labels.filter((label) => label >= 0).length, 0),
          longest: Math.max(0, ...rows.map(({ ids }) => ids.length)),
          histogram: [],
          ...(joined && pairLengths(rows)),
        },
      ]),
    ),
    stopIds: [stopId],
    padId: 2,
    ...(labels && { labels }),
    ...preferencesIn(Object.values(splits).flat()),
  };
  writeFileSync(join(folder, 'format.json'), JSON.stringify(info));
}

/** As a format stage counts them; of rows that are no pairs nothing. */
function pairLengths(rows: readonly Row[]): Pick<SplitInfo, 'histogram' | 'joined'> | undefined {
  if (preferencesIn(rows).preferences !== 'pairs') return undefined;
  const [texts, joined] = [new LengthCounts(), new LengthCounts()];
  const read = rows.map(({ ids, labels }) => ({
    ids: Int32Array.from(ids),
    labels: Int32Array.from(labels),
  }));
  for (const [row, text] of read.entries()) {
    texts.add(text.ids.length, 0);
    const chosen = read[row - 1];
    if (row % 2 === 1 && chosen !== undefined) joined.add(joinedLength([chosen, text]), 0);
  }
  const { tokens, longest, histogram } = joined;
  return { histogram: texts.histogram, joined: { tokens, longest, histogram } };
}

/** Pairs have a chosen answer before each rejected one. */
function preferencesIn(rows: readonly Row[]): Pick<FormatInfo, 'preferences'> {
  if (rows.every(({ side }) => side === undefined)) return {};
  const isPaired = rows.every(({ side }, row) => side === (row % 2 === 0 ? 'chosen' : 'rejected'));
  return { preferences: isPaired ? 'pairs' : 'judged' };
}

export interface WorldOptions {
  readonly folder: string;
  readonly chosen?: Partial<TrainPlan>;
  readonly settings?: Readonly<Record<string, Value>>;
  readonly origins?: Readonly<Record<string, Origin>>;
  /** Of other stages. */
  readonly inputs?: Readonly<Record<string, Artefact>>;
  readonly output?: string;
  readonly key?: string;
  readonly signal?: AbortSignal;
  /** To train on and to validate; default: the recorded ones. */
  readonly rows?: readonly Row[];
  /** Id that ends an answer. */
  readonly stopId?: number;
  /** The rows are texts, each of one of these. */
  readonly labels?: readonly string[];
  /** Of pairs: whether it is told how long they are where their prompt is computed once; default: yes. */
  readonly joined?: boolean;
  /** Tokens do not count alike. */
  readonly isWeighted?: boolean;
  emit?(event: StageEvent): void;
}

/** A train stage over the recorded rows and base, whose files stand in a folder of the test. */
export function world(options: WorldOptions): StageContext {
  const { folder } = options;
  const format = join(folder, 'format');
  const texts = options.isWeighted === true ? weightedRows() : fixtureRows();
  const rows = options.rows ?? (options.labels === undefined ? texts : labelledRows(options.labels.length));
  writeFormat(
    format,
    { train: rows, valid: rows.slice(0, rows[0]?.side === undefined ? 5 : 6) },
    options.labels,
    options.stopId,
    options.joined,
  );
  const stage = (kind: 'format' | 'train', name: string, settings: Stage['settings']): Stage => ({
    kind,
    name,
    settings,
    origins: options.origins ?? {},
    requires: [],
    inputs: [],
    span: SPAN,
  });
  const settings: Stage['settings'] = {
    base: { call: 'local', args: { folder: fixturePath('base') } },
    dataset: { stage: 'dialogs', port: 'train' },
    validate: { stage: 'dialogs', port: 'valid' },
    lora: { rank: 4, alpha: 8, dropout: 0.1, targets: 'all_linear' },
    optimizer: {
      call: 'adamw',
      args: {
        rate: 0.01,
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
        decay: 0.01,
        schedule: { call: 'cosine', args: { warmup: { unit: 'ratio', value: 0.1 } } },
        clip: 1,
        loraplus_ratio: 1,
      },
    },
    batch: { global: 4 },
    stop: { epochs: 2 },
    checkpoint: { every: 4, keep: 2 },
    fallback: [],
    order: 'shuffled',
    seed: 17,
    ...options.settings,
  };
  const dialogs: Artefact = {
    stage: stage('format', 'dialogs', {}),
    path: format,
    key: 'rows',
    result: { outputs: { train: 'train', valid: 'valid', all: 'all' }, metrics: {} },
  };
  return {
    stage: stage('train', 'adapter', settings),
    inputs: { dialogs, ...options.inputs },
    folder,
    host: nodeHost(folder),
    output: outputFolder(join(folder, options.output ?? 'output')),
    work: workFolder(join(folder, 'work'), () => {}),
    trainPlan: { ...CHOSEN, ...options.chosen },
    key: options.key ?? 'key',
    runtime: 'onnx',
    threads: 1,
    emit: options.emit ?? (() => {}),
    signal: options.signal ?? new AbortController().signal,
  };
}
