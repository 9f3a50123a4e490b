import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { readAdapter } from '../../../../src/compute/packaging/adapters.js';
import { UserError } from '../../../../src/language/diagnostics/types.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import type { StageEvent } from '../../../../src/language/ir/events.js';
import type { Call, Value } from '../../../../src/language/ir/program.js';
import { run } from '../../../../src/pipeline/stages/train/run.js';
import { fixturePath } from '../../../compute/training/fixture.js';
import { DPO, judged, KTO, OBJECTIVES, pairs } from './preference-world.js';
import { type WorldOptions, world } from './world.js';

const optimizerOf = (rate: number): Call => ({
  call: 'adamw',
  args: { rate, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0, clip: 1, loraplus_ratio: 1 },
});

const LORA = { rank: 4, alpha: 8, dropout: 0, targets: 'all_linear' };

const STARTER = join(nodeHost().packageFolder, 'stdlib/models/starter');

interface Line {
  readonly type: 'step' | 'validation';
  readonly step: number;
  readonly loss: number;
  readonly preference?: Readonly<Record<string, number>>;
  readonly metrics?: Readonly<Record<string, number>>;
}

describe('a training on preferences', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ftpc-preferences-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  type Options = Omit<WorldOptions, 'folder' | 'settings'> & {
    readonly objective: Call;
    readonly more?: Readonly<Record<string, Value>>;
  };

  const worldOf = ({ objective, more, ...options }: Options, name = 'once') =>
    world({
      folder: join(folder, name),
      rows: pairs(),
      ...options,
      settings: {
        objective,
        lora: LORA,
        stop: { epochs: 2 },
        checkpoint: { every: 2, keep: 2 },
        ...more,
      },
    });

  async function trained(options: Options, name = 'once') {
    const events: StageEvent[] = [];
    const context = worldOf({ ...options, emit: (event) => events.push(event) }, name);
    await run(context);
    const lines = readFileSync(join(context.output.path, 'metrics.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Line);
    return { context, events, lines, steps: lines.filter(({ type }) => type === 'step') };
  }

  const bytesOf = ({ output }: ReturnType<typeof worldOf>): Buffer =>
    readFileSync(join(output.path, 'adapter/last/adapter_model.safetensors'));

  for (const [name, objective] of Object.entries(OBJECTIVES))
    it(`by ${name} learns to tell answers apart, and says how well`, async () => {
      const rows = name === 'kto' ? judged() : pairs();
      const { lines, steps } = await trained({ objective, rows });
      const [first, last] = [steps[0], steps.at(-1)];
      if (first?.preference === undefined || last?.preference === undefined) throw new Error('no figures');
      expect(last.loss).to.be.below(first.loss);
      const { chosen = 0, rejected = 0 } = last.preference;
      expect(chosen).to.be.above(rejected);
      const validations = lines.filter(({ type }) => type === 'validation');
      expect(validations.length).to.be.above(1);
      for (const { metrics } of validations)
        expect(Object.keys(metrics ?? {})).to.include(name === 'kto' ? 'kl' : 'reward_accuracy');
    });

  it('starts at log 2 where the reference is the start', async () => {
    const { steps } = await trained({ objective: DPO });
    expect(steps[0]?.loss).to.be.closeTo(Math.LN2, 1e-6);
  });

  it('has the base without the adapter as reference, also where that starts as a part of it (PiSSA)', async () => {
    const lora = { rank: 4, alpha: 8, dropout: 0, targets: 'all_linear', init: 'pissa' };
    const { steps } = await trained({ objective: DPO, more: { lora } });
    expect(steps[0]?.loss).to.be.closeTo(Math.LN2, 1e-5);
  });

  it('may train every weight, or over a base in four bits @long', async () => {
    for (const method of ['full', 'qlora'] as const) {
      const { steps } = await trained({ objective: DPO, chosen: { method } }, method);
      expect(steps[0]?.loss).to.be.closeTo(Math.LN2, 1e-5);
      expect(steps.at(-1)?.loss).to.be.below(0.6);
    }
  });

  for (const [name, objective] of Object.entries({ dpo: DPO, kto: KTO, orpo: OBJECTIVES['orpo'] ?? DPO }))
    it(`by ${name} does not depend on the micro batch @long`, async () => {
      const rows = name === 'kto' ? judged() : pairs();
      const [one, other] = await Promise.all(
        [1, 4].map((microBatch) =>
          trained({ objective, rows, chosen: { microBatch, accumulation: 4 / microBatch } }, `${microBatch}`),
        ),
      );
      one?.steps.forEach(({ loss }, step) => {
        expect(loss).to.be.closeTo(other?.steps[step]?.loss ?? Number.NaN, 2e-5);
      });
    });

  for (const [name, objective, rows] of [
    ['', KTO, judged()],
    [', prompts computed once', DPO, pairs()],
  ] as const)
    it(`ends with the same bytes where it was stopped among the references and again among the steps${name}`, async () => {
      const { context } = await trained({ objective, rows });
      let stops = 0;
      for (const isHere of [
        (event: StageEvent) => event.type === 'stage.progress' && event.label !== undefined,
        (event: StageEvent) => event.type === 'stage.progress' && event.step === 3,
      ]) {
        const controller = new AbortController();
        const emit = (event: StageEvent): void => {
          if (isHere(event)) controller.abort(new Error('stop'));
        };
        await run(worldOf({ objective, rows, emit, signal: controller.signal }, 'stopped')).catch(
          ({ message }: Error) => {
            if (message === 'stop') stops++;
          },
        );
      }
      expect(stops).to.equal(2);
      const resumed = worldOf({ objective, rows, output: 'again' }, 'stopped');
      await run(resumed);
      expect(bytesOf(resumed).equals(bytesOf(context))).to.equal(true);
    });

  it('computes the prompt of a pair once where nothing else is learned by it', async () => {
    const [once, twice] = [
      await trained({ objective: DPO }, 'once'),
      await trained({ objective: DPO, joined: false }, 'twice'),
    ];
    once.steps.forEach(({ loss }, step) => {
      expect(loss).to.be.closeTo(twice.steps[step]?.loss ?? Number.NaN, 2e-5);
    });
    // sums are rounded otherwise
    expect(bytesOf(once.context).equals(bytesOf(twice.context))).to.equal(false);
  });

  it('asks the reference again where rows or base are others than before', async () => {
    const longest = Math.max(...pairs().map(({ ids }) => ids.length));
    const losses = async (chosen: WorldOptions['chosen'], output: string, name: string) =>
      (await trained({ objective: DPO, chosen, output, key: output }, name)).steps.map(({ loss }) => loss);
    await losses({}, 'whole', 'shared');
    const shorter = { maxLength: longest - 1 };
    expect(await losses(shorter, 'shorter', 'shared')).to.deep.equal(
      await losses(shorter, 'shorter', 'alone'),
    );
  });

  it('by a reward writes a head of one score with the adapter', async () => {
    const { context } = await trained({ objective: OBJECTIVES['reward'] ?? DPO });
    const { config, tensors } = readAdapter(nodeHost(folder), join(context.output.path, 'adapter/last'));
    expect(config).to.deep.include({ labels: ['reward'] });
    expect(tensors.get('score.weight')?.shape).to.deep.equal([1, 64]);
  });

  describe('by a reward, on from another reward model', () => {
    const REWARD = OBJECTIVES['reward'] ?? DPO;
    const still = { optimizer: optimizerOf(1e-12), stop: { steps: 1 } };
    const adapterIn = (path: string) => readAdapter(nodeHost(folder), join(path, 'adapter/last'));

    it('begins with its factors and its head, as PEFT saved them', async () => {
      const { context, lines } = await trained({ objective: REWARD });
      const before = join(context.output.path, 'adapter/last');
      // what PEFT saves has no file of labels
      rmSync(join(before, 'labels.json'));
      const start = { call: 'peft', args: { folder: before } };
      const again = await trained({ objective: REWARD, more: { ...still, start } }, 'again');
      const [own, first] = [adapterIn(again.context.output.path), adapterIn(context.output.path)];
      expect(own.config).to.deep.equal(first.config);
      for (const [name, { data }] of own.tensors)
        expect(
          Math.max(...data.map((value, at) => Math.abs(value - (first.tensors.get(name)?.data[at] ?? 9)))),
        ).to.be.below(1e-9);
      const lossOf = (all: readonly Line[]) => all.findLast(({ type }) => type === 'validation')?.loss;
      expect(lossOf(again.lines)).to.be.closeTo(lossOf(lines) ?? 9, 1e-6);
    });

    it('takes no adapter without a head of one score, and none with one to write', async () => {
      const startOf = async (objective: Call, name: string) => ({
        call: 'peft',
        args: {
          folder: join((await trained({ objective, more: still }, name)).context.output.path, 'adapter/last'),
        },
      });
      const [scores, writes] = [await startOf(REWARD, 'scores'), await startOf(DPO, 'writes')];
      for (const [objective, start] of [
        [REWARD, writes],
        [DPO, scores],
      ] as const) {
        const error = await run(worldOf({ objective, more: { ...still, start } }, 'refused')).then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        expect(error instanceof UserError && error.diagnostic.code).to.equal('FTP0760');
      }
    });
  });

  describe('next to another model', () => {
    const other = { call: 'untrained', args: { folder: fixturePath('base'), seed: 5 } };
    const nextTo = (objective: Call, reference: Value): Call => ({
      ...objective,
      args: { ...objective.args, reference },
    });

    it('compares with what that says, not with the base', async () => {
      const { steps } = await trained({ objective: nextTo(DPO, other), more: { stop: { steps: 1 } } });
      expect(Math.abs((steps[0]?.loss ?? Number.NaN) - Math.LN2)).to.be.above(1e-3);
      const base = { call: 'local', args: { folder: fixturePath('base') } };
      const own = await trained({ objective: nextTo(DPO, base), more: { stop: { steps: 1 } } }, 'own');
      expect(own.steps[0]?.loss).to.be.closeTo(Math.LN2, 1e-6);
    });

    it('compares with the adapter of another stage, over its base', async () => {
      const sft = await trained({ objective: DPO, more: { lora: LORA } }, 'sft');
      const start = { call: 'peft', args: { folder: join(sft.context.output.path, 'adapter/last') } };
      const reference = { stage: 'earlier', port: 'last' };
      const inputs = {
        earlier: {
          stage: { ...sft.context.stage, name: 'earlier' },
          ...{ path: sft.context.output.path, key: 'earlier' },
          result: { outputs: { last: 'adapter/last', best: 'adapter/best' }, metrics: {} },
        },
      };
      const more = { start, stop: { steps: 1 } };
      const { steps } = await trained({ objective: nextTo(DPO, reference), more, inputs }, 'after');
      // training begins with the adapter that it is compared with
      expect(steps[0]?.loss).to.be.closeTo(Math.LN2, 1e-6);
    });

    it('ends with the same bytes where it was stopped while that was asked', async () => {
      const rows = judged();
      const objective = nextTo(KTO, other);
      const { context } = await trained({ objective, rows });
      const controller = new AbortController();
      const emit = (event: StageEvent): void => {
        if (event.type === 'stage.progress' && event.label !== undefined) controller.abort(new Error('stop'));
      };
      const stopped = await run(
        worldOf({ objective, rows, emit, signal: controller.signal }, 'stopped'),
      ).catch(({ message }: Error) => message);
      expect(stopped).to.equal('stop');
      const resumed = worldOf({ objective, rows, output: 'again' }, 'stopped');
      await run(resumed);
      expect(bytesOf(resumed).equals(bytesOf(context))).to.equal(true);
    });

    it('refuses one with other tokens, and one that writes nothing', async () => {
      const codeOf = async (reference: Value, more: Omit<Options, 'objective'> = {}) => {
        const error = await run(worldOf({ objective: nextTo(DPO, reference), ...more }, 'refused')).then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        return error instanceof UserError ? error.diagnostic.code : error;
      };
      const renamed = join(folder, 'renamed');
      cpSync(STARTER, renamed, { recursive: true });
      const text = readFileSync(join(renamed, 'tokenizer.json'), 'utf8');
      writeFileSync(join(renamed, 'tokenizer.json'), text.replace('"!"', '"another one"'));
      const base = { call: 'starter', args: {} };
      expect(await codeOf({ call: 'local', args: { folder: renamed } }, { more: { base } })).to.equal(
        'FTP2300',
      );
      const classifier = join(folder, 'classifier');
      cpSync(fixturePath('base'), classifier, { recursive: true });
      const config = JSON.parse(readFileSync(join(classifier, 'config.json'), 'utf8'));
      const labels = { architectures: ['LlamaForSequenceClassification'], id2label: { 0: 'a', 1: 'b' } };
      writeFileSync(join(classifier, 'config.json'), JSON.stringify({ ...config, ...labels }));
      expect(await codeOf({ call: 'local', args: { folder: classifier } })).to.equal('FTP2301');
    });
  });

  it('takes no judged answers for pairs', async () => {
    const error = await run(worldOf({ objective: DPO, rows: judged() })).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error instanceof UserError && error.diagnostic.code).to.equal('FTP2243');
  });

  it('leaves out pairs of which an answer is too long', async () => {
    const rows = pairs();
    const longest = Math.max(...rows.map(({ ids }) => ids.length));
    const { context } = await trained({ objective: DPO, chosen: { maxLength: longest - 1 } });
    const report = JSON.parse(readFileSync(join(context.output.path, 'report.json'), 'utf8'));
    expect(report.dropped.length).to.be.above(0);
  });
});
