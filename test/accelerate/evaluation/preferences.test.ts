/** Evaluations on preferences in a Python process, against what transformers and PEFT make of the same answers. */
import { join } from 'node:path';
import { expect } from 'chai';
import {
  agreeBoth,
  fixtures,
  MOST,
  pairs,
  preferenceEvaluations,
  recorded,
} from '../../pipeline/stages/eval/preference-evaluations.js';
import { ranks, withPython } from '../python.js';
import { scoreTexts } from './score-texts.js';

const END = 2;

withPython('an evaluation on preferences in a Python process', () => {
  const { evaluate, scored, pathOf } = preferenceEvaluations(ranks(1));

  for (const [family, name] of [
    ['llama', 'dpo'],
    ['qwen2', 'simpo'],
    ['gpt2', 'kto'],
    ['gpt2', 'reward'],
    ['llama', 'plain'],
  ] as const)
    it(`${family}: rewards by ${name}, and the share of pairs in their right order`, async () => {
      const evaluated = await evaluate(family, name);
      const [own = [], plain = []] = [recorded[family]?.[name], recorded[family]?.['plain']];
      agreeBoth(evaluated, own, plain);
    });

  it('scores answers by a reward model, for the model and the baseline', async () => {
    const { report, answers } = await scored('scorer');
    expect(answers).to.have.length(pairs.length);
    // an answer as long as it may be has its end or has not: that is not told
    const texts = answers.flatMap(({ line, answer, baseline }) =>
      [answer, baseline].flatMap((one) => {
        const said = [...one.matchAll(/\d+/g)].map(([id]) => Number(id));
        const text = [...(pairs[line - 1]?.prompt ?? []), ...said];
        return [[...text, END], said.length < MOST ? [...text, END] : text];
      }),
    );
    const { alone } = scoreTexts({
      base: join(fixtures, 'llama'),
      adapter: join(pathOf('train-reward'), 'best'),
      texts,
    });
    const rewards = answers.flatMap(({ reward, baselineReward }) => [reward, baselineReward]);
    for (const [at, reward] of rewards.entries()) {
      const off = [alone[2 * at], alone[2 * at + 1]].map((score) => Math.abs((score ?? Number.NaN) - reward));
      expect(Math.min(...off), `${at}`).to.be.below(1e-5 * Math.max(1, Math.abs(reward)));
    }
    const mean = answers.reduce((sum, { reward }) => sum + reward, 0) / answers.length;
    expect(report.metrics.mean_reward).to.be.closeTo(mean, 1e-9);
    const before = answers.reduce((sum, { baselineReward }) => sum + baselineReward, 0) / answers.length;
    expect(report.gains?.gain.mean_reward).to.be.closeTo(mean - before, 1e-9);
  });
});
