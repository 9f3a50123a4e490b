/** Between a reviewed plan and what is kept of it. */

import { newSettingName, renamed } from '../../../pipeline/stages/train-plan/fields.js';
import {
  FIGURES,
  type FigureName,
  type Figures,
  type PlanOutline,
  type SettingOutline,
  type StageOutline,
} from '../types.js';
import {
  SNAPSHOT_VERSION,
  type Snapshot,
  type SnapshotFigures,
  type SnapshotMachine,
  type SnapshotStage,
} from './snapshot.js';

const MIB = 2 ** 20;

export function toSnapshot(
  { computing, stages, budget, diagnostics }: PlanOutline,
  machine: SnapshotMachine,
  params: Readonly<Record<string, string>>,
): Snapshot {
  return {
    version: SNAPSHOT_VERSION,
    machine,
    params: Object.fromEntries(Object.entries(params).sort(([a], [b]) => (a < b ? -1 : 1))),
    ...(computing === undefined ? {} : { computing }),
    stages: stages.map(keptStage),
    budget: budget.map(({ require, holds }) => ({ require, holds })),
    diagnostics: diagnostics.map(({ code, severity, message }) => ({ code, severity, message })),
  };
}

function keptStage({ name, kind, settings, requires, figures }: StageOutline): SnapshotStage {
  const texts = (isChosen: boolean): Readonly<Record<string, string>> =>
    Object.fromEntries(
      Object.entries(settings).flatMap(([path, { text, from }]) =>
        (from === 'planner') === isChosen ? [[path, text]] : [],
      ),
    );
  return { name, kind, settings: texts(false), chosen: texts(true), requires, figures: keptFigures(figures) };
}

/** Times are those of a machine; what is published follows from the settings. */
const NOT_KEPT: ReadonlySet<FigureName> = new Set(['seconds', 'publishedFiles', 'publishedBytes']);

/** Only what is known; bytes are rounded, since a reviewer cares for no single one. */
function keptFigures(figures: Figures): SnapshotFigures {
  const known = FIGURES.flatMap((figure) => {
    const value = figures[figure] ?? null;
    if (value === null || NOT_KEPT.has(figure)) return [];
    return [
      figure === 'peakBytes' ? (['peakMiB', Math.round(value / MIB)] as const) : ([figure, value] as const),
    ];
  });
  return Object.fromEntries(known);
}

const figuresOf = ({ peakMiB, ...figures }: SnapshotFigures): Figures =>
  peakMiB === undefined ? figures : { ...figures, peakBytes: peakMiB * MIB };

/** What a snapshot says, for a comparison. */
export function fromSnapshot({ computing, stages, budget, diagnostics }: Snapshot): PlanOutline {
  return {
    ...(computing === undefined ? {} : { computing }),
    stages: stages.map(({ name, kind, settings, chosen, requires, figures }) => ({
      name,
      kind,
      settings: { ...reviewedTexts(settings), ...reviewedTexts(renamed(chosen, newSettingName), 'planner') },
      requires,
      figures: figuresOf(figures),
    })),
    budget,
    diagnostics,
    valid: diagnostics.every(({ severity }) => severity !== 'error'),
  };
}

const reviewedTexts = (
  texts: Readonly<Record<string, string>>,
  from?: SettingOutline['from'],
): Readonly<Record<string, SettingOutline>> =>
  Object.fromEntries(
    Object.entries(texts).map(([path, text]) => [path, from === undefined ? { text } : { text, from }]),
  );

/** A plan as the snapshot would say it, with what only the plan has: who set a value, and what it refers to. */
export const asKept = (outline: PlanOutline): PlanOutline => ({
  ...outline,
  stages: outline.stages.map(({ identity: _, figures, ...stage }) => ({
    ...stage,
    figures: figuresOf(keptFigures(figures)),
  })),
});
