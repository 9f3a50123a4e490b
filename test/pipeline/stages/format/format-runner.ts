import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import type { StageEvent } from '../../../../src/language/ir/events.js';
import type { StageResult } from '../../../../src/language/ir/outputs.js';
import type { Call } from '../../../../src/language/ir/program.js';
import type { FormatSettings } from '../../../../src/language/schemas/stages/format.js';
import { run } from '../../../../src/pipeline/stages/format/run.js';
import type { Artefact, StageContext } from '../../../../src/pipeline/stages/stage.js';
import { outputFolder } from '../../../../src/pipeline/store/index.js';
import { contextOf, stageOf } from '../alone.js';

export { SPAN, stageOf } from '../alone.js';

export const host = nodeHost();
export const fixtures = join(host.packageFolder, 'test', 'fixtures', 'format');

export type Row = Readonly<Record<string, unknown>>;

export interface Encoded {
  readonly ids: readonly number[];
  readonly supervised: readonly number[];
}

/** What `record.py` recorded of one tokenizer and its template. */
export interface Cases {
  readonly chats: readonly (
    | ({ readonly row: Row; readonly text: string } & Encoded & {
          readonly trl_assistant?: Encoded;
          readonly trl_completion?: Encoded;
        })
    | { readonly row: Row; readonly error: string }
  )[];
  readonly texts: readonly ({ readonly row: Row } & Encoded)[];
  readonly thinking: readonly { readonly row: Row; readonly text: string }[];
}

export const cases = (name: string): Cases =>
  JSON.parse(readFileSync(join(fixtures, name, 'cases.json'), 'utf8')) as Cases;

export const call = (name: string, args: Call['args'] = {}): Call => ({ call: name, args });

export const modelCall = (name: string): Call => call('local', { folder: join(fixtures, name) });

export function settingsOf(changes: Partial<FormatSettings> = {}): FormatSettings {
  return {
    from: { stage: 'rows', port: '' },
    template: call('chat'),
    model: modelCall('bytes'),
    max_length: 512,
    overflow: 'drop',
    loss_on: 'assistant',
    ...changes,
  };
}

export interface Formatted {
  readonly artefact: Artefact;
  readonly result: StageResult;
  readonly events: readonly StageEvent[];
  json<T>(name: string): T;
}

/** A folder of the test in which format stages run over rows that a data stage would have put out. */
export function world() {
  const folder = mkdtempSync(join(tmpdir(), 'ftpc-format-'));
  let count = 0;
  return {
    folder,
    remove: () => rmSync(folder, { recursive: true, force: true }),
    output: () => join(folder, `format-${count}`),
    /** `splits`: rows by split; row i of all stands in line i + 1 of `rows.jsonl`. */
    async format(
      splits: Readonly<Record<string, readonly Row[]>>,
      changes: Partial<FormatSettings> = {},
      more: Partial<StageContext> = {},
    ): Promise<Formatted> {
      count++;
      const data = join(folder, `data-${count}`);
      const path = join(folder, `format-${count}`);
      for (const made of [data, path]) mkdirSync(made);
      let line = 0;
      for (const [split, rows] of Object.entries(splits)) {
        const lines = rows.map((row) => `${JSON.stringify({ file: 'rows.jsonl', line: ++line, row })}\n`);
        writeFileSync(join(data, `${split}.jsonl`), lines.join(''));
      }
      const stage = stageOf('format', 'dialogs', settingsOf(changes));
      const from = { outputs: {}, metrics: { rows: line } };
      const context = contextOf(stage, folder, {
        inputs: { rows: { stage: stageOf('data', 'rows', {}), path: data, key: 'rows', result: from } },
        output: outputFolder(path),
        ...more,
      });
      const result = await run(context);
      return {
        artefact: { stage, path, key: 'key', result },
        result,
        events: context.events,
        json: (name) => JSON.parse(readFileSync(join(path, name), 'utf8')),
      };
    },
  };
}
