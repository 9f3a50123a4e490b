import { join } from 'node:path';
import { readJsonFile } from '../../../compute/models/read-file.js';
import { ModelError } from '../../../compute/models/types.js';
import {
  type Ending,
  freshState,
  type TrainingState,
  takeIn,
  tokensPerSecond,
} from '../../../compute/training/index.js';
import type { Host } from '../../../language/host/host.js';
import { isJson } from '../../../language/host/json.js';
import type { OutputFolder, StageResult } from '../../../language/ir/outputs.js';
import { isMethod, METHODS, type Method } from '../../../language/schemas/methods.js';
import { RowReport } from '../row-report.js';
import { newFieldName, renamed, residencyFields } from '../train-plan/fields.js';
import type { TrainPlan } from '../train-plan/plan.js';
import type { TrainRows } from './train-rows.js';

/** `metrics.jsonl`: one object per step and per validation, in their order. `judged`: which validations were the best so far. */
export function writeCurves(
  output: Pick<OutputFolder, 'open'>,
  { steps, validations }: TrainingState,
  judged: Parameters<typeof takeIn>[2],
): void {
  const file = output.open('metrics.jsonl');
  const before = freshState();
  let next = 0;
  for (const { step, epoch, loss, learningRate, gradNorm, tokens, seconds, preference } of steps) {
    const speed = tokensPerSecond(tokens, seconds);
    const line = {
      type: 'step',
      step,
      epoch,
      loss,
      learningRate,
      gradNorm,
      tokensPerSecond: speed,
      preference,
    };
    file.write(`${JSON.stringify(line)}\n`);
    for (let found = validations[next]; found?.step === step; found = validations[next]) {
      const best = takeIn(before, found, judged);
      file.write(`${JSON.stringify({ type: 'validation', ...found, best })}\n`);
      next++;
    }
  }
  file.close();
}

/** `report.json`: the rows that were not trained on, in the form of the data and format reports. Their counts, if there are any. */
export function writeReport(output: OutputFolder, rows: TrainRows): Pick<StageResult, 'dropped'> {
  const report = new RowReport(output);
  for (const entry of rows.dropped()) report.drop(entry);
  report.close(rows.count);
  return report.dropped.rows === 0 ? {} : { dropped: report.dropped.toJSON() };
}

interface SummaryInput {
  readonly plan: TrainPlan;
  readonly base: string;
  readonly ending: Ending;
  readonly state: TrainingState;
}

const SUMMARY = 'training.json';

/** `training.json`: how the result came to be. */
export function writeSummary(output: Pick<OutputFolder, 'write'>, summary: SummaryInput): void {
  const { plan, base, ending, state } = summary;
  const content = {
    version: 1,
    method: plan.method,
    base,
    chosen: plan,
    ended: ending,
    steps: state.step,
    best: state.best,
  };
  output.write(SUMMARY, `${JSON.stringify(content, null, 2)}\n`);
}

/** How a base was trained, and where it was in memory. */
interface TrainingSummary {
  readonly method: Method;
  readonly residency: Partial<TrainPlan>;
}

/** What `training.json` of a stage's output says; `undefined` if there is none. Throws a {@link ModelError}. */
export function readSummary(host: Host, folder: string): TrainingSummary | undefined {
  const path = join(folder, SUMMARY);
  if (host.stat(path) === undefined) return undefined;
  const { method, chosen } = readJsonFile(host, path, { code: 'adapter_invalid', maxBytes: 1_000_000 });
  if (isMethod(method))
    return { method, residency: residencyFields(isJson(chosen) ? renamed(chosen, newFieldName) : {}) };
  throw new ModelError(
    'adapter_invalid',
    path,
    `"method" is ${JSON.stringify(method)}; it must be one of ${METHODS.join(', ')}.`,
    'Run the train stage again.',
  );
}

/** The metrics of the stage; the speed is that of the steps alone, without validation and checkpoints. */
export function metricsOf(state: TrainingState): Readonly<Record<string, number>> {
  const sum = (field: 'tokens' | 'seconds'): number =>
    state.steps.reduce((total, step) => total + step[field], 0);
  const last = state.steps.at(-1);
  return {
    steps: state.step,
    tokens_per_second: tokensPerSecond(sum('tokens'), sum('seconds')),
    ...(last === undefined ? {} : { loss: last.loss }),
    ...(state.best === null ? {} : { valid_loss: state.best.loss }),
  };
}
