import type { Program, Stage, Value } from '../../../src/language/ir/program.js';

/** A program with one stage whose setting calls the Hub; a data stage where the call is `hub`. */
export function planOf(folder: string, args: Readonly<Record<string, Value>>, call = 'hf'): Program {
  const stage: Stage = {
    kind: call === 'hf' ? 'train' : 'data',
    name: call === 'hf' ? 'adapter' : 'rows',
    settings: { [call === 'hf' ? 'base' : 'source']: { call, args } },
    origins: {},
    requires: [],
    inputs: [],
    span: { file: 'p.ftp', start: 0, end: 1 },
  };
  return { file: 'p.ftp', name: 'p', folder, stages: [stage], budgets: [], params: {} };
}
