/** What a run leaves for later plans to compare with: a record of each stage in the store, and a journal. */
import { type Folder, journalOf } from './folders.js';

interface Planned {
  readonly name: string;
  readonly kind: string;
  readonly key: string;
  readonly parts: Readonly<Record<string, string>>;
}

export function writeFinishedRun(
  folder: Pick<Folder, 'write'>,
  run: { readonly id: string; readonly pipeline: string; readonly stages: readonly Planned[] },
): void {
  const events = run.stages.flatMap(({ name, kind, key, parts }) => {
    const record = { version: 1, kind, key, parts, files: {}, result: { outputs: {}, metrics: {} } };
    folder.write(
      `.ftp/store/${key}/stage.json`,
      JSON.stringify({ ...record, seconds: 1, peakMemoryBytes: 1 }),
    );
    const outputs = { report: `.ftp/store/${key}/r.json` };
    return [
      { type: 'stage.started', stage: name, kind, action: 'run', reasons: [], key, parts },
      { type: 'stage.finished', stage: name, kind, status: 'done', outputs },
    ];
  });
  const lines = [{ type: 'run.started', runId: run.id, pipeline: run.pipeline }, ...events];
  folder.write(journalOf(run.id), `${lines.map((line) => JSON.stringify(line)).join('\n')}\n`);
}
