import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { EvaluationReport } from '../../../src/compute/evaluation/report.js';
import { openModel } from '../../../src/compute/models/load.js';
import type { Tokenizer } from '../../../src/compute/models/types.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { run } from '../../../src/pipeline/stages/eval/run.js';
import type { StageContext } from '../../../src/pipeline/stages/stage.js';
import {
  baseCall,
  contextOf,
  expected,
  formatted,
  scratch,
  stageOf,
  tiny,
  trained,
} from '../../compute/evaluation/tiny.js';
import { ranks, withPython } from '../python.js';

withPython('the eval stage in a Python process', () => {
  const place = scratch();
  after(() => place.remove());
  let tokenizer: Tokenizer;
  let count = 0;

  before(async () => {
    tokenizer = await openModel(nodeHost(), join(tiny, 'base')).tokenizer();
  });

  const evaluate = async (
    settings: Readonly<Record<string, unknown>>,
    engine: StageContext['engine'],
    method?: 'lora' | 'qlora',
  ) => {
    count++;
    const folder = join(place.path, `eval-${count}`);
    const dialogs = expected.prompts.map((prompt, i) => ({
      prompt,
      answer: i % 2 === 0 ? tokenizer.decode((expected.tuned.greedy[i] ?? []).slice(0, 6)) : 'no such answer',
    }));
    const inputs = [trained(folder, method), formatted(folder, tokenizer, dialogs)];
    const metric = (name: string) => ({ call: name, args: {} });
    const stage = stageOf('eval', 'quality', {
      model: { stage: 'adapter', port: 'best' },
      dataset: { stage: 'rows', port: 'test' },
      baseline: baseCall,
      metrics: ['perplexity', 'exact_match', 'rouge_l', 'unigram_perplexity'].map(metric),
      generation: { max_tokens: 6 },
      samples: 2,
      seed: 1,
      ...settings,
    });
    const context = { ...contextOf(stage, inputs, folder), ...(engine && { engine }) };
    const result = await run(context);
    const read = (name: string): string => readFileSync(join(context.output.path, name), 'utf8');
    return {
      result,
      report: JSON.parse(read('report.json')) as EvaluationReport,
      answers: read('answers.jsonl').trimEnd().split('\n'),
      progress: context.events.filter((event) => event.type === 'stage.progress').at(-1),
    };
  };

  /** Compares a run of both engines: answers are the same, losses within 1e-5. */
  const compare = async (settings: Readonly<Record<string, unknown>>, method?: 'lora' | 'qlora') => {
    const own = await evaluate(settings, undefined, method);
    const other = await evaluate(settings, ranks(1), method);
    for (const name of ['metrics', 'baseline'] as const)
      for (const [metric, value] of Object.entries(own.result[name] ?? {}))
        expect(other.result[name]?.[metric], `${name}.${metric}`).to.be.closeTo(
          value ?? 0,
          1e-5 * Math.abs(value ?? 0),
        );
    const plain = (line: string): unknown => {
      const { loss, baselineLoss, ...rest } = JSON.parse(line) as Record<string, unknown>;
      return { ...rest, losses: [loss, baselineLoss].map((one) => (one as { tokens: number }).tokens) };
    };
    expect(other.answers.map(plain)).to.deep.equal(own.answers.map(plain));
    expect(other.report.samples.length).to.equal(own.report.samples.length);
    expect(other.progress).to.deep.equal(own.progress);
    return other;
  };

  it('measures as the embedded engine does, and gives the same answers', async () => {
    const { report } = await compare({});
    expect(report.metrics.exact_match).to.equal(0.5);
  });

  it('draws the same answers by a seed', async () => {
    await compare({
      generation: {
        max_tokens: 20,
        sampling: { temperature: 0.9, top_k: 40, top_p: 0.9, min_p: 0.02 },
        repetition_penalty: 1.3,
      },
      seed: 5,
    });
  });

  it('ends answers before a stop text', async () => {
    const [first = ''] = expected.tuned.greedy.map((ids) => tokenizer.decode(ids));
    await compare({ generation: { max_tokens: 20, stop: [first.slice(3, 5)] } });
  });

  it('holds the base of a QLoRA adapter in four bits, once for both models', async () => {
    await compare({}, 'qlora');
  });

  it('takes fresh weights for a baseline', async () => {
    const untrained = { call: 'untrained', args: { folder: join(tiny, 'base'), seed: 3 } };
    await compare({ baseline: untrained });
  });
});
