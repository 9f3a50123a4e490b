import { join } from 'node:path';
import { expect } from 'chai';
import { share, valueAt } from '../../../src/language/check/draws.js';
import { compile } from '../../../src/language/compile.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import type { Program } from '../../../src/language/ir/program.js';
import { withWinner } from '../../../src/language/ir/search.js';
import { overlayHost } from '../../helpers/overlay-host.js';

const folder = join(nodeHost().packageFolder, 'test/corpus/valid');

const text = (search: string): string => `edition 2026

import { jsonl } from "std/data"
import { chat } from "std/format"
import { perplexity } from "std/eval"

matrix rate: Number = log_uniform(1e-5, 1e-3)
matrix rank: Int = [4, 8]
matrix best: Search = search(${search}, by: quality.perplexity)

data rows {
  source = jsonl("data/general.jsonl")
  split = { train: 80%, valid: 10%, test: 10% }
}

format dialogs {
  from = rows
  template = chat()
}

train adapter {
  base = starter()
  dataset = dialogs.train
  validate = dialogs.valid
  lora = { rank: rank }
  optimizer = adamw(rate: rate)
}

eval quality {
  model = adapter.best
  dataset = dialogs.valid
  metrics = [perplexity]
}

merge fused {
  base = starter()
  adapter = best.adapter.best
}

deploy local {
  model = fused
  when = best.quality.passed
  target = directory("releases")
}
`;

function programOf(search: string, params: Record<string, string> = {}): Program {
  const host = overlayHost(folder, { 'p.ftp': text(search) });
  const { program, diagnostics } = compile(host, 'p.ftp', { params });
  if (program === undefined) throw new Error(diagnostics.map(({ message }) => message).join('\n'));
  return program;
}

const ratesOf = ({ search }: Program) => search?.trials.map(({ at }) => at['rate']);

describe('a search', () => {
  it('draws the same trials each time, and more trials keep the first ones', () => {
    const six = ratesOf(programOf('random, trials: 6'));
    expect(six).to.have.length(6);
    expect(ratesOf(programOf('random, trials: 6'))).to.deep.equal(six);
    expect(ratesOf(programOf('random, trials: 12'))?.slice(0, 6)).to.deep.equal(six);
    expect(ratesOf(programOf('random, trials: 6, seed: 3'))).not.to.deep.equal(six);
  });

  it('draws each order of magnitude as often, and whole numbers with both ends', () => {
    const range = { low: 1e-5, high: 1e-3, isLog: true, isWhole: false };
    const shares = Array.from({ length: 2000 }, (_, trial) => share(17, trial, 'rate'));
    const low = shares.filter((one) => valueAt(range, one) < 1e-4).length;
    expect(low / 2000).to.be.closeTo(0.5, 0.04);
    const whole = new Set(
      shares.map((one) => valueAt({ low: 1, high: 4, isLog: false, isWhole: true }, one)),
    );
    expect([...whole].sort()).to.deep.equal([1, 2, 3, 4]);
    for (const one of shares) expect(valueAt(range, one)).to.be.within(1e-5, 1e-3);
  });

  it('lets stages wait for its winner: they are last, and read the first trial until it is known', () => {
    const program = programOf('halving, trials: 5');
    const waiting = program.stages.filter(({ awaitsWinner }) => awaitsWinner === true);
    expect(waiting.map(({ name }) => name)).to.deep.equal(['fused', 'local']);
    expect(program.stages.slice(-2)).to.deep.equal(waiting);
    const first = program.search?.trials[0]?.stages ?? {};
    expect(waiting[0]?.inputs).to.deep.equal([first['adapter']]);
    expect(program.search).to.include({ method: 'halving', training: 'adapter', factor: 3 });
  });

  it('leaves the trials that got to their end once it is decided, and the winner in place of the first', () => {
    const program = programOf('halving, trials: 5');
    const { search } = program;
    if (search === undefined) throw new Error('no search');
    const ends = ['ended', 'done', 'failed', 'done', 'gate_closed'] as const;
    const decided = withWinner(program, search, { winner: 3, ends });
    const won = search.trials[3]?.stages ?? {};
    expect(decided.stages.filter(({ instance }) => instance !== undefined)).to.have.length(4);
    const [fused, local] = decided.stages.slice(-2);
    expect(fused?.inputs).to.deep.equal([won['adapter']]);
    expect(local?.inputs).to.include(won['quality']);
  });

  it('is none where `-p` leaves a single combination', () => {
    const program = programOf('random, trials: 5', { rate: '1e-4', rank: '8' });
    expect(program.search).to.equal(undefined);
    expect(program.stages.map(({ name }) => name)).to.include.members(['adapter', 'fused', 'local']);
    const rates = ratesOf(programOf('random, trials: 5', { rank: '8' }));
    expect(rates).to.have.length(5);
  });
});
