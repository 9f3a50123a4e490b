import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { evaluationDecoder } from '../../../../src/compute/evaluation/evaluation-decoder.js';
import { decoderModel } from '../../../../src/compute/evaluation/language-model.js';
import type { EvaluationReport } from '../../../../src/compute/evaluation/report.js';
import { scoreRows } from '../../../../src/compute/evaluation/scores.js';
import type { LoraConfig } from '../../../../src/compute/models/adapters/config.js';
import { adapterShapes } from '../../../../src/compute/models/adapters/kinds.js';
import { openModel } from '../../../../src/compute/models/load.js';
import { readAdapter, writeAdapter } from '../../../../src/compute/packaging/adapters.js';
import { UserError } from '../../../../src/language/diagnostics/types.js';
import type { Call, Value } from '../../../../src/language/ir/program.js';
import { run } from '../../../../src/pipeline/stages/eval/run.js';
import type { Artefact } from '../../../../src/pipeline/stages/stage.js';
import { artefact, contextOf, plainOutput, stageOf } from '../../../compute/evaluation/tiny.js';
import { openHere } from '../../../compute/tensor/runtimes/here.js';
import { float32Tensors, host } from '../../../compute/training/fixture.js';
import { writeFormat } from '../train/world.js';

const fixtures = join(host.packageFolder, 'test', 'fixtures', 'preferences');
const json = <T>(name: string): T => JSON.parse(readFileSync(join(fixtures, name), 'utf8')) as T;

interface Pair {
  readonly prompt: readonly number[];
  readonly chosen: readonly number[];
  readonly rejected: readonly number[];
}

type Rewards = readonly (readonly [chosen: number, rejected: number])[];

const pairs = json<readonly Pair[]>('pairs.json');
/** By family and run: what transformers and PEFT make of the answers under the adapters that TRL's losses have trained. */
const recorded = json<Readonly<Record<string, Readonly<Record<string, Rewards>>>>>('rewards.json');

const dpo = (loss: string, more = {}): Call => ({
  call: 'dpo',
  args: { beta: 0.3, loss, label_smoothing: 0, sft: 0, ...more },
});

const OBJECTIVES: Readonly<Record<string, Call>> = {
  dpo: dpo('sigmoid'),
  ipo: dpo('ipo', { beta: 0.2 }),
  kto: { call: 'kto', args: { beta: 0.3, desirable: 1, undesirable: 1 } },
  orpo: { call: 'orpo', args: { beta: 0.4 } },
  simpo: { call: 'simpo', args: { beta: 2, gamma: 0.5 } },
  reward: { call: 'reward', args: {} },
};

const TARGETS = ['q_proj', 'v_proj', 'down_proj'];

const share = (rewards: Rewards): number =>
  rewards.filter(([chosen, rejected]) => chosen > rejected).length / rewards.length;

describe('an evaluation on preferences', () => {
  let folder = '';
  let count = 0;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ftpc-pairs-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const baseOf = (family: string) => ({ call: 'local', args: { folder: join(fixtures, family) } }) as const;

  /** A train stage that has ended with a recorded adapter. */
  function trained(family: string, name: string, stageName = 'better'): Artefact {
    const objective = OBJECTIVES[name];
    const { config: model } = openModel(host, join(fixtures, family));
    const config: LoraConfig = {
      ...{ kind: 'lora', rank: 4, alpha: 8, dropout: 0 },
      targets: family === 'gpt2' ? ['c_attn', 'c_proj'] : TARGETS,
      ...(name === 'reward' && { labels: ['reward'] }),
    };
    const final = float32Tensors(join(fixtures, `${family}-${name}-final.safetensors`));
    const tensors = new Map(
      adapterShapes(model, config).map(({ name: tensor, shape }) => [
        tensor,
        { shape, data: Float32Array.from(final.get(tensor) ?? []) },
      ]),
    );
    const path = join(folder, `train-${name}`);
    mkdirSync(path, { recursive: true });
    const base = { name: family, revision: null, transposed: family === 'gpt2', shape: model };
    writeAdapter(plainOutput(path), 'best', { config, tensors }, { base });
    writeFileSync(join(path, 'training.json'), JSON.stringify({ method: 'lora', base: family, chosen: {} }));
    const settings = {
      base: baseOf(family),
      dataset: { stage: 'rows', port: 'train' },
      ...(objective && { objective }),
    } as unknown as Readonly<Record<string, Value>>;
    return artefact(stageOf('train', stageName, settings), path, {
      outputs: { adapter: 'best', best: 'best' },
      metrics: {},
    });
  }

  /** One whose every weight was trained: the weights of another base. */
  function trainedWhole(from: string, to: string): Artefact {
    const path = join(folder, 'train-full');
    cpSync(join(fixtures, to), join(path, 'best'), { recursive: true });
    const settings = {
      base: baseOf(from),
      dataset: { stage: 'rows', port: 'train' },
      objective: OBJECTIVES['dpo'],
    };
    const stage = stageOf('train', 'better', settings, { preset: 'full' });
    return artefact(stage, path, { outputs: { model: 'best', best: 'best' }, metrics: {} });
  }

  function rows(isJudged = false): Artefact {
    const path = join(folder, 'rows');
    const all = pairs.flatMap(({ prompt, chosen, rejected }) =>
      [chosen, rejected].map((answer, side) => ({
        ids: [...prompt, ...answer],
        labels: [...prompt.map(() => -100), ...answer],
        prompt: prompt.length,
        answer: answer.join(' '),
        side: side === 0 && !isJudged ? ('chosen' as const) : ('rejected' as const),
      })),
    );
    writeFormat(path, { train: [], test: all });
    return artefact(stageOf('format', 'rows', {}), path);
  }

  interface Options {
    readonly settings?: object;
    readonly isJudged?: boolean;
    readonly train?: Artefact;
  }

  async function evaluate(family: string, name: string, { settings, isJudged, train }: Options = {}) {
    const stage = stageOf('eval', 'quality', {
      model: name === 'plain' ? baseOf(family) : { stage: 'better', port: 'best' },
      dataset: { stage: 'rows', port: 'test' },
      baseline: baseOf(family),
      metrics: [{ call: 'preference_accuracy', args: {} }],
      generation: { max_tokens: 4 },
      samples: 2,
      seed: 1,
      ...settings,
    });
    const inputs = [rows(isJudged), ...(name === 'plain' ? [] : [train ?? trained(family, name)])];
    const context = contextOf(stage, inputs, join(folder, `${count++}`));
    await run(context);
    const read = (file: string): string => readFileSync(join(context.output.path, file), 'utf8');
    const lines = read('answers.jsonl').trimEnd().split('\n');
    return {
      context,
      report: JSON.parse(read('report.json')) as EvaluationReport,
      answers: lines.map(
        (line) => JSON.parse(line) as { rewards: Rewards[number]; baselineRewards: Rewards[number] },
      ),
    };
  }

  const agree = (found: Rewards, expected: Rewards): void => {
    expect(found).to.have.length(expected.length);
    for (const [pair, both] of expected.entries())
      for (const side of [0, 1] as const)
        expect(found[pair]?.[side], `${pair}`).to.be.closeTo(
          both[side],
          1e-5 * Math.max(1, Math.abs(both[side])),
        );
  };

  for (const [family, runs] of Object.entries(recorded))
    for (const name of Object.keys(OBJECTIVES))
      it(`${family}: rewards by ${name} as transformers and PEFT have them${family === 'llama' ? '' : ' @long'}`, async () => {
        const { report, answers } = await evaluate(family, name);
        const [own = [], plain = []] = [runs[name], runs['plain']];
        agree(
          answers.map(({ rewards }) => rewards),
          own,
        );
        agree(
          answers.map(({ baselineRewards }) => baselineRewards),
          plain,
        );
        expect(report.metrics.preference_accuracy).to.equal(share(own));
        expect(report.baseline.preference_accuracy).to.equal(share(plain));
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
    const MOST = 4;
    const END = 2;

    /** Every prompt with some answer, as rows that are answered. */
    function asked(): Artefact {
      const path = join(folder, 'asked');
      const all = pairs.map(({ prompt, chosen }) => ({
        ids: [...prompt, ...chosen],
        labels: [...prompt.map(() => -100), ...chosen],
        prompt: prompt.length,
        answer: chosen.join(' '),
      }));
      writeFormat(path, { test: all });
      return artefact(stageOf('format', 'asked', {}), path);
    }

    async function scored(scorer: string) {
      const stage = stageOf('eval', 'quality', {
        model: { stage: 'better', port: 'best' },
        dataset: { stage: 'asked', port: 'test' },
        baseline: baseOf('llama'),
        metrics: [{ call: 'mean_reward', args: { model: { stage: scorer, port: 'best' } } }],
        generation: { max_tokens: MOST },
        samples: 1,
        seed: 1,
      });
      const inputs = [asked(), trained('llama', 'dpo'), trained('llama', 'reward', 'scorer')];
      const context = contextOf(stage, inputs, join(folder, `${count++}`));
      await run(context);
      const read = (file: string): string => readFileSync(join(context.output.path, file), 'utf8');
      return {
        report: JSON.parse(read('report.json')) as EvaluationReport,
        answers: read('answers.jsonl')
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line) as Answered),
      };
    }

    interface Answered {
      readonly line: number;
      readonly answer: string;
      readonly baseline: string;
      readonly reward: number;
      readonly baselineReward: number;
    }

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
      const adapter = readAdapter(host, join(folder, 'train-reward', 'best'));
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
