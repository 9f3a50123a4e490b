import { createHash } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import type { ModelFolder } from '../../../compute/models/load.js';
import { discarded } from '../../../compute/tensor/garbage.js';
import { counted } from '../../../language/diagnostics/make.js';
import type { OutputFolder } from '../../../language/ir/outputs.js';
import { isReference } from '../../../language/ir/values.js';
import { CHOICES, LABELLED, shownBefore } from '../../../language/schemas/functions/template.js';
import { settingsOf } from '../../../language/schemas/stages/settings.js';
import { readDataRows } from '../data/data-rows.js';
import { ownNamesOf } from '../data/sources.js';
import { type SplitName, splitNames } from '../data/split.js';
import { openResolved } from '../open-models.js';
import { resolveModel } from '../resolve-models.js';
import { type RowPlace, RowReport } from '../row-report.js';
import type { RunStage, StageContext } from '../stage.js';
import { lengthTells, nothingKept } from './format-diagnostics.js';
import { LabelCounts, labelsOfRows, lookAlikes } from './labelled-rows.js';
import { LengthTally, longerSide, PreferenceForm } from './preference-rows.js';
import { TOKENS } from './render-row.js';
import type { Row } from './rendered-row.js';
import { type EncodingResult, type KeptRow, openEncoder, type RowEncoder } from './row-encoder.js';
import { rowPrompt, SystemCounts } from './row-prompt.js';
import { type FormatInfo, type SplitInfo, SplitWriter } from './split-files.js';

/** Rows between two looks at signals and two progress events. */
const STRIDE = 256;

/** Writes every row of the data stage out as text and tokens; rows that can't be are in the report with their place. */
export const run: RunStage = async (context) => {
  const { stage, host, inputs, output } = context;
  const settings = settingsOf(stage, 'format');
  const data = inputs[settings.from.stage];
  if (data === undefined) throw new Error(`stage ${settings.from.stage} produced no rows`);
  if (settings.model === undefined) throw new Error(`the format ${stage.name} has no model`);
  const model = openResolved(host, resolveModel(settings.model, context));
  const labels =
    settings.template.call === LABELLED ? labelsOfRows(host, data.path, settings.template, stage) : undefined;
  noteLookAlikes(context, labels ?? []);
  const numbers = labels && new Map(labels.map((label, number) => [label, number]));
  const digest = tokenizerDigest(model);
  const known = { numbers, own: ownNamesOf(data.stage), examples: { rows: exampleRows(context) } };
  const encoder = await openEncoder(model, settings, stage, known);
  if (settings.template.call !== TOKENS && labels === undefined) noteMissingEnd(context, model, encoder);

  const total = data.result.metrics['rows'] ?? 0;
  const all = new SplitWriter(output, 'all');
  const tally = new RowTally(output, labels !== undefined);
  const splits: Record<string, SplitInfo> = {};
  let read = 0;
  for (const split of splitNames) {
    const writer = new SplitWriter(output, split);
    for (const { file, line, row } of readDataRows(host, data.path, split)) {
      if (read % STRIDE === 0) await pause(context, read, total);
      read++;
      const outcome = tally.take(split, { file, line }, encoder.encode(row));
      if (outcome === undefined) continue;
      const marks = marksOf(row, settings.template.call, outcome.rendered.given);
      const origin = { file, fileIndex: tally.indexOf(file), line, ...marks };
      for (const each of [writer, all]) each.addPieces(outcome.kept, outcome.rendered, origin);
    }
    splits[split] = writer.close();
  }
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

  const tokenizer = { folder: model.path, sha256: digest };
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

  constructor(
    output: OutputFolder,
    private readonly isLabelled: boolean,
  ) {
    this.report = new RowReport(output);
  }

  /** The row, if it is kept. */
  take(split: SplitName, place: RowPlace, outcome: EncodingResult): KeptRow | undefined {
    const fault = 'reason' in outcome ? outcome : this.preferences.add(outcome.kept);
    if (fault !== undefined) this.report.drop({ ...place, ...fault });
    if (fault !== undefined || 'reason' in outcome) return undefined;
    this.kept++;
    const { rendered, remarks } = outcome;
    if (rendered.askedOtherwise === true) this.askedOtherwise.add(place);
    this.systems.add(split, rendered.system);
    if (split === 'train') this.answers.add(outcome.kept);
    for (const remark of remarks) this.report.warn({ ...place, ...remark });
    if (this.isLabelled) this.counts.add(split, rendered.answer, place);
    return outcome;
  }

  indexOf(file: string): number {
    const known = this.files.get(file) ?? this.files.size;
    this.files.set(file, known);
    return known;
  }

  info(): Pick<FormatInfo, 'files' | 'preferences'> {
    return { files: [...this.files.keys()], preferences: this.preferences.form };
  }
}

/** What an evaluation tells rows apart by. */
const marksOf = (row: Row, template: string, given: readonly string[]) => ({
  kind: kindOf(row, template),
  harm: harmOf(row, given),
});

/** Whether a row asks for harm, where it says so in `harmful`, and its question: the text before the last one that it brought. */
function harmOf(row: Row, given: readonly string[]): { asked: boolean; request: string } | undefined {
  const { harmful, instruction } = row;
  if (typeof harmful !== 'boolean') return undefined;
  const request = typeof instruction === 'string' ? instruction : (given.at(-2) ?? given[0] ?? '');
  return { asked: harmful, request };
}

/** What sort of row it is, where the data says so: of a question, also its subject. */
const kindOf = (row: Row, template: string): string | undefined =>
  [row['kind'], ...(template === CHOICES ? [row['subject']] : [])].find((name) => typeof name === 'string');

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

const sha256 = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex');

/** Taken before the tokenizer is made: the text of one in a GGUF file takes as much memory again. */
function tokenizerDigest(model: ModelFolder): string {
  const file = model.companions().find(({ name }) => name === 'tokenizer.json');
  const content = file?.read() ?? '';
  discarded(content.length);
  return sha256(content);
}
