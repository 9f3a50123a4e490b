/** Evaluations on the recorded preferences: stages that have ended, and what an eval stage says of them. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { EvaluationReport } from '../../../../src/compute/evaluation/report.js';
import type { LoraConfig } from '../../../../src/compute/models/adapters/config.js';
import { adapterShapes } from '../../../../src/compute/models/adapters/kinds.js';
import { openModel } from '../../../../src/compute/models/load.js';
import { writeAdapter } from '../../../../src/compute/packaging/adapters.js';
import type { Call, Value } from '../../../../src/language/ir/program.js';
import { run } from '../../../../src/pipeline/stages/eval/run.js';
import type { Artefact, StageContext } from '../../../../src/pipeline/stages/stage.js';
import { artefact, contextOf, plainOutput, stageOf } from '../../../compute/evaluation/tiny.js';
import { float32Tensors, host } from '../../../compute/training/fixture.js';
import { writeFormat } from '../train/world.js';

export const fixtures = join(host.packageFolder, 'test', 'fixtures', 'preferences');
const json = <T>(name: string): T => JSON.parse(readFileSync(join(fixtures, name), 'utf8')) as T;

export interface Pair {
  readonly prompt: readonly number[];
  readonly chosen: readonly number[];
  readonly rejected: readonly number[];
}

export type Rewards = readonly (readonly [chosen: number, rejected: number])[];

export const pairs = json<readonly Pair[]>('pairs.json');
/** By family and run: what transformers and PEFT make of the answers under the adapters that TRL's losses have trained. */
export const recorded = json<Readonly<Record<string, Readonly<Record<string, Rewards>>>>>('rewards.json');

const dpo = (loss: string, more = {}): Call => ({
  call: 'dpo',
  args: { beta: 0.3, loss, label_smoothing: 0, sft: 0, ...more },
});

/** Learned next to another model than the base. */
const nextToOther = (family: string): Call =>
  dpo('sigmoid', { reference: { call: 'local', args: { folder: join(fixtures, `${family}-other`) } } });

export const OBJECTIVES: Readonly<Record<string, Call>> = {
  dpo: dpo('sigmoid'),
  ipo: dpo('ipo', { beta: 0.2 }),
  kto: { call: 'kto', args: { beta: 0.3, desirable: 1, undesirable: 1 } },
  orpo: { call: 'orpo', args: { beta: 0.4 } },
  simpo: { call: 'simpo', args: { beta: 2, gamma: 0.5 } },
  reward: { call: 'reward', args: {} },
};

const TARGETS = ['q_proj', 'v_proj', 'down_proj'];

export const share = (rewards: Rewards): number =>
  rewards.filter(([chosen, rejected]) => chosen > rejected).length / rewards.length;

/** Rewards within 1e-5 of what was recorded. */
export const agree = (found: Rewards, expected: Rewards): void => {
  expect(found).to.have.length(expected.length);
  for (const [pair, both] of expected.entries())
    for (const side of [0, 1] as const)
      expect(found[pair]?.[side], `${pair}`).to.be.closeTo(
        both[side],
        1e-5 * Math.max(1, Math.abs(both[side])),
      );
};

interface Options {
  readonly settings?: object;
  readonly isJudged?: boolean;
  readonly train?: Artefact;
}

/** A row that was answered, and what a reward model gave to that. */
interface Answered {
  readonly line: number;
  readonly answer: string;
  readonly baseline: string;
  readonly reward: number;
  readonly baselineReward: number;
}

/** An evaluation of a model with the rewards `own`, and of its base with those of `plain`. */
export function agreeBoth(
  { report, answers }: Awaited<ReturnType<ReturnType<typeof preferenceEvaluations>['evaluate']>>,
  own: Rewards,
  plain: Rewards,
): void {
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
}

/** The most tokens of an answer that is scored. */
export const MOST = 4;

/** What tests of one suite evaluate with, each in a folder of its own; `engine`: left out, the embedded one. */
export function preferenceEvaluations(engine?: StageContext['engine']) {
  let folder = '';
  let count = 0;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ftpc-pairs-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const baseOf = (family: string) => ({ call: 'local', args: { folder: join(fixtures, family) } }) as const;

  /** A train stage that has ended with a recorded adapter. */
  function trained(family: string, name: string, stageName = 'better'): Artefact {
    const objective = name === 'dpo-reference' ? nextToOther(family) : OBJECTIVES[name];
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
    const context = contextOf(stage, inputs, join(folder, `${count++}`), engine && { engine });
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
    const context = contextOf(stage, inputs, join(folder, `${count++}`), engine && { engine });
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

  return { baseOf, trainedWhole, evaluate, scored, pathOf: (name: string) => join(folder, name) };
}
