import {
  type ChoiceQuestion,
  likelihoodsOf,
  measuredQuestions,
} from '../../../compute/evaluation/multiple-choice.js';
import type { HeldOut, Observation } from '../../../compute/evaluation/observe.js';
import { type AnswerPair, rewardsOf } from '../../../compute/evaluation/preference-pairs.js';
import type { Reference } from '../../../language/ir/program.js';
import { openSplit } from '../format/split-files.js';
import type { StageContext } from '../stage.js';

/** A split of a format stage as the rows of an evaluation. */
export function openHeldOut(
  { stage, port }: Reference,
  { inputs, host }: Pick<StageContext, 'inputs' | 'host'>,
): HeldOut {
  const artefact = inputs[stage];
  if (artefact === undefined) throw new Error(`stage ${stage} produced no rows`);
  const split = openSplit(host, artefact.path, port);
  const texts = split.rows === 0 ? [] : [...split.texts()];
  return {
    tokens: {
      count: split.rows,
      lengthOf: (row) => split.lengths[row] ?? 0,
      read: (row) => split.read(row),
    },
    text: (row) => texts[row] ?? { prompt: '', answer: '', ...split.placeOf(row) },
    promptTokens: (row) => split.countsOf(row).prompt,
    stopIds: split.info.stopIds,
    padId: split.info.padId,
    ...(split.info.labels === undefined ? {} : { labels: split.info.labels }),
    ...(split.info.preferences === undefined ? {} : { preferences: split.info.preferences }),
    ...(split.info.preferences === 'pairs' && { pairs: split.info.splits[port] }),
  };
}

/** `answers.jsonl`: one object for every row that was answered. */
export function* answerLines(
  rows: readonly number[],
  heldOut: HeldOut,
  own: Observation,
  baseline: Observation | undefined,
): Generator<string> {
  for (const row of rows) {
    const { file, line, prompt, answer: reference, kind } = heldOut.text(row);
    const fields = {
      file,
      line,
      kind,
      prompt,
      reference,
      answer: own.answers.get(row),
      baseline: baseline?.answers.get(row),
      reward: own.judged?.get(row)?.mean_reward,
      baselineReward: baseline?.judged?.get(row)?.mean_reward,
      loss: own.losses?.[row],
      baselineLoss: baseline?.losses?.[row],
    };
    yield `${JSON.stringify(fields)}\n`;
  }
}

/** `answers.jsonl` of pairs: one object for each, with the rewards of the chosen and of the rejected answer. */
export function* pairLines(
  pairs: readonly AnswerPair[],
  own: Observation,
  baseline: Observation | undefined,
): Generator<string> {
  for (const pair of pairs) {
    const { text, chosen, rejected } = pair;
    const { file, line, prompt, kind } = text;
    const rewards = rewardsOf(pair, own.rewards);
    const baselineRewards = baseline && rewardsOf(pair, baseline.rewards);
    yield `${JSON.stringify({ file, line, kind, prompt, chosen, rejected, rewards, baselineRewards })}\n`;
  }
}

/** `answers.jsonl` of questions: one object for each, with the log-likelihood of every choice in nats. */
export function* choiceLines(
  questions: readonly ChoiceQuestion[],
  own: Observation,
  baseline: Observation | undefined,
): Generator<string> {
  const before = baseline && measuredQuestions(questions, baseline.losses);
  for (const [at, { answer }] of measuredQuestions(questions, own.losses).entries()) {
    const question = questions[at];
    if (question === undefined) continue;
    const { file, line, prompt, answer: reference, kind } = question.text;
    const fields = {
      file,
      line,
      kind,
      prompt,
      reference,
      answer,
      choices: question.choices.map(({ text }) => text),
      logLikelihoods: likelihoodsOf(question, own.losses),
      baseline: before?.[at]?.answer,
      baselineLogLikelihoods: baseline && likelihoodsOf(question, baseline.losses),
    };
    yield `${JSON.stringify(fields)}\n`;
  }
}
