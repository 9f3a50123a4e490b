import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { EvaluationReport } from '../../compute/evaluation/report.js';
import { UserError } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import { checkJson, JsonFault, parseFlat } from '../../language/host/json.js';
import type { Plan } from '../../pipeline/planner/plan-json.js';
import { FORMAT_INFO } from '../../pipeline/stages/format/split-files.js';
import {
  journalPath,
  openStore,
  readJournal,
  reportPath,
  type Store,
  writeWhole,
} from '../../pipeline/store/index.js';
import { answered } from '../insight/checklist/index.js';
import type { Lengths, ReportInput, RowsReport, WhatRan } from '../insight/report/input.js';
import { whatRan } from '../insight/report/ran-settings.js';
import { renderReport } from '../insight/report/report.js';
import { readRun } from '../insight/runs/index.js';
import type { Pipeline } from '../insight/settings/explain.js';
import type { Executed } from './execute.js';

/** Rows of a length histogram of a format stage: each bar is this many tokens wide. */
const BAR = 16;

/** Gathers what a run left, and writes its page; the page's path, or `undefined` for a run that never began. */
export async function writeReport(
  host: Host,
  {
    runId,
    plan,
    stages,
    findings,
    pipeline,
    program,
    threads,
    tracked,
  }: Executed & Pick<ReportInput, 'tracked'>,
): Promise<string | undefined> {
  const store = openStore(host.cwd, host.store);
  if (!existsSync(journalPath(store.layout, runId))) return undefined;
  const path = reportPath(store.layout, runId);
  const rows: Record<string, RowsReport> = {};
  const lengths: Record<string, readonly Lengths[]> = {};
  const evaluations: Record<string, EvaluationReport> = {};
  for (const { name, kind, outputs } of stages) {
    const file = outputs['report'];
    const report = file === undefined ? undefined : readJson(join(host.cwd, file));
    if (report === undefined) continue;
    if (kind === 'data' || kind === 'format') rows[name] = report as RowsReport;
    if (kind === 'eval')
      evaluations[name] = { ...(report as EvaluationReport), requires: findings[name] ?? [] };
    if (kind === 'format') lengths[name] = lengthsNextTo(join(host.cwd, outputs['format'] ?? ''));
  }
  const page = renderReport({
    events: readJournal(store.layout, runId),
    curves: readRun(host, runId).stages,
    plan,
    ...(pipeline === undefined ? {} : { ran: ranOf(host, pipeline, threads) }),
    ...(tracked === undefined ? {} : { tracked }),
    rows,
    lengths,
    evaluations,
    ...(program && plan && pipeline
      ? { checklist: await answered(host, { ...pipeline, program, plan }) }
      : {}),
    manifest: manifestOf(
      store,
      plan,
      stages.map(({ name }) => name),
    ),
  });
  try {
    writeWhole(path, page, { sync: false });
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
  return relative(host.cwd, path);
}

const ranOf = (host: Host, pipeline: Pipeline, threads: number): WhatRan => ({
  ...whatRan(pipeline.analysis.main.path, pipeline),
  machine: host.machine(),
  system: `${process.platform} ${process.arch}, Node.js ${process.versions.node}`,
  threads,
});

function readJson(path: string): unknown {
  try {
    return parseFlat(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

function lengthsNextTo(path: string): readonly Lengths[] {
  const info = checkJson(FORMAT_INFO, readJson(path));
  if (info instanceof JsonFault) return [];
  return Object.entries(info.splits)
    .filter(([split, { rows }]) => split !== 'all' && rows > 0)
    .map(([split, { histogram }]) => ({ split, width: BAR, counts: histogram }));
}

function manifestOf(store: Store, plan: Plan | undefined, names: readonly string[]): ReportInput['manifest'] {
  return (plan?.stages ?? [])
    .filter(({ name }) => names.includes(name))
    .flatMap(({ name, key }) => {
      const entry = store.find(key);
      return entry === undefined ? [] : [{ stage: name, key, files: entry.record.files }];
    });
}
