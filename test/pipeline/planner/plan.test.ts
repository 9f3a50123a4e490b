import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'chai';
import { identityOf } from '../../../src/compute/tensor/runtimes/index.js';
import { openDigests } from '../../../src/language/host/digests.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { keyOf, stageParts } from '../../../src/pipeline/planner/keys.js';
import { type PlanOptions, plan } from '../../../src/pipeline/planner/plan.js';
import { MEMORY_PARTS, type Plan, type PlannedStage } from '../../../src/pipeline/planner/plan-json.js';
import { bytes } from '../../../src/pipeline/planner/quantities.js';
import { PLAIN } from '../../../src/pipeline/planner/render/columns.js';
import { renderPlanText } from '../../../src/pipeline/planner/render/text.js';
import { openStore } from '../../../src/pipeline/store/index.js';
import { type Folder, pipelineFolder, QUICK, STARTER, SURVEY, TEXT } from './pipeline.js';

const schema = JSON.parse(nodeHost().readText(`${nodeHost().packageFolder}/docs/schema/plan.json`)) as object;
const validate = new Ajv2020({ strict: false }).compile(schema);
const expectSchema = (made: Plan): void => {
  validate(JSON.parse(JSON.stringify(made)));
  expect(validate.errors ?? []).to.deep.equal([]);
};

const MIB = 2 ** 20;

describe('plan', () => {
  let folder: Folder;
  beforeEach(() => {
    folder = pipelineFolder();
  });
  afterEach(() => folder.remove());

  const stageOf = (made: Plan, name: string) => {
    const stage = made.stages.find((one) => one.name === name);
    if (stage === undefined) throw new Error(`no stage ${name}`);
    return stage;
  };
  /** Puts every stage into the store as if it had run. */
  const pretend = (made: Plan): void => {
    const store = openStore(folder.path);
    for (const { key, kind, parts } of made.stages)
      store.seal(store.begin(key), {
        kind,
        key,
        parts,
        result: { outputs: {}, metrics: {} },
        seconds: 3,
        peakMemoryBytes: 5e8,
      });
  };

  it('keeps a state that may be paged in memory where it fits, and else counts what is, and the file', async () => {
    const planned = async (optimizer: string, memoryBytes?: number) => {
      const text = TEXT.replace(/optimizer = adamw\([^)]*\)/, `optimizer = ${optimizer}`);
      expect(text).to.contain(optimizer);
      const made = await plan(folder.program(text), folder.host, { ...QUICK, memoryBytes });
      const { peak, diskBytes, chosen } = stageOf(made, 'adapter');
      return { memory: peak?.parts.optimizer ?? 0, disk: diskBytes, share: chosen?.offloadedState };
    };
    const [held, paged] = ['adamw8bit(rate: 1e-3)', 'adamw8bit(rate: 1e-3, paged: true)'] as const;
    const whole = await planned(held);
    expect(whole.share).to.equal(undefined);
    expect(await planned(paged)).to.deep.equal(whole);
    // nothing fits: every freedom is used to its end
    const [least, spilt] = [await planned(held, 1), await planned(paged, 1)];
    expect(spilt.share).to.equal(1);
    expect(spilt.memory).to.be.within(1, least.memory - 1);
    expect(spilt.disk).to.be.greaterThan(least.disk);
  });

  it('says for each stage what it does, why and what it needs', async () => {
    const made = await plan(folder.program(), folder.host, QUICK);
    expectSchema(made);
    expect(made.valid).to.equal(true);
    expect(made.diagnostics).to.deep.equal([]);
    expect(made.stages.map(({ action }) => action)).to.deep.equal(new Array(6).fill('run'));
    for (const { peak, seconds, reasons, name } of made.stages) {
      expect(reasons, name).to.deep.equal([{ code: 'first_run' }]);
      expect(seconds?.expected, name).to.be.greaterThan(0);
      if (peak === null) throw new Error(`${name} has no peak`);
      expect(MEMORY_PARTS.reduce((sum, part) => sum + peak.parts[part], 0)).to.equal(peak.bytes);
      expect(peak.low).to.be.lessThan(peak.bytes);
      expect(peak.high).to.be.greaterThan(peak.bytes);
    }
    const { chosen, rejected, effective } = stageOf(made, 'adapter');
    expect(chosen).to.include({ method: 'lora', microBatch: 16, accumulation: 1, checkpointedBlocks: 0 });
    expect(rejected.map(({ method }) => method)).to.deep.equal(['qlora', 'full']);
    expect(effective['using']).to.deep.equal({ value: 'lora', from: 'planner' });
    expect(effective['batch.micro']).to.deep.equal({ value: 16, from: 'planner' });
    expect(effective['lora.rank']).to.deep.equal({ value: 16, from: 'author' });
    expect(effective['seed']?.from).to.equal('default');
    expect(made.budget.map(({ require, holds }) => [require, holds])).to.deep.equal([
      ['peak_memory <= 2GiB', true],
      ['wall_time <= 10h', true],
    ]);
  });

  it('decodes small weights once, and where memory is short in every pass of training, but once in an evaluation', async () => {
    const text = TEXT.replaceAll(`untrained("${STARTER}", seed: 1)`, `local("${STARTER}")`);
    const program = folder.program(text);
    const weights = (made: Plan, name: string) => stageOf(made, name).peak?.parts.weights ?? 0;
    const roomy = await plan(program, folder.host, QUICK);
    const { chosen, effective, peak } = stageOf(roomy, 'adapter');
    expect(chosen?.materialised).to.equal(true);
    expect(effective['materialised']).to.deep.equal({ value: true, from: 'planner' });
    expect(weights(roomy, 'adapter')).to.equal(weights(roomy, 'quality'));
    expect(weights(roomy, 'quality') / 4).to.be.within(3.1e6, 3.2e6);
    const tight = await plan(program, folder.host, { ...QUICK, memoryBytes: ((peak?.high ?? 0) - 1) / 0.9 });
    expect({ ...stageOf(tight, 'adapter').chosen, materialised: true }).to.deep.equal(chosen);
    expect(stageOf(tight, 'adapter').chosen).not.to.have.property('materialised');
    expect(weights(tight, 'adapter')).to.equal(weights(roomy, 'quality') / 2);
  });

  for (const method of ['lora', 'qlora'])
    it(`holds the base as float32 in the evaluation of a training by ${method} where that fits there`, async () => {
      const stored = TEXT.replaceAll(`untrained("${STARTER}", seed: 1)`, `local("${STARTER}")`);
      const program = folder.program(stored.replace('train adapter', `train adapter using ${method}`));
      const held = async (memoryBytes?: number) => {
        const made = await plan(program, folder.host, { ...QUICK, ...(memoryBytes && { memoryBytes }) });
        const { residency, peak } = stageOf(made, 'quality');
        return { residency, high: peak?.high ?? 0, share: (peak?.parts.weights ?? 0) / (4 * 3_148_224) };
      };
      const roomy = await held();
      expect(roomy).to.include({ residency: 'float32', share: 1 });
      const tight = await held((roomy.high - 1) / 0.9);
      expect(tight.residency).to.equal('stored');
      expect(tight.share).to.be.lessThan(0.6);
    });

  it('leaves weights in their files where they do not fit otherwise: base, merged model and release', async () => {
    for (const name of ['tokenizer.json', 'tokenizer_config.json'])
      folder.write(`wide/${name}`, readFileSync(join(STARTER, name), 'utf8'));
    const config = JSON.parse(readFileSync(join(STARTER, 'config.json'), 'utf8'));
    folder.write(
      'wide/config.json',
      JSON.stringify({ ...config, num_hidden_layers: 20, intermediate_size: 24_576 }),
    );
    const program = folder.program(
      TEXT.replaceAll(`untrained("${STARTER}", seed: 1)`, 'untrained("wide", seed: 1)').replace(
        '2GiB',
        '64GiB',
      ),
    );
    const at = async (memoryBytes: number) => {
      const made = await plan(program, folder.host, { ...QUICK, memoryBytes });
      return ['quality', 'fused', 'local'].map((name) => stageOf(made, name).residency);
    };
    expect(await at(8 * 2 ** 30)).to.deep.equal(['stored', 'stored', 'stored']);
    expect(await at(0.5 * 2 ** 30)).to.deep.equal(['paged', 'paged', 'paged']);
  });

  it('plans an evaluation for the larger of the models that it compares', async () => {
    for (const name of ['tokenizer.json', 'tokenizer_config.json'])
      folder.write(`deep/${name}`, readFileSync(join(STARTER, name), 'utf8'));
    const config = JSON.parse(readFileSync(join(STARTER, 'config.json'), 'utf8'));
    folder.write('deep/config.json', JSON.stringify({ ...config, num_hidden_layers: 24 }));
    const weightsOf = async (text: string) =>
      stageOf(await plan(folder.program(text), folder.host, QUICK), 'quality').peak?.parts.weights ?? 0;
    const deeper = TEXT.replace(/baseline = .*/, 'baseline = untrained("deep", seed: 1)');
    expect((await weightsOf(deeper)) / (await weightsOf(TEXT))).to.be.within(3, 4);
  });

  it('changes shape along the ladder as memory shrinks, and ends in an error with numbers', async () => {
    const program = folder.program();
    const at = async (mib: number) => plan(program, folder.host, { ...QUICK, memoryBytes: mib * MIB });
    const roomy = await plan(program, folder.host, QUICK);
    const mib = Math.floor((stageOf(roomy, 'adapter').peak?.high ?? 0) / MIB / 0.9) - 60;
    const tight = await at(mib);
    expect(tight.valid).to.equal(true);
    expect(stageOf(tight, 'adapter').chosen?.recomputedAttention).to.be.greaterThan(0);
    expect(stageOf(tight, 'adapter').peak?.high).to.be.at.most(0.9 * mib * MIB);
    expect(stageOf(tight, 'adapter').rejected[0]?.why).to.match(
      /^needs \d+(\.\d+)? MiB more than the \d+ MiB available/,
    );
    const none = await at(100);
    expectSchema(none);
    expect(none.valid).to.equal(false);
    const problem = none.diagnostics.find(({ code }) => code === 'FTP0901');
    expect(problem?.message).to.match(
      /`adapter` does not fit: it needs \d+ MiB, at most \d+ MiB, and 90\.0 MiB of the 100 MiB/,
    );
    expect(problem?.notes?.length).to.be.greaterThan(4);
    expect(problem?.label).to.match(/^largest part: \w+/);
  });

  it('names a step that the file does not allow and that would help', async () => {
    const text = TEXT.replace(/fallback = .*\n/, '').replace('train adapter', 'train adapter using lora');
    const program = folder.program(text.replace('max_length = 256tok', 'max_length = 1024tok'));
    const least = await plan(program, folder.host, { ...QUICK, memoryBytes: 1 });
    const needed = stageOf(least, 'adapter').peak?.high ?? 0;
    const made = await plan(program, folder.host, {
      ...QUICK,
      memoryBytes: Math.floor((needed - 1e6) / 0.9),
    });
    const problem = made.diagnostics.find(({ code }) => code === 'FTP0901');
    expect(problem?.help).to.match(
      /^add `(qlora|shorten|lower_rank).*` to `fallback`: the stage would fit, or use/,
    );
  });

  it('finds everything cached after a run, and then neither surveys nor measures', async () => {
    const program = folder.program();
    pretend(await plan(program, folder.host, QUICK));
    const busy = () => Promise.reject(new Error('must not be called'));
    const made = await plan(program, folder.host, { ...QUICK, survey: busy, speed: busy });
    expectSchema(made);
    expect(made.stages.map(({ action }) => action)).to.deep.equal(new Array(6).fill('cached'));
    expect(renderPlanText(made, PLAIN)).to.not.match(/Memory of|Choice for/);
    expect(made.totals).to.deep.equal({
      peakBytes: 5e8,
      seconds: { expected: 0, low: 0, high: 0 },
      diskBytes: 0,
    });
  });

  it('says which setting makes a stage run again, and what follows from it', async () => {
    pretend(await plan(folder.program(), folder.host, QUICK));
    const made = await plan(folder.program(TEXT.replace('rank: 16', 'rank: 8')), folder.host, QUICK);
    expect(made.stages.map(({ action }) => action)).to.deep.equal([
      'cached',
      'cached',
      'run',
      'run',
      'run',
      'run',
    ]);
    expect(stageOf(made, 'adapter').reasons).to.deep.include({
      code: 'setting_changed',
      path: 'settings.lora.rank',
      before: 16,
      after: 8,
    });
    expect(stageOf(made, 'fused').reasons.map(({ code, path }) => [code, path])).to.deep.equal([
      ['input_changed', 'adapter'],
    ]);
  });

  it('does not mistake a new stage for a change of another one', async () => {
    pretend(await plan(folder.program(), folder.host, QUICK));
    const [before = '', after = ''] = TEXT.split('merge fused');
    const again = before
      .slice(before.indexOf('eval quality'))
      .replace('quality', 'again')
      .replace('.test', '.valid');
    const made = await plan(folder.program(`${before}${again}merge fused${after}`), folder.host, QUICK);
    expect(stageOf(made, 'again').reasons).to.deep.equal([{ code: 'first_run' }]);
  });

  it('keeps the choice of a finished training, also on a smaller machine', async () => {
    const program = folder.program();
    pretend(await plan(program, folder.host, QUICK));
    const made = await plan(program, folder.host, { ...QUICK, memoryBytes: 2 ** 28 });
    expect(stageOf(made, 'adapter')).to.include({ action: 'cached' });
    expect(stageOf(made, 'adapter').chosen?.microBatch).to.equal(16);
  });

  interface PlannedWith extends Pick<PlanOptions, 'survey'> {
    readonly text?: string;
  }

  describe('of a training that has a checkpoint', () => {
    const planned = async (memoryBytes?: number, { text, ...more }: PlannedWith = {}) =>
      stageOf(await plan(folder.program(text), folder.host, { ...QUICK, memoryBytes, ...more }), 'adapter');
    /** What `planned` finds with a checkpoint of this key. */
    const plannedAfter = async (
      begun: Pick<PlannedStage, 'key' | 'parts'>,
      memoryBytes?: number,
      more?: PlannedWith,
    ) => {
      const { workFolder } = await import('../../../src/pipeline/store/index.js');
      const store = openStore(folder.path);
      const { key, parts } = begun;
      await workFolder(store.workPath(key), () => {}).commit('step-000001', { 'state.json': '{}' });
      store.noteBegun({ key, parts });
      const made = await planned(memoryBytes, more);
      store.dropWork(key);
      return made;
    };

    it('resumes under its choice', async () => {
      let before = await planned(300 * MIB);
      for (let mib = 298; before.chosen?.checkpointedBlocks === 0; mib -= 2)
        before = await planned(mib * MIB);
      const { chosen } = before;
      expect(chosen?.checkpointedBlocks).to.be.greaterThan(0);
      const made = await plannedAfter(before);
      expect(made.action).to.equal('resume');
      // what changes no result is chosen again
      const { recomputedMlps: _, recomputedAttention: __, ...kept } = chosen ?? {};
      expect(made.chosen).to.deep.equal(kept);
    });

    it('resumes with all that was recomputed beyond its blocks, where another choice is made without one', async () => {
      for (const first of [311, 275]) {
        const before = await planned(first * MIB);
        const { key } = before;
        let mib = first + 1;
        while ((await planned(mib * MIB)).key === key) mib++;
        const made = await plannedAfter(before, mib * MIB);
        expect(made, `${mib} MiB`).to.include({ action: 'resume', key });
        expect(made.chosen?.recomputedMlps, `${mib} MiB`).to.be.greaterThan(
          made.chosen?.checkpointedBlocks ?? 0,
        );
        expect(made.peak?.high, `${mib} MiB`).to.be.at.most(0.9 * mib * MIB);
      }
    });

    it('resumes at every number of recomputed blocks and every chunk of logits', async () => {
      const mib = 305;
      const made = await plan(folder.program(), folder.host, { ...QUICK, memoryBytes: mib * MIB });
      const { key, chosen } = stageOf(made, 'adapter');
      const program = folder.program();
      const stage = program.stages.find(({ name }) => name === 'adapter');
      if (stage === undefined || chosen == null) throw new Error('nothing was chosen');
      const context = { digests: openDigests(folder.host), runtime: { name: 'onnx', version: '1.0.0' } };
      const keys = new Map(made.stages.map((one) => [one.name, one]));
      const parts = stageParts(program, stage, folder.host, context, keys);
      expect(keyOf(parts, chosen).key).to.equal(key);
      for (let checkpointedBlocks = 0; checkpointedBlocks <= 6; checkpointedBlocks++) {
        const logitsChunk = chosen.logitsChunk / 2 ** (checkpointedBlocks % 4);
        const earlier = { ...chosen, checkpointedBlocks, logitsChunk };
        const again = await plannedAfter(keyOf(parts, earlier), mib * MIB);
        expect(again.action, `${checkpointedBlocks} blocks, ${logitsChunk} tokens`).to.equal('resume');
        expect(again.chosen).to.deep.include({
          checkpointedBlocks,
          logitsChunk,
          microBatch: chosen.microBatch,
        });
      }
    });

    it('resumes with rows as short as they were, as long as the file lets the planner shorten them', async () => {
      const histogram = [...new Array<number>(7).fill(0), 200, ...new Array<number>(7).fill(0), 200];
      const half = { survey: async () => ({ ...SURVEY, tokens: 200 * (245 + 120), histogram }) };
      const listed = (fallback: string): PlannedWith => ({
        ...half,
        text: TEXT.replace(/fallback = .*/, `fallback = [${fallback}]`),
      });
      const shorter = listed('shorten(min: 128tok)');
      // nothing fits: every freedom is used to its end
      const before = await planned(1, shorter);
      expect(before.chosen?.maxLength).to.equal(128);
      const made = await plannedAfter(before, undefined, shorter);
      expect(made).to.include({ action: 'resume', key: before.key });
      expect(made.chosen?.maxLength).to.equal(128);
      const other = await plannedAfter(before, undefined, listed('checkpointing'));
      expect(other.action).to.equal('run');
      expect(other.chosen?.maxLength).to.equal(256);
    });
  });

  it('says so where the checkpoint that is there is of another runtime', async () => {
    const program = folder.program();
    const runtime = identityOf(folder.host, 'cpu');
    const other = await plan(program, folder.host, { ...QUICK, runtime });
    const { workFolder } = await import('../../../src/pipeline/store/index.js');
    const work = openStore(folder.path).workPath(stageOf(other, 'adapter').key);
    await workFolder(work, () => {}).commit('step-000001', { 'state.json': '{}' });
    const made = await plan(program, folder.host, QUICK);
    expectSchema(made);
    const { action, reasons } = stageOf(made, 'adapter');
    expect(action).to.equal('run');
    expect(reasons).to.deep.equal([
      { code: 'checkpoint_left', before: other.runtime },
      { code: 'first_run' },
    ]);
  });

  it('plans for a machine that is not here, without a time', async () => {
    const made = await plan(folder.program(), folder.host, { ...QUICK, machine: 'rtx3090', devices: 2 });
    expectSchema(made);
    expect(made.machine).to.deep.include({ name: 'rtx3090', memoryBytes: 24_576 * 2 ** 20 });
    expect(made.machine.devices).to.have.length(2);
    expect(made.totals.seconds).to.equal(null);
    expect(made.budget.map(({ holds }) => holds)).to.deep.equal([true, null]);
    const unknown = await plan(folder.program(), folder.host, { ...QUICK, machine: 'abacus' });
    expect(unknown.valid).to.equal(false);
    expect(unknown.diagnostics[0]?.code).to.equal('FTP0903');
  });

  it('breaks a budget without being invalid', async () => {
    const text = TEXT.replace('peak_memory <= 2GiB', 'peak_memory <= 10MiB');
    const made = await plan(folder.program(text), folder.host, QUICK);
    expect(made.valid).to.equal(true);
    expect(made.budget[0]).to.include({ holds: false, limit: 10 * 2 ** 20 });
  });

  it('reports a model that is not there once, and still shows the other stages', async () => {
    const program = folder.program();
    const broken = JSON.parse(JSON.stringify(program)) as typeof program;
    folder.write('empty/config.json', '{}');
    const call = { call: 'local', args: { folder: 'empty' } };
    const stages = broken.stages.map((stage) => ({
      ...stage,
      settings: Object.fromEntries(
        Object.entries(stage.settings).map(([name, value]) => [
          name,
          name === 'base' || name === 'baseline' || (name === 'model' && stage.kind === 'format')
            ? call
            : value,
        ]),
      ),
    }));
    const made = await plan({ ...broken, stages }, folder.host, QUICK);
    expectSchema(made);
    expect(made.valid).to.equal(false);
    expect(made.diagnostics.map(({ code }) => code)).to.deep.equal(['FTP0832']);
    expect(stageOf(made, 'rows').peak).to.not.equal(null);
    expect(stageOf(made, 'adapter').peak).to.equal(null);
  });

  it('is readable: stages, memory by part, what was chosen and rejected, budgets', async () => {
    const made = await plan(folder.program(), folder.host, QUICK);
    const text = renderPlanText(made, PLAIN);
    for (const { name } of made.stages)
      expect(text).to.match(new RegExp(`\\+ run +\\w+ ${name} .*\\d \\wiB, at most \\d`));
    expect(text).to.match(/data rows +~\d+ rows /);
    expect(text).to.match(/train adapter +~\d+ rows, ~\d+ steps /);
    expect(text).to.match(/Choice for adapter: trains [\d.]+ k of [\d.]+ M \(\d/);
    expect(text).to.match(/Memory of adapter\n {2}weights +\d+\.\d MiB +█+/);
    expect(text).to.match(/chosen +lora +16 × 1 +16 +256 +0 /);
    expect(text).to.match(/rejected +qlora .*fits, but quantises the base to 4 bits/);
    expect(text).to.include('✓  require peak_memory <= 2GiB');
    expect(text).to.include(`peak ${bytes(made.totals.peakBytes ?? 0)}`);
    expect(text.split('\n').filter((line) => line !== line.trimEnd())).to.deep.equal([]);
    const narrow = renderPlanText(made, PLAIN, 80).split('\n');
    expect(Math.max(...narrow.map((line) => line.length))).to.be.at.most(80);
    const at = narrow.findIndex((line) => /^\+ run {2}train adapter: has not run yet$/.test(line));
    expect(narrow[at + 1]).to.match(/^ {7}~\d+ rows, ~\d+ steps; peak \d.*iB, at most \d.*iB; .*at most/);
    expect(renderPlanText(made, PLAIN, 200)).to.equal(text);
    const elsewhere = await plan(folder.program(), folder.host, { ...QUICK, machine: 'rtx3090' });
    expect(renderPlanText(elsewhere, PLAIN)).to.include('known after run');
  });
});
