import { join } from 'node:path';
import { expect } from 'chai';
import { compile } from '../../../src/language/compile.js';
import { checkJson } from '../../../src/language/diagnostics/render/index.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { overlayHost } from '../../helpers/overlay-host.js';

const folder = join(nodeHost().packageFolder, 'test/corpus/valid');
const FILE = `edition 2026
import { jsonl } from "std/data"
import { chat } from "std/format"

param base: Model = starter()
param smoke: Bool = false
param most: Int = 100
param longest: Tokens = 128tok
param held_out: Ratio = 10%
param question: String = "Is it free?"
param rate: Number
param time: Duration = 1h
param room: Bytes = 1GiB
param every: Steps = 50steps

data rows {
  source = jsonl("data/general.jsonl")
  split = { train: 100% - held_out, test: held_out }
  limit = smoke ? 10 : most
}
format dialogs { from = rows, template = chat(system: question), max_length = longest }
train adapter {
  base = base
  dataset = dialogs.train
  optimizer = adamw(rate: rate)
  stop = { wall: time }
  checkpoint = { every: every }
}
budget machine { require peak_memory <= room }
`;

const run = (params: Record<string, string>) =>
  compile(overlayHost(folder, { 'p.ftp': FILE }), 'p.ftp', { params });
const settings = (params: Record<string, string>, stage: string) => {
  const { program, diagnostics } = run(params);
  expect(diagnostics).to.deep.equal([]);
  return program?.stages.find(({ name }) => name === stage);
};

describe('parameters', () => {
  it('keep their defaults', () => {
    expect(settings({ rate: '1e-3' }, 'rows')?.settings['limit']).to.equal(100);
    expect(run({ rate: '1e-3' }).program?.params).to.deep.include({
      most: 100,
      longest: 128,
      held_out: 0.1,
      rate: 1e-3,
      time: 3600,
      room: 2 ** 30,
      every: 50,
    });
  });

  it('take typed values from the command line', () => {
    const params = {
      rate: '2e-4',
      smoke: 'true',
      longest: '64tok',
      held_out: '25%',
      question: 'Yes = or "no"?',
      time: '30m',
      room: '512MiB',
      every: '7steps',
      base: 'starter()',
    };
    expect(settings(params, 'rows')?.settings['limit']).to.equal(10);
    expect(settings(params, 'rows')?.settings['split']).to.deep.include({ train: 0.75, test: 0.25 });
    expect(settings(params, 'dialogs')?.settings).to.deep.include({
      max_length: 64,
      template: { call: 'chat', args: { system: 'Yes = or "no"?' } },
    });
    expect(settings(params, 'adapter')?.settings).to.deep.include({ stop: { epochs: 3, wall: 1800 } });
    expect(settings(params, 'adapter')?.origins).to.deep.include({
      'stop.wall': 'param',
      'stop.epochs': 'default',
      'optimizer.rate': 'param',
      base: 'param',
      dataset: 'author',
    });
  });

  it('may be computed', () => {
    expect(settings({ rate: '1e-3 / 2', most: '10 * 3' }, 'rows')?.settings['limit']).to.equal(30);
  });

  const faults: readonly (readonly [string, Record<string, string>, string])[] = [
    ['a name that does not exist', { rate: '1', smok: 'true' }, 'FTP0501'],
    ['a value that is left out', {}, 'FTP0502'],
    ['a value of another type', { rate: '1', smoke: 'yes' }, 'FTP0503'],
    ['a value without its unit', { rate: '1', longest: '64' }, 'FTP0503'],
    ['a value that cannot be read', { rate: '1e-' }, 'FTP0503'],
    ['a folder without a model', { rate: '1', base: 'local("data")' }, 'FTP0503'],
    ['an empty value', { rate: '' }, 'FTP0503'],
    ['a value after the value', { rate: '1 2' }, 'FTP0503'],
    ['a name from the prototype', { rate: '1', constructor: '1' }, 'FTP0501'],
  ];
  for (const [name, params, code] of faults) {
    it(`report ${name} once`, () => {
      const { diagnostics, sources, program } = run(params);
      expect(diagnostics.map((found) => found.code)).to.deep.equal([code]);
      expect(program).to.equal(undefined);
      const [json] = checkJson(diagnostics, sources).diagnostics;
      if (code !== 'FTP0502') expect(json).to.include({ file: '<command line>', line: 0 });
    });
  }
});
