/** What the ranks read of preferences: texts that end in an answer, and what the reference is asked. */
import { join } from 'node:path';
import type {
  ObjectiveSpec,
  PairBatches,
  PairSpec,
  PreferencesSpec,
  ReferenceSpec,
  TrainSpec,
} from '../../../../compute/accelerate/spec.js';
import { IGNORED, microBatches, type TokenRow } from '../../../../compute/training/batch.js';
import {
  isPaired,
  type Mismatch,
  mismatchedText,
  neighbours,
  type PreferenceObjective,
  type PreferenceRows,
  type TrainingSettings,
  textLabels,
  textsIn,
} from '../../../../compute/training/index.js';
import type { OutputFolder } from '../../../../language/ir/outputs.js';
import type { TrainPlan } from '../../train-plan/plan.js';
import { type AskedOfReference, askedOfReference, keptName } from '../preferences/asked.js';
import type { PreferenceSplit } from '../preferences/preference-rows.js';
import { PIECE } from '../preferences/references.js';
import type { LearnedPreferences } from '../train-task.js';
import { type CutStep, type TextRows, writeRows, writeSteps } from './input-files.js';

/** What ranks are told of preferences; what they keep goes below `folder`. */
export function writePreferences(
  output: OutputFolder,
  preferences: LearnedPreferences,
  {
    plan,
    settings,
    folder,
    other = null,
  }: { plan: TrainPlan; settings: TrainingSettings; folder: string; other?: PreferencesSpec['other'] },
): Pick<TrainSpec, 'rows' | 'validation' | 'steps' | 'preferences'> {
  const { objective, rows, validation } = preferences;
  const asked = askedOfReference(preferences, settings);
  const ask = (of: AskedOfReference | undefined): ReferenceSpec | null =>
    of === undefined
      ? null
      : {
          ...writeAsked(output, `reference-${of.name}.jsonl`, of, settings.microBatch),
          folder: join(folder, 'references', keptName(plan, of)),
        };
  const cut = preferenceCuts(objective, rows, settings.microBatch);
  const told: PreferencesSpec = {
    objective: objectiveSpec(objective),
    limit: rows.limit,
    other,
    reference: ask(asked?.train),
    validation_reference: ask(asked?.valid),
  };
  return {
    rows: { file: writeRows(output, 'rows.safetensors', preferenceTexts(objective, rows)) },
    validation: heldOut(output, objective, validation, settings.microBatch),
    steps: writeSteps(output, 'steps.jsonl', settings, { rows, cut }),
    preferences: told,
  };
}

function objectiveSpec(objective: PreferenceObjective): ObjectiveSpec {
  if (objective.kind !== 'dpo') return objective;
  const { labelSmoothing, ...others } = objective;
  return { ...others, label_smoothing: labelSmoothing };
}

/** All of it is one batch. */
function heldOut(
  output: OutputFolder,
  objective: PreferenceObjective,
  source: PreferenceSplit | undefined,
  microBatch: number,
): TrainSpec['validation'] {
  if (source === undefined || source.count === 0) return null;
  const all = Uint32Array.from({ length: source.count }, (_, row) => row);
  const { micro, others = null } = preferenceCuts(objective, source, microBatch)(all);
  return {
    file: writeRows(output, 'validation.safetensors', preferenceTexts(objective, source)),
    batches: micro.map((texts) => texts.flat()),
    others,
  };
}

const textsOfRow = (objective: PreferenceObjective): number => (isPaired(objective) ? 2 : 1);

/** Every text of a split; of pairs, text 2r is the chosen one of row r, and 2r + 1 the rejected one. */
function preferenceTexts(objective: PreferenceObjective, source: PreferenceSplit): TextRows {
  const each = textsOfRow(objective);
  const read = (number: number) => {
    const text = textsIn(source, Uint32Array.of(Math.floor(number / each)))[number % each];
    if (text === undefined) throw new RangeError(`there is no text ${number}`);
    return text;
  };
  return {
    count: each * source.count,
    lengthOf: (number) => source.lengthsOf(Math.floor(number / each))[number % each] ?? 0,
    read(number): TokenRow {
      const text = read(number);
      return { ids: text.ids, labels: textLabels(objective, text) };
    },
    answerOf(number) {
      const { labels } = read(number);
      const first = labels.findIndex((label) => label !== IGNORED);
      return first < 0 ? 0 : labels.length - first;
    },
    ...(!isPaired(objective) && {
      isGood(number: number) {
        const row = source.read(number);
        return 'answer' in row && row.isDesirable;
      },
    }),
  };
}

/** As the embedded engine cuts: texts of a micro batch have their rows' order, chosen ones before rejected ones. */
function preferenceCuts(objective: PreferenceObjective, source: PreferenceRows, microBatch: number): CutStep {
  const sides = isPaired(objective) ? [0, 1] : [0];
  const textsOf = (rows: Uint32Array): number[][] =>
    sides.flatMap((side) => Array.from(rows, (row) => [sides.length * row + side]));
  return (global) => ({
    micro: microBatches(global, microBatch, (row) => source.lengthOf(row)).map(textsOf),
    ...(objective.kind === 'kto' && { others: pairBatches(neighbours(global), source, microBatch) }),
  });
}

/** Pairs of like length together, the longest first. */
function pairBatches(pairs: readonly Mismatch[], source: PreferenceRows, microBatch: number): PairBatches {
  const lengths = pairs.map((pair) => mismatchedText(source, pair).ids.length);
  return microBatches(Uint32Array.from(pairs.keys()), microBatch, (at) => lengths[at] ?? 0).map((cut) =>
    Array.from(cut, (at) => pairs[at] ?? [0, 0]),
  );
}

/** Line by line a piece of what is asked, which is kept when it is known. */
function writeAsked(
  output: OutputFolder,
  name: string,
  asked: AskedOfReference,
  microBatch: number,
): Pick<ReferenceSpec, 'file' | 'pairs'> {
  const file = output.open(name);
  let pairs = 0;
  try {
    for (const piece of piecesOf(asked)) {
      const lengths = piece.map(({ length }) => length);
      const cuts = microBatches(Uint32Array.from(piece.keys()), microBatch, (at) => lengths[at] ?? 0);
      const batches = cuts.map((cut) => Array.from(cut, (at) => piece[at]?.pair ?? [0, 0]));
      file.write(`${JSON.stringify(batches)}\n`);
      pairs += piece.length;
    }
  } finally {
    file.close();
  }
  return { file: `${output.path}/${name}`, pairs };
}

interface AskedPair {
  readonly pair: PairSpec;
  /** Tokens of the text. */
  readonly length: number;
}

function* piecesOf(asked: AskedOfReference): Iterable<readonly AskedPair[]> {
  let piece: AskedPair[] = [];
  for (const each of pairsOf(asked)) {
    piece.push(each);
    if (piece.length < PIECE) continue;
    yield piece;
    piece = [];
  }
  if (piece.length > 0) yield piece;
}

/** Each once: rows' own texts, then prompts with the answers of others, of rows that have one text each. */
function* pairsOf({ source, rows, batches }: AskedOfReference): Iterable<AskedPair> {
  for (const row of rows) {
    const lengths = source.lengthsOf(row);
    for (const [side, length] of lengths.entries()) {
      const text = lengths.length * row + side;
      yield { pair: [text, text], length };
    }
  }
  const seen = new Set<number>();
  for (const batch of batches)
    for (const pair of neighbours(batch)) {
      const key = pair[0] * source.count + pair[1];
      if (pair[0] === pair[1] || seen.has(key)) continue;
      seen.add(key);
      yield { pair, length: mismatchedText(source, pair).ids.length };
    }
}
