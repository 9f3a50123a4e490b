/** What the next plan says of trainings that diverged and went back when they were last run. */
import type { Diagnostic } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import { isJson, type Json } from '../../language/host/json.js';
import { divergenceAnswer } from '../stages/train/setbacks.js';
import { journalPath, layoutOf, runIds } from '../store/index.js';
import { events, isOf, MOST_RUNS } from './history.js';
import type { PlanContext } from './plan-context.js';
import { divergedBefore } from './plan-diagnostics.js';

/** The part of a key that the rate is in: where that has changed, the file says something else by now. */
const OPTIMIZER = 'settings.optimizer';

/** Trainings that went back as they diverged when they were last run, and have the same optimiser still. */
export function wentBack({
  program,
  host,
  keys,
}: Pick<PlanContext, 'program' | 'host' | 'keys'>): readonly Diagnostic[] {
  const recovering = program.stages.filter(
    (stage) => stage.kind === 'train' && typeof divergenceAnswer(stage) !== 'string',
  );
  if (recovering.length === 0) return [];
  const latest = latestSetbacks(host, program.file);
  return recovering.flatMap((stage) => {
    const trained = latest.get(stage.name);
    const isSame = trained?.parts[OPTIMIZER] === keys.get(stage.name)?.parts[OPTIMIZER];
    if (trained === undefined || !isSame) return [];
    const { setbacks, hasFailed } = trained;
    const answer = divergenceAnswer(stage);
    const isOver = hasFailed && typeof answer !== 'string' && setbacks.length >= answer.times;
    return [divergedBefore(stage, setbacks, isOver)];
  });
}

/** A training that went back as it diverged, in the run that began it last. */
interface TrainedBack {
  /** What its key was a digest of. */
  readonly parts: Readonly<Record<string, string>>;
  /** In order: why, the step that it went back to, and what was left of the rate. */
  readonly setbacks: readonly { readonly cause: string; readonly to: number; readonly factor: number }[];
  /** It ended with an error: after its last setback, it diverged once more. */
  readonly hasFailed: boolean;
}

/** By stage name; of stages whose last run went back. */
function latestSetbacks(host: Host, pipeline: string): ReadonlyMap<string, TrainedBack> {
  const found = new Map<string, TrainedBack>();
  for (const id of runIds(host).slice(0, MOST_RUNS)) {
    const lines = events(host.readText(journalPath(layoutOf(host), id)), [
      'stage.started',
      'recovery',
      'stage.finished',
    ]);
    if (!isOf(lines, host, pipeline)) continue;
    for (const { type, stage, action, parts } of lines) {
      if (type !== 'stage.started' || action === 'cached' || typeof stage !== 'string' || found.has(stage))
        continue;
      const setbacks = lines.flatMap((line) => (line['stage'] === stage ? setbackOf(line) : []));
      const hasFailed = lines.some(
        (line) =>
          line['type'] === 'stage.finished' &&
          line['stage'] === stage &&
          line['status'] === 'failed' &&
          line['interrupted'] !== true,
      );
      found.set(stage, { parts: entriesOf(parts), setbacks, hasFailed });
    }
  }
  return new Map([...found].filter(([, { setbacks }]) => setbacks.length > 0));
}

function setbackOf({ type, cause, change }: Json): TrainedBack['setbacks'] {
  if (type !== 'recovery' || typeof cause !== 'string' || !isJson(change)) return [];
  const { rate, from_step: to } = change;
  const factor = Number.parseFloat(String(rate)) / 100;
  return typeof to === 'number' && Number.isFinite(factor) ? [{ cause, to, factor }] : [];
}

const entriesOf = (value: unknown): Readonly<Record<string, string>> =>
  isJson(value) ? Object.fromEntries(Object.entries(value).map(([name, each]) => [name, String(each)])) : {};
