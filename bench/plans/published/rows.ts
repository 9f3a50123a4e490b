/** Published peaks of GPU memory, with what their sources say of each run: `test/fixtures/published-memory.json`. */
import { readFileSync } from 'node:fs';
import type { DecoderFields } from '../../../src/compute/accelerate/memory/index.js';
import type { TrainingRun } from './runs.js';

/** What a source says that it measured. */
export type Measure = 'allocated' | 'reserved' | 'driver' | 'unstated';

export interface PublishedRow {
  readonly id: string;
  readonly source: string;
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
  readonly outcome?: 'fits' | 'oom';
  readonly capacity?: number;
};

interface Published {
  readonly sources: readonly string[];
  readonly models: Readonly<Record<string, DecoderFields>>;
  readonly rows: readonly Stored[];
}

const FILE = new URL('../../../../test/fixtures/published-memory.json', import.meta.url);

export function publishedRows(): readonly PublishedRow[] {
  const { sources, models, rows }: Published = JSON.parse(readFileSync(FILE, 'utf8'));
  return rows.map(({ id, model, targets, source, at, measure, low, high, outcome, capacity, ...rest }) => {
    const fields = models[model];
    if (fields === undefined) throw new Error(`${id}: there is no shape of ${model}`);
    return {
      id,
      source: sources[source] ?? '',
      at,
      run: { ...rest, model: fields, targets: targets?.split(' ') },
      ...(measure === undefined || low === undefined || high === undefined
        ? {}
        : { peak: { measure, low, high } }),
      ...(outcome === undefined || capacity === undefined
        ? {}
        : { outcome: { fits: outcome === 'fits', capacity } }),
    };
  });
}
