/** What earlier runs left: which of their records a stage that is not in the store should be compared with. */
import { resolve } from 'node:path';
import type { Host } from '../../language/host/host.js';
import { anyObject, type Json, tryJson, tryJsonFile } from '../../language/host/json.js';
import { STAGE_RECORD, type StageRecord } from '../../language/ir/outputs.js';
import { FIELDS, newPartName, renamed } from '../stages/train-plan/fields.js';
import { journalPath, keyOfOutputs, layoutOf, lineReader, runIds, storesOf } from '../store/index.js';

/** Records of the store, newest first. Damaged ones are left out: they serve comparison, not reuse. */
export function readRecords(host: Host, folders = storesOf(layoutOf(host))): readonly StageRecord[] {
  return folders
    .filter((folder) => host.stat(folder)?.isFolder === true)
    .flatMap((folder) => host.list(folder).map((key) => `${folder}/${key}/stage.json`))
    .flatMap((path) => {
      const stat = host.stat(path);
      const record = stat && tryJsonFile(STAGE_RECORD, host, path);
      if (stat === undefined || record === undefined) return [];
      return [{ record: { ...record, parts: renamed(record.parts, newPartName) }, modified: stat.modified }];
    })
    .sort((a, b) => b.modified - a.modified)
    .map(({ record }) => record);
}

/** Runs looked back at, at most. */
export const MOST_RUNS = 50;

/** Keys of the stages of a pipeline as its runs last completed them, by stage name: from the journals, newest first. */
export function latestKeys(host: Host, pipeline: string): ReadonlyMap<string, string> {
  const keys = new Map<string, string>();
  for (const id of runIds(host).slice(0, MOST_RUNS)) {
    const lines = events(host.readText(journalPath(layoutOf(host), id)), ['stage.finished']);
    if (!isOf(lines, host, pipeline)) continue;
    for (const line of lines) {
      const stage = line['stage'];
      const key = line['type'] === 'stage.finished' ? keyOfOutputs(line['outputs']) : undefined;
      if (typeof stage === 'string' && key !== undefined && !keys.has(stage)) keys.set(stage, key);
    }
  }
  return keys;
}

/** Whether events are of a run of this pipeline. */
export function isOf(lines: readonly Json[], host: Host, pipeline: string): boolean {
  const asked = lines.find((line) => line['type'] === 'run.started')?.['pipeline'];
  return typeof asked === 'string' && resolve(host.cwd, asked) === resolve(host.cwd, pipeline);
}

/** Only the few events that are looked for are parsed: a journal has a line for every step. */
export function events(journal: string, types: readonly string[]): readonly Json[] {
  const read = lineReader(journal);
  const wanted = ['run.started', ...types].map((type) => `"${type}"`);
  return journal
    .split('\n')
    .filter((line) => wanted.some((type) => line.includes(type)))
    .map((line) => tryJson(anyObject, read(line) ?? ''))
    .filter((event) => event !== undefined);
}

/**
 * What a stage should be compared with: its own last record, or, where it has none, the record of the same kind from
 * which hardly anything differs: the stage before it was renamed. `others` are keys of the other stages' records: a
 * stage that is new next to them is no change of theirs.
 */
export function comparableRecord(
  records: readonly StageRecord[],
  kind: string,
  parts: Readonly<Record<string, string>>,
  latest: string | undefined,
  others: ReadonlySet<string> = new Set(),
): StageRecord | undefined {
  const own = records.find(({ key }) => key === latest);
  if (own !== undefined) return own;
  let best: { record: StageRecord; distance: number } | undefined;
  for (const record of records) {
    if (record.kind !== kind || others.has(record.key)) continue;
    const distance = differences(record.parts, parts).length;
    if (best === undefined || distance < best.distance) best = { record, distance };
  }
  return best !== undefined && best.distance <= ALIKE ? best.record : undefined;
}

/** Parts in which two stages of one kind may differ and still be taken for one. */
const ALIKE = 2;

export interface Difference {
  readonly name: string;
  readonly before?: string;
  readonly after?: string;
}

/** Names whose values differ, sorted. A file or stage that only has another name is no difference. */
export function differences(
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): readonly Difference[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  const all = names.flatMap((name): readonly Difference[] =>
    before[name] === after[name] ? [] : [{ name, before: before[name], after: after[name] }],
  );
  const renamed = new Set<Difference>();
  for (const gone of all.filter((one) => one.after === undefined && /^(file|stage):/.test(one.name))) {
    const come = all.find(
      (one) => one.before === undefined && one.after === gone.before && !renamed.has(one) && one !== gone,
    );
    if (come !== undefined) {
      renamed.add(gone);
      renamed.add(come);
    }
  }
  return all.filter((one) => !renamed.has(one));
}

/** For people: what the planner chose as the file has it is told once, as the setting that it is. */
export function toldDifferences(
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): readonly Difference[] {
  const all = differences(before, after);
  return all.filter((one) => {
    const field = FIELDS.find(({ key }) => key !== undefined && one.name === `chosen.${key}`);
    const setting = all.find(({ name }) => field !== undefined && name === `settings.${field.setting}`);
    return setting?.before !== one.before || setting?.after !== one.after;
  });
}
