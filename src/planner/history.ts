/** What earlier runs left: which of their records a stage that is not in the store should be compared with. */
import type { StageRecord } from '../ir/outputs.js';
import type { Host } from '../source/host.js';

/** Records of the store, newest first. Unreadable ones are left out: they serve comparison, not reuse. */
export function readRecords(host: Host, folder = `${host.cwd}/.ftp/store`): readonly StageRecord[] {
  if (host.stat(folder)?.isFolder !== true) return [];
  return host
    .list(folder)
    .flatMap((key) => {
      const path = `${folder}/${key}/stage.json`;
      const stat = host.stat(path);
      const record = stat === undefined ? undefined : readRecord(host, path);
      return stat === undefined || record === undefined ? [] : [{ record, modified: stat.modified }];
    })
    .sort((a, b) => b.modified - a.modified)
    .map(({ record }) => record);
}

function readRecord(host: Host, path: string): StageRecord | undefined {
  try {
    const record = JSON.parse(host.readText(path)) as StageRecord;
    return record.version === 1 && typeof record.parts === 'object' ? record : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The record of the same kind from which the fewest parts differ, the newest of several: the stage as it was before
 * the change, whatever it is called now. `undefined` where hardly anything is shared: that was another stage.
 */
export function nearestRecord(
  records: readonly StageRecord[],
  kind: string,
  parts: Readonly<Record<string, string>>,
): StageRecord | undefined {
  let best: { record: StageRecord; distance: number } | undefined;
  for (const record of records) {
    if (record.kind !== kind) continue;
    const distance = differences(record.parts, parts).length;
    if (best === undefined || distance < best.distance) best = { record, distance };
  }
  if (best === undefined) return undefined;
  const size = Object.keys(parts).length;
  return best.distance <= Math.max(4, size / 2) ? best.record : undefined;
}

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
