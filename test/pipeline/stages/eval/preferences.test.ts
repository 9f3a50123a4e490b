import { join } from 'node:path';
import { expect } from 'chai';
import { evaluationDecoder } from '../../../../src/compute/evaluation/evaluation-decoder.js';
import { decoderModel } from '../../../../src/compute/evaluation/language-model.js';
import { scoreRows } from '../../../../src/compute/evaluation/scores.js';
import { openModel } from '../../../../src/compute/models/load.js';
import { readAdapter } from '../../../../src/compute/packaging/adapters.js';
import { UserError } from '../../../../src/language/diagnostics/types.js';
import { openHere } from '../../../compute/tensor/runtimes/here.js';
import { host } from '../../../compute/training/fixture.js';
import {
  agree,
  agreeBoth,
  fixtures,
  MOST,
  OBJECTIVES,
  type Pair,
  pairs,
  preferenceEvaluations,
  recorded,
  share,
} from './preference-evaluations.js';

describe('an evaluation on preferences', () => {
  const { evaluate, scored, trainedWhole, pathOf } = preferenceEvaluations();

  for (const [family, runs] of Object.entries(recorded))
    for (const name of Object.keys(OBJECTIVES))
      it(`${family}: rewards by ${name} as transformers and PEFT have them${family === 'llama' ? '' : ' @long'}`, async () => {
        const evaluated = await evaluate(family, name);
        const [own = [], plain = []] = [runs[name], runs['plain']];
        agreeBoth(evaluated, own, plain);
        const { report } = evaluated;
        const [low, high] = report.intervals.preference_accuracy ?? [1, 0];
        expect(share(own)).to.be.within(low, high);
        expect(report.gains?.gain.preference_accuracy).to.be.closeTo(share(own) - share(plain), 1e-12);
        expect(report.rewards?.model.chosen).to.be.closeTo(
          own.reduce((sum, [chosen]) => sum + chosen, 0) / own.length,
          1e-4,
        );
        expect(report.rewards?.baseline?.reward).to.equal('log-probability');
        expect(report.rows).to.equal(pairs.length);
      });

  it('asks the base once, which is both the reference and the baseline', async () => {
    const { context, report } = await evaluate('llama', 'dpo');
    const progress = context.events.filter((event) => event.type === 'stage.progress');
    expect(progress.at(-1)).to.include({ done: 4 * pairs.length, total: 4 * pairs.length });
    expect(report.rewards?.model.reward).to.equal(
      `0.3 × (log-probability − that of ${join(fixtures, 'llama')})`,
    );
  });

  it('has the model as reference that its training was next to', async () => {
    const { report, answers } = await evaluate('llama', 'dpo-reference');
    agree(
      answers.map(({ rewards }) => rewards),
      recorded['llama']?.['dpo-reference'] ?? [],
    );
    expect(report.rewards?.model.reward).to.contain('llama-other');
  });

  it('has the start as reference where every weight was trained', async () => {
    const { answers } = await evaluate('llama', 'dpo', { train: trainedWhole('llama', 'qwen2') });
    const [own = [], start = []] = [recorded['qwen2']?.['plain'], recorded['llama']?.['plain']];
    const expected = own.map(
      ([chosen, rejected], pair) =>
        [0.3 * (chosen - (start[pair]?.[0] ?? 0)), 0.3 * (rejected - (start[pair]?.[1] ?? 0))] as const,
    );
    agree(
      answers.map(({ rewards }) => rewards),
      expected,
    );
  });

  it('takes log-probabilities as the rewards of a model that nothing was trained for', async () => {
    const { report } = await evaluate('llama', 'plain');
    expect(report.metrics).to.deep.equal(report.baseline);
    expect(report.metrics.preference_accuracy).to.equal(share(recorded['llama']?.['plain'] ?? []));
  });

  it('shows the pair and the answer that the model rewards more', async () => {
    const { report } = await evaluate('llama', 'dpo');
    expect(report.samples).to.have.length(2);
    for (const { reference, answer } of report.samples) {
      const pair = pairs.find(({ chosen }) => chosen.join(' ') === reference);
      const [chosen, rejected] = recorded['llama']?.['dpo']?.[pairs.indexOf(pair as Pair)] ?? [0, 0];
      expect(answer).to.equal((chosen > rejected ? pair?.chosen : pair?.rejected)?.join(' '));
    }
  });

  describe('scores of answers', () => {
    const END = 2;

    const mean = (values: readonly number[]): number =>
      values.reduce((sum, value) => sum + value, 0) / values.length;

    it('are those of the reward model for question and answer as one text, for the model and the baseline', async () => {
      const { report, answers } = await scored('scorer');
      expect(answers).to.have.length(pairs.length);
      const rewards = answers.map(({ reward }) => reward);
      const before = answers.map(({ baselineReward }) => baselineReward);
      expect(report.metrics.mean_reward).to.be.closeTo(mean(rewards), 1e-9);
      expect(report.gains?.gain.mean_reward).to.be.closeTo(mean(rewards) - mean(before), 1e-9);
      const [low, high] = report.intervals.mean_reward ?? [1, 0];
      expect(mean(rewards)).to.be.within(low, high);
      const scores = await scoresOf(
        answers.flatMap(({ line, answer, baseline }) => [texts(line, answer), texts(line, baseline)]),
      );
      for (const [at, reward] of answers.flatMap((row) => [row.reward, row.baselineReward]).entries()) {
        const [ended = Number.NaN, cut = Number.NaN] = scores[at] ?? [];
        const off = Math.min(Math.abs(reward - ended), Math.abs(reward - cut));
        expect(off, `${at}`).to.be.below(1e-4);
      }
    });

    it('are asked of nothing but a reward model', async () => {
      const error = await scored('better').then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error instanceof UserError && error.diagnostic.code).to.equal('FTP2244');
    });

    /** An answer with its end, and without where it is as long as it may be: that it had come to an end is not told. */
    const texts = (line: number, answer: string): readonly (readonly number[])[] => {
      const said = [...answer.matchAll(/\d+/g)].map(([id]) => Number(id));
      const text = [...(pairs[line - 1]?.prompt ?? []), ...said];
      return said.length < MOST ? [[...text, END]] : [[...text, END], text];
    };

    /** By the reward model itself. */
    async function scoresOf(
      all: readonly (readonly (readonly number[])[])[],
    ): Promise<readonly (readonly number[])[]> {
      const { adapter, config, weights } = scorerParts();
      const decoder = await evaluationDecoder({ runtime: await openHere('onnx'), config, weights, adapter });
      const flat = all.flat();
      const found = await scoreRows(
        decoderModel(decoder),
        {
          count: flat.length,
          lengthOf: (row) => flat[row]?.length ?? 0,
          read: (row) => ({ ids: Int32Array.from(flat[row] ?? []), labels: new Int32Array(0) }),
        },
        { padId: 0 },
      );
      await decoder.release();
      let next = 0;
      return all.map((one) => one.map(() => found[next++] ?? Number.NaN));
    }

    function scorerParts() {
      const { config, ...model } = openModel(host, join(fixtures, 'llama'));
      const adapter = readAdapter(host, join(pathOf('train-reward'), 'best'));
      return { config, weights: model.loadWeights('stored'), adapter };
    }
  });

  it('takes no judged answers for pairs', async () => {
    const error = await evaluate('llama', 'dpo', { isJudged: true }).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error instanceof UserError && error.diagnostic.code).to.equal('FTP2243');
  });
});
