import { createHash } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { newTokensOf } from '../../../compute/models/added-tokens.js';
import type { ModelFolder } from '../../../compute/models/load.js';
import { collect, discarded, tidyHeap } from '../../../compute/tensor/garbage.js';
import { counted } from '../../../language/diagnostics/make.js';
import type { OutputFolder } from '../../../language/ir/outputs.js';
import { isReference } from '../../../language/ir/values.js';
import { LABELLED, shownBefore } from '../../../language/schemas/functions/template.js';
import { settingsOf } from '../../../language/schemas/stages/settings.js';
import { dataLines, type LineBatch, readDataRows } from '../data/data-rows.js';
import { type SplitName, splitNames } from '../data/split.js';
import { openResolved } from '../open-models.js';
import { resolveModel } from '../resolve-models.js';
import { type RowPlace, RowReport } from '../row-report.js';
import type { EncoderTask, RunStage, StageContext } from '../stage.js';
import { BatchEncoder, type EncodedRows, placeOf, rowCount } from './encoded-rows.js';
import { encoded, openTaskEncoder } from './encoding.js';
import { lengthTells, nothingKept } from './format-diagnostics.js';
import { LabelCounts, labelsOfRows, lookAlikes } from './labelled-rows.js';
import { PreferenceForm } from './preference-form.js';
import { LengthTally, longerSide } from './preference-rows.js';
import { TOKENS } from './render-row.js';
import type { Row } from './rendered-row.js';
import type { RowEncoder } from './row-encoder.js';
import { rowPrompt, SystemCounts } from './row-prompt.js';
import { type FormatInfo, type SplitInfo, SplitWriter } from './split-files.js';

/** Writes every row of the data stage out as text and tokens; rows that can't be are in the report with their place. */
export const run: RunStage = async (context) => {
  const { stage, host, inputs, output } = context;
  const settings = settingsOf(stage, 'format');
  const data = inputs[settings.from.stage];
  if (data === undefined) throw new Error(`stage ${settings.from.stage} produced no rows`);
  if (settings.model === undefined) throw new Error(`the format ${stage.name} has no model`);
  const resolved = resolveModel(settings.model, context);
  const model = openResolved(host, resolved);
  const labels =
    settings.template.call === LABELLED ? labelsOfRows(host, data.path, settings.template, stage) : undefined;
  noteLookAlikes(context, labels ?? []);
  const numbers = labels && new Map(labels.map((label, number) => [label, number]));
  const digest = tokenizerDigest(model);
  const task: EncoderTask = {
    ...{ stage, data: data.stage, folder: context.folder, cwd: host.cwd, inputs, numbers },
    examples: exampleRows(context),
  };
  const encoder = await openTaskEncoder(model, task);
  if (settings.template.call !== TOKENS && labels === undefined) noteMissingEnd(context, model, encoder);

  const total = data.result.metrics['rows'] ?? 0;
  const all = new SplitWriter(output, 'all');
  const writers = {
    train: new SplitWriter(output, 'train'),
    valid: new SplitWriter(output, 'valid'),
    test: new SplitWriter(output, 'test'),
  };
  const tally = new RowTally(output);
  const splits: Record<string, SplitInfo> = {};
  const { call } = settings.template;
  const here = new BatchEncoder(encoder, call);
  let read = 0;
  const threads = context.encodingThreads?.(task) ?? [];
  for await (const { batch, rows } of encoded(batchesOf(context, data.path), here, threads)) {
    await pause(context, read, total);
    read += batch.rows;
    const files = tally.take(batch.split, rows);
    for (const each of [writers[batch.split], all]) each.add(rows, files);
    // the little of rows that outlives young collections is 25 MiB over a million of them
    tidyHeap();
  }
  for (const split of splitNames) splits[split] = writers[split].close();
  splits['all'] = all.close();
  const { report, kept } = tally;
  const lengths = tally.answers.lengths;
  report.close(kept, lengths && { answers: lengths });
  const longer = lengths && longerSide(lengths);
  if (lengths !== undefined && longer !== undefined) context.warn?.(lengthTells(stage, longer, lengths));
  if (kept === 0) throw nothingKept(stage, settings, report.dropped);
  if (labels !== undefined) tally.counts.check(labels, stage);
  noteAskedOtherwise(context, tally.askedOtherwise);
  await pause(context, read, read);

  const tokenizer = { folder: model.path, sha256: digest, ...newTokensOf(resolved) };
  const prompt = rowPrompt(settings.template, encoder, tally.systems);
  const info = formatInfo(encoder, { tokenizer, splits, labels, prompt, ...tally.info() });
  output.write('format.json', `${JSON.stringify(info, null, 2)}\n`);
  return {
    outputs: { report: 'report.json', format: 'format.json' },
    metrics: { rows: kept, dropped: report.dropped.rows / read, ...tokenMetrics(splits['all']) },
    dropped: report.dropped.toJSON(),
  };
};

const tokenMetrics = ({ tokens, supervised, longest }: SplitInfo) => ({
  supervised: supervised / tokens,
  tokens,
  longest,
});

/** What is counted of the rows while they are written. */
class RowTally {
  kept = 0;
  readonly report: RowReport;
  /** Of labelled rows. */
  readonly counts = new LabelCounts();
  readonly systems = new SystemCounts();
  readonly askedOtherwise = new RowCount();
  /** Of pairs to train on. */
  readonly answers = new LengthTally();
  private readonly preferences = new PreferenceForm();
  private readonly files = new Map<string, number>();

  constructor(output: OutputFolder) {
    this.report = new RowReport(output);
  }

  /** Of each row the number of its file; -1 where it is dropped. */
  take(split: SplitName, rows: EncodedRows): Int32Array {
    return Int32Array.from({ length: rowCount(rows) }, (_, row) => {
      const place = placeOf(rows, row);
      const fault = rows.faults.get(row) ?? this.preferences.add(rows.answers.get(row)?.length);
      if (fault !== undefined) this.report.drop({ ...place, ...fault });
      else this.keep(split, rows, row, place);
      return fault === undefined ? this.indexOf(place.file) : -1;
    });
  }

  private keep(split: SplitName, rows: EncodedRows, row: number, place: RowPlace): void {
    this.kept++;
    if (rows.askedOtherwise.has(row)) this.askedOtherwise.add(place);
    this.systems.add(split, rows.systems.get(row));
    for (const remark of rows.remarks.get(row) ?? []) this.report.warn({ ...place, ...remark });
    if (split === 'train') this.answers.add(rows.answers.get(row) ?? []);
    const label = rows.labels.get(row);
    if (label !== undefined) this.counts.add(split, label, place);
  }

  private indexOf(file: string): number {
    const known = this.files.get(file) ?? this.files.size;
    this.files.set(file, known);
    return known;
  }

  info(): Pick<FormatInfo, 'files' | 'preferences'> {
    return { files: [...this.files.keys()], preferences: this.preferences.form };
  }
}

/** The rows of all splits, some at a time. */
function* batchesOf(
  { host }: StageContext,
  folder: string,
): Iterable<LineBatch & { readonly split: SplitName }> {
  for (const split of splitNames)
    for (const batch of dataLines(host, folder, split)) yield { split, ...batch };
}

/** Rows that are shown solved before others: of a stage that is named, or those that would be trained on. */
function exampleRows({ stage, host, inputs }: StageContext): readonly Row[] {
  const { template, from } = settingsOf(stage, 'format');
  const { examples } = template.args;
  const shown = shownBefore(template);
  if (shown === 0) return [];
  const path = inputs[isReference(examples) ? examples.stage : from.stage]?.path ?? '';
  const splits = isReference(examples) ? splitNames : (['train'] as const);
  const bySubject = new Map<unknown, Row[]>();
  for (const split of splits)
    for (const { row } of readDataRows(host, path, split)) {
      const found = bySubject.get(row['subject']) ?? [];
      bySubject.set(row['subject'], found);
      // one more than are shown: a row is no example of itself
      if (found.length <= shown) found.push(row);
    }
  return [...bySubject.values()].flat();
}

const formatInfo = (
  { templateSource, ownTemplate, stopIds, padId }: RowEncoder,
  {
    tokenizer,
    ...rest
  }: Pick<FormatInfo, 'tokenizer' | 'files' | 'splits' | 'labels' | 'prompt' | 'preferences'>,
): FormatInfo => ({
  version: 1,
  tokenizer,
  template: { sha256: sha256(templateSource), source: ownTemplate },
  stopIds,
  padId,
  ...rest,
});

async function pause({ stage, emit, signal }: StageContext, done: number, total: number): Promise<void> {
  emit({ type: 'stage.progress', stage: stage.name, done, total, unit: 'rows', label: 'writing rows' });
  await turn();
  signal.throwIfAborted();
}

/** Pairs of labels that are named: more of them say nothing new. */
const MOST_PAIRS = 3;

function noteLookAlikes({ stage, emit }: StageContext, labels: readonly string[]): void {
  for (const [one, other] of lookAlikes(labels).slice(0, MOST_PAIRS))
    emit({
      type: 'note',
      stage: stage.name,
      text: `the labels ${JSON.stringify(one)} and ${JSON.stringify(other)} look alike but are treated as two labels`,
    });
}

/** Answers without an end are answers that never stop. */
function noteMissingEnd(
  { stage, emit }: StageContext,
  { path }: ModelFolder,
  { endToken }: RowEncoder,
): void {
  if (endToken !== '') return;
  const text = `the model in ${path} has no end token (eos_token_id), so answers are trained without one`;
  emit({ type: 'note', stage: stage.name, text });
}

/** How many rows, and where the first is. */
class RowCount {
  rows = 0;
  first: RowPlace | undefined;

  add(place: RowPlace): void {
    this.first ??= place;
    this.rows++;
  }
}

/** Nothing that a user could mend, but what the model is trained on is not quite what it is asked. */
function noteAskedOtherwise({ stage, emit }: StageContext, { first, rows }: RowCount): void {
  if (first === undefined) return;
  const text = `the chat template writes what is before an answer differently when that answer is asked for, in ${counted(rows, 'row')}, first ${first.file}:${first.line}`;
  emit({ type: 'note', stage: stage.name, text });
}

const sha256 = (content: string): string => createHash('sha256').update(content).digest('hex');

/** Taken before the tokenizer is made, which takes as much memory again. */
function tokenizerDigest(model: ModelFolder): string {
  const { digest, bytes } = digestOf(model);
  if (bytes === undefined) collect();
  else discarded(bytes);
  return digest;
}

/** `bytes`: of the file, where it is read whole; what its pieces were made of is larger. */
function digestOf(model: ModelFolder): { readonly digest: string; readonly bytes?: number } {
  const file = model.companions().find(({ name }) => name === 'tokenizer.json');
  const hash = createHash('sha256');
  if (file?.pieces !== undefined) {
    for (const piece of file.pieces()) hash.update(piece);
    return { digest: hash.digest('hex') };
  }
  const content = file?.read() ?? '';
  return { digest: hash.update(content).digest('hex'), bytes: content.length };
}
