/** Why a stage runs, or why it does not: what its key is made of, against the newest output to compare it with. */
import type { CheckedStage } from '../../../language/check/stages.js';
import { valueText } from '../../../language/check/value-text.js';
import type { Host } from '../../../language/host/host.js';
import type { Reason, StageAction } from '../../../language/ir/events.js';
import type { StageRecord } from '../../../language/ir/outputs.js';
import type { StageKind, Value } from '../../../language/ir/program.js';
import type { SourceMap } from '../../../language/source/text.js';
import { comparableRecord, latestKeys, readRecords } from '../../../pipeline/planner/history.js';
import type { Plan, PlannedStage } from '../../../pipeline/planner/plan-json.js';
import { runReasons } from '../../../pipeline/planner/reasons.js';
import { runIds } from '../../../pipeline/store/index.js';
import { readRun } from '../runs/index.js';
import { type FilePlace, placeOf, writtenIn } from '../settings/setting-places.js';
import { settingsByPath } from '../settings/stage-settings.js';

export type WhyReason = Reason & {
  /** Where a setting is written. */
  readonly at?: FilePlace;
  /** Before and after, of a setting, as a pipeline would have them; `null` if there was, or is, none. */
  readonly written?: readonly [before: string | null, after: string | null];
};

interface EarlierOutput {
  readonly key: string;
  /** The newest run that made or used it; `null` if its journal is gone. */
  readonly run: string | null;
  readonly parts: number;
}

export interface StageReasons {
  readonly stage: string;
  readonly kind: StageKind;
  readonly action: StageAction;
  readonly key: string;
  readonly reasons: readonly WhyReason[];
  /** What it is compared with; of a cached stage, its own output. */
  readonly comparedWith: EarlierOutput | null;
  /** The stages that it reads. */
  readonly inputs: readonly string[];
}

export interface WhyAnswer extends StageReasons {
  readonly version: 1;
  readonly pipeline: string;
  /** Every stage that it follows from, each after its inputs. */
  readonly upstream: readonly StageReasons[];
  /** Stages that follow from it and run too. */
  readonly downstream: readonly string[];
}

interface WhyContext {
  readonly host: Host;
  readonly file: string;
  readonly plan: Plan;
  readonly stages: readonly CheckedStage[];
  readonly inputs: Readonly<Record<string, readonly string[]>>;
  readonly sources: SourceMap;
}

export function whyOf(stage: string, world: WhyContext): WhyAnswer {
  const records = readRecords(world.host);
  const latest = latestKeys(world.host, world.file);
  const others = (name: string): ReadonlySet<string> =>
    new Set(
      world.plan.stages
        .filter((one) => one.name !== name)
        .flatMap((one) => [one.key, latest.get(one.name) ?? '']),
    );
  const runs = runsByKey(world.host);
  const explain = (found: PlannedStage): StageReasons => {
    const { name, kind, action, key } = found;
    const earlier =
      action === 'cached'
        ? records.find((record) => record.key === key)
        : comparableRecord(records, kind, found.parts, latest.get(name), others(name));
    return {
      stage: name,
      kind,
      action,
      key,
      reasons: reasonsOf(found, earlier, world),
      comparedWith:
        earlier === undefined
          ? null
          : {
              key: earlier.key,
              run: runs.get(earlier.key) ?? null,
              parts: Object.keys(earlier.parts).length,
            },
      inputs: world.inputs[name] ?? [],
    };
  };
  const found = world.plan.stages.find(({ name }) => name === stage);
  if (found === undefined) throw new Error(`${stage} is not in the plan`);
  const above = ancestors(stage, world);
  return {
    version: 1,
    pipeline: world.plan.pipeline,
    ...explain(found),
    upstream: world.plan.stages.filter(({ name }) => above.has(name)).map(explain),
    downstream: downstream(stage, world),
  };
}

function reasonsOf(
  { name, action, key, parts, reasons }: PlannedStage,
  earlier: StageRecord | undefined,
  { stages, sources }: WhyContext,
): readonly WhyReason[] {
  // A stage that resumes from its checkpoint has a reason to run at all.
  const all = action === 'resume' ? [...reasons, ...runReasons({ key, parts }, earlier)] : reasons;
  const checked = stages.find(({ stage }) => stage.name === name);
  return all.map((reason): WhyReason => {
    const path = /^settings\.(.+)$/.exec(reason.path ?? '')?.[1];
    if (path === undefined || checked === undefined) return reason;
    const span = writtenIn(checked, path)?.span;
    const at = span === undefined ? undefined : placeOf(span, sources);
    const type = settingsByPath(checked.stage).find((setting) => setting.path === path)?.setting.type;
    const text = (value: unknown): string | null =>
      value === undefined ? null : valueText(value as Value, type);
    return {
      ...reason,
      written: [text(reason.before), text(reason.after)],
      ...(at === undefined ? {} : { at }),
    };
  });
}

/** Runs by the keys of the outputs that they made, newest first. */
function runsByKey(host: Host): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const id of runIds(host).slice(0, MOST_RUNS))
    for (const { key, status } of readRun(host, id, { curves: false }).stages)
      if (key !== null && status === 'done' && !found.has(key)) found.set(key, id);
  return found;
}

/** Runs looked back at, at most. */
const MOST_RUNS = 50;

function ancestors(stage: string, { inputs }: WhyContext): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = (name: string): void => {
    for (const input of inputs[name] ?? []) {
      if (found.has(input)) continue;
      found.add(input);
      visit(input);
    }
  };
  visit(stage);
  return found;
}

function downstream(stage: string, { plan, inputs }: WhyContext): readonly string[] {
  const reached = new Set([stage]);
  // Stages are after their inputs.
  for (const { name } of plan.stages)
    if ((inputs[name] ?? []).some((input) => reached.has(input))) reached.add(name);
  return plan.stages
    .filter(({ name, action }) => name !== stage && reached.has(name) && action !== 'cached')
    .map(({ name }) => name);
}
