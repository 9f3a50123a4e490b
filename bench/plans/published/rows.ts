/** Published peaks of GPU memory, with what their sources say of each run: `test/fixtures/published-peaks`. */
import { readFileSync } from 'node:fs';
import type { DecoderFields } from '../../../src/compute/accelerate/memory/index.js';
import type { TrainingRun } from './runs.js';

/** What a source says that it measured. */
export type Measure = 'allocated' | 'reserved' | 'driver' | 'unstated';

/**
 * Files of rows, by when they were looked at: before the tables of the model had been written, after that, and last, after what was
 * missing for the others had been found.
 */
const FILES = { before: 'published.json', after: 'later.json', last: 'unseen.json' } as const;
export type View = keyof typeof FILES;

export interface PublishedRow {
  readonly id: string;
  readonly source: string;
  readonly view: View;
  /** Where in the source. */
  readonly at: string;
  readonly run: TrainingRun;
  /** GiB of one device; a source that leaves its unit open has two ends. Left out where only the outcome is known. */
  readonly peak?: { readonly measure: Measure; readonly low: number; readonly high: number };
  /** Whether it fitted into so many GiB. */
  readonly outcome?: { readonly fits: boolean; readonly capacity: number };
}

type Stored = Omit<TrainingRun, 'model' | 'targets'> & {
  readonly id: string;
  readonly model: string;
  readonly targets?: string;
  readonly source: number;
  readonly at: string;
  readonly measure?: Measure;
  readonly low?: number;
  readonly high?: number;
  /** What the driver showed, GiB, where that was measured, too. */
  readonly shown?: number;
  readonly outcome?: 'fits' | 'oom';
  readonly capacity?: number;
};

interface Published {
  readonly sources: readonly string[];
  readonly models: Readonly<Record<string, DecoderFields>>;
  readonly rows: readonly Stored[];
}

const FOLDER = new URL('../../../../test/fixtures/published-peaks/', import.meta.url);

export const publishedRows = (): readonly PublishedRow[] =>
  (Object.keys(FILES) as View[]).flatMap((view) => rowsOf(view));

function rowsOf(view: View): readonly PublishedRow[] {
  const { sources, models, rows }: Published = JSON.parse(readFileSync(new URL(FILES[view], FOLDER), 'utf8'));
  return rows.flatMap(({ id, model, targets, source, at, measure, low, high, shown, ...more }) => {
    const { outcome, capacity, ...rest } = more;
    const fields = models[model];
    if (fields === undefined) throw new Error(`${id}: there is no shape of ${model}`);
    const row = { id, source: sources[source] ?? '', view, at };
    const run = { ...rest, model: fields, targets: targets?.split(' ') };
    const peak = measure !== undefined && low !== undefined && high !== undefined && { measure, low, high };
    const fits = outcome !== undefined && capacity !== undefined && { fits: outcome === 'fits', capacity };
    return [
      { ...row, run, ...(peak && { peak }), ...(fits && { outcome: fits }) },
      ...(shown === undefined
        ? []
        : [
            {
              ...row,
              id: `${id} driver`,
              run,
              peak: { measure: 'driver' as const, low: shown, high: shown },
            },
          ]),
    ];
  });
}
