import { expect } from 'chai';
import type { Plan } from '../../../src/pipeline/planner/plan-json.js';
import { peaksOf, planIn, runIn } from './command.js';
import { type Folder, pipelineFolder, TEXT } from './pipeline.js';

/** Long rows, so that tensors count for more than the process; two steps see each of the 12 rows of training. */
const PIPELINE = TEXT.replace('stop = { epochs: 2 }', 'stop = { steps: 2 }')
  .replace('batch = { global: 16 }', 'batch = { global: 12 }\n  order = file')
  .replace(
    'metrics = [perplexity, rouge_l]',
    'metrics = [perplexity, rouge_l]\n  generation = { max_tokens: 4tok }',
  )
  .replace('require perplexity < baseline.perplexity', '')
  .replace('  when = quality.passed\n', '');

const words = (count: number, seed: number): string =>
  Array.from(
    { length: count },
    (_, index) => ['licence', 'copy', 'grant', 'term'][(index * 7 + seed) % 4],
  ).join(' ');

describe('the plan against a run', () => {
  let folder: Folder;
  let made: Plan;
  let measured: ReadonlyMap<string, number>;

  before(() => {
    folder = pipelineFolder();
    folder.write('data/b.jsonl', '');
    folder.write(
      'data/a.jsonl',
      Array.from({ length: 16 }, (_, row) =>
        JSON.stringify({ instruction: `${row} ${words(60, row)}`, output: words(100, row * 3) }),
      ).join('\n'),
    );
    folder.program(PIPELINE);
    made = planIn(folder.path);
    measured = peaksOf(runIn(folder.path));
  });
  after(() => folder.remove());

  const ratio = (name: string): number =>
    (made.stages.find((stage) => stage.name === name)?.peak?.bytes ?? 0) / (measured.get(name) ?? Number.NaN);

  it('predicts the peak of training: never below, at most a tenth above', () => {
    expect(ratio('adapter')).to.be.within(1, 1.1);
  });

  it('predicts evaluation and merge within a sixth', () => {
    for (const name of ['quality', 'fused']) expect(ratio(name), name).to.be.within(0.97, 1.17);
  });

  it('predicts the stages whose memory the collector decides within a fifth', () => {
    for (const name of ['rows', 'dialogs', 'local']) expect(ratio(name), name).to.be.within(0.85, 1.2);
  });
});
