/** A stage by itself: no store, no process, and everything that it says is kept. */

import { nodeHost } from '../../../src/language/host/node-host.js';
import type { StageEvent } from '../../../src/language/ir/events.js';
import type { Stage, StageKind, Value } from '../../../src/language/ir/program.js';
import type { StageContext } from '../../../src/pipeline/stages/stage.js';

export const SPAN: Stage['span'] = { file: 'pipeline.ftp', start: 0, end: 1 };

export const stageOf = (
  kind: StageKind,
  name: string,
  settings: object,
  more: Partial<Stage> = {},
): Stage => ({
  kind,
  name,
  settings: settings as Readonly<Record<string, Value>>,
  origins: {},
  requires: [],
  inputs: [],
  span: SPAN,
  ...more,
});

export function contextOf(
  stage: Stage,
  folder: string,
  { output, ...more }: Pick<StageContext, 'output'> & Partial<StageContext>,
): StageContext & { readonly events: readonly StageEvent[] } {
  const events: StageEvent[] = [];
  return {
    stage,
    inputs: {},
    folder,
    host: nodeHost(folder),
    output,
    work: {
      path: folder,
      commit: async () => undefined,
      committed: () => [],
      scratch: () => output,
      pages: () => {
        throw new Error('no stage of this kind pages');
      },
      remove: () => undefined,
    },
    key: 'key',
    runtime: 'onnx',
    threads: 1,
    emit: (event) => events.push(event),
    signal: new AbortController().signal,
    ...more,
    events,
  };
}
