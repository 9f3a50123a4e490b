import { expect } from 'chai';
import type { StageRecord } from '../../../src/language/ir/outputs.js';
import { comparableRecord, differences } from '../../../src/pipeline/planner/history.js';
import { reasonsText, runReasons } from '../../../src/pipeline/planner/reasons.js';

const record = (key: string, parts: Readonly<Record<string, string>>): StageRecord => ({
  version: 1,
  kind: 'train',
  key,
  parts,
  files: {},
  result: { outputs: {}, metrics: {} },
  seconds: 1,
  peakMemoryBytes: 1,
});

const PARTS = {
  kind: 'train',
  'settings.lora.rank': '16',
  'file:data/a.jsonl': 'aaa',
  'stage:dialogs': 'ddd',
  runtime: 'onnx 1',
  'chosen.microBatch': '8',
};

describe('reasons', () => {
  it('name the setting with both values, the file and the stage that differ', () => {
    const after = {
      ...PARTS,
      'settings.lora.rank': '8',
      'file:data/a.jsonl': 'bbb',
      'stage:dialogs': 'eee',
      'chosen.microBatch': '4',
    };
    const reasons = runReasons({ key: '2', parts: after }, record('1', PARTS));
    expect(reasons).to.deep.equal([
      { code: 'choice_changed', path: 'chosen.microBatch', before: 8, after: 4 },
      { code: 'file_changed', path: 'data/a.jsonl', before: 'aaa', after: 'bbb' },
      { code: 'setting_changed', path: 'settings.lora.rank', before: 16, after: 8 },
      { code: 'input_changed', path: 'dialogs', before: 'ddd', after: 'eee' },
    ]);
    expect(reasonsText(reasons)).to.equal(
      'microBatch: 8 → 4; data/a.jsonl changed; lora.rank: 16 → 8; 1 more',
    );
  });

  it('say that nothing has run, or that an output is gone', () => {
    expect(runReasons({ key: '1', parts: PARTS }, undefined)).to.deep.equal([{ code: 'first_run' }]);
    expect(runReasons({ key: '1', parts: PARTS }, record('1', PARTS))).to.deep.equal([
      { code: 'output_missing' },
    ]);
  });

  it('do not take another name of the same file for a change', () => {
    const { 'file:data/a.jsonl': file, ...rest } = PARTS;
    expect(differences(PARTS, { ...rest, 'file:data/z.jsonl': file })).to.deep.equal([]);
  });

  it('compare with the last run of the stage, else only with one that is almost the same', () => {
    const other = record('other', { kind: 'train', 'settings.lora.rank': '4', 'stage:x': 'x' });
    const near = record('near', { ...PARTS, 'settings.lora.rank': '32' });
    expect(comparableRecord([other, near], 'train', PARTS, 'other')).to.equal(other);
    expect(comparableRecord([other, near], 'train', PARTS, undefined)).to.equal(near);
    expect(comparableRecord([other], 'train', PARTS, undefined)).to.equal(undefined);
    expect(comparableRecord([near], 'eval', PARTS, undefined)).to.equal(undefined);
    expect(comparableRecord([near], 'train', PARTS, undefined, new Set(['near']))).to.equal(undefined);
  });

  it('tell an input that is another one from an input that has changed', () => {
    const { 'stage:dialogs': _, ...rest } = PARTS;
    const reasons = runReasons({ key: '2', parts: { ...rest, 'stage:letters': 'lll' } }, record('1', PARTS));
    expect(reasons).to.deep.equal([
      { code: 'input_removed', path: 'dialogs', before: 'ddd', after: undefined },
      { code: 'input_added', path: 'letters', before: undefined, after: 'lll' },
    ]);
    expect(reasonsText(reasons)).to.equal('no longer reads dialogs; reads letters now');
  });
});
