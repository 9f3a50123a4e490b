/** Ten steps of the starter model by each engine, in a folder of their own: the same file has to have the same losses. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Diagnostic } from '../../../language/diagnostics/types.js';
import { discard } from '../../../language/host/own-files.js';
import type { EngineOptions } from '../../../language/ir/engines.js';
import type { RunEvent } from '../../../language/ir/events.js';
import type { CliContext } from '../cli-context.js';

const STEPS = 10;

const PIPELINE = `edition 2026

import { jsonl } from "std/data"
import { chat } from "std/format"

data rows {
  source = jsonl("rows.jsonl")
}

format dialogs {
  from = rows
  template = chat()
  model = starter()
  max_length = 64tok
}

train adapter {
  base = starter()
  dataset = dialogs.train
  lora = { rank: 4, alpha: 8 }
  optimizer = adamw(rate: 1e-3)
  batch = { global: 4, micro: 2 }
  stop = { steps: ${STEPS}, epochs: 100 }
}
`;

const ROWS = Array.from({ length: 24 }, (_, at) =>
  JSON.stringify({ instruction: `Name number ${at}.`, output: `This is number ${at}, after ${at - 1}.` }),
).join('\n');

export interface Trial {
  /** Of each step; fewer than asked for where it failed. */
  readonly losses: readonly number[];
  readonly problem?: Pick<Diagnostic, 'message' | 'help'>;
  readonly seconds: number;
}

/** Trains in a folder that goes with it: what another number of devices has trained would be taken for the result. */
export async function train(context: CliContext, engine: EngineOptions): Promise<Trial> {
  const folder = mkdtempSync(join(tmpdir(), 'ftpc-doctor-'));
  try {
    writeFileSync(join(folder, 'trial.ftp'), PIPELINE);
    writeFileSync(join(folder, 'rows.jsonl'), `${ROWS}\n`);
    return await trainIn(context, folder, engine);
  } finally {
    discard(folder);
  }
}

async function trainIn(context: CliContext, folder: string, engine: EngineOptions): Promise<Trial> {
  const { execute } = await import('../execute.js');
  const losses = new Map<number, number>();
  const diagnostics: Diagnostic[] = [];
  const view = {
    event: (event: RunEvent) => {
      if (event.type === 'stage.progress' && event.step !== undefined && typeof event.loss === 'number')
        losses.set(event.step, event.loss);
    },
    diagnostic: (diagnostic: Diagnostic) => void diagnostics.push(diagnostic),
    makeRoom: () => {},
    printsDiagnostics: false,
    close: () => {},
  };
  const { host } = context;
  const began = host.clock();
  const quiet = { ...context, host: { ...host, cwd: folder, store: undefined }, err: () => {} };
  const { status } = await execute(quiet, { file: 'trial.ftp', verify: false, params: {}, ...engine }, view);
  const found = diagnostics.find(({ severity }) => severity === 'error');
  const problem =
    found ??
    (status === 'interrupted'
      ? { message: 'it was interrupted', help: 'run `ftpc doctor` again' }
      : undefined);
  return {
    losses: [...losses.values()],
    seconds: (host.clock() - began) / 1000,
    ...(problem === undefined && losses.size < STEPS
      ? { problem: { message: `only ${losses.size} of ${STEPS} steps were computed`, help: undefined } }
      : { problem }),
  };
}

/** The largest difference between the losses of two trainings, relative. */
export const worstOf = (losses: readonly number[], others: readonly number[]): number =>
  Math.max(...losses.map((loss, step) => Math.abs(loss - (others[step] ?? Number.NaN)) / Math.abs(loss)));
