import { expect } from 'chai';
import { plan } from '../../../src/pipeline/planner/plan.js';
import type { Plan } from '../../../src/pipeline/planner/plan-json.js';
import { PLAIN } from '../../../src/pipeline/planner/render/columns.js';
import { renderPlanText } from '../../../src/pipeline/planner/render/text.js';
import { type Folder, pipelineFolder, QUICK, SURVEY, TEXT } from './pipeline.js';

describe('budgets as constraints of the planner', () => {
  let folder: Folder;
  before(() => {
    folder = pipelineFolder();
  });
  after(() => folder.remove());

  const MIB = 2 ** 20;
  const withBudget = (...requires: readonly string[]): string =>
    TEXT.replace(
      /budget machine \{[^}]*\}/,
      `budget machine {\n${requires.map((one) => `  require ${one}\n`).join('')}}`,
    );
  const made = (text: string, options = {}): Promise<Plan> =>
    plan(folder.program(text), folder.host, { ...QUICK, ...options });
  const stageOf = (found: Plan, name: string) => {
    const stage = found.stages.find((one) => one.name === name);
    if (stage === undefined) throw new Error(name);
    return stage;
  };
  /** Half of the rows have less than 128 tokens. */
  const SHORT_TOO = {
    survey: async () => ({
      ...SURVEY,
      histogram: SURVEY.histogram.map((_, bin) => (bin === 6 || bin === 15 ? 200 : 0)),
    }),
  };
  const trained = (found: Plan) => stageOf(found, 'adapter');

  it('look for a plan that fits, as less memory does, and say which line decided', async () => {
    const roomy = await made(TEXT);
    expect(trained(roomy).limits?.decides).to.equal(undefined);
    const { high } = trained(roomy).peak ?? { high: 0 };
    const most = Math.floor(high / MIB) - 4;
    const tight = await made(withBudget(`peak_memory <= ${most}MiB`));
    const asMemory = await made(withBudget('wall_time <= 10h'), { memoryBytes: (most * MIB) / 0.9 });
    expect(trained(tight).chosen)
      .to.deep.equal(trained(asMemory).chosen)
      .and.not.to.deep.equal(trained(roomy).chosen);
    expect(trained(tight).key).to.equal(trained(asMemory).key);
    expect(tight.valid).to.equal(true);
    expect(tight.budget[0]?.holds).to.equal(true);
    const line = (await folder.host.readText(`${folder.path}/pipeline.ftp`))
      .split('\n')
      .indexOf('  require wall_time <= 10h');
    const { limits, rejected } = trained(tight);
    expect(limits).to.deep.equal({
      memory: { most: most * MIB, require: `peak_memory <= ${most}MiB`, at: `pipeline.ftp:${line + 1}` },
      decides: true,
    });
    expect(rejected[0]?.why).to.include(`of \`require peak_memory <= ${most}MiB\` (pipeline.ftp:`);
    expect(renderPlanText(tight, PLAIN)).to.include(`(pipeline.ftp:${line + 1}) decided: at most`);
  });

  it('limit one stage, a ratio, a condition in words, and yield to a smaller machine', async () => {
    const { high = 0 } = trained(await made(TEXT)).peak ?? {};
    const most = Math.floor(high / MIB) - 4;
    for (const condition of [
      `adapter.peak_memory <= ${most}MiB`,
      `not (peak_memory > ${most}MiB)`,
      `2 * peak_memory <= ${2 * most}MiB`,
      `peak_memory <= ${most}MiB and wall_time <= 10h`,
    ]) {
      const { limits } = trained(await made(withBudget(condition)));
      expect(limits?.memory?.most, condition).to.be.within(most * MIB - 1, most * MIB + 1);
      expect(limits?.decides, condition).to.equal(true);
    }
    const smaller = await made(withBudget(`peak_memory <= ${most}MiB`), { memoryBytes: (most - 10) * MIB });
    expect(trained(smaller).limits).to.equal(undefined);
  });

  it('refuse where nothing fits, at the line, with the least that can be had', async () => {
    const found = await made(withBudget('peak_memory <= 10MiB'), SHORT_TOO);
    expect(found.diagnostics.map(({ code }) => code)).to.deep.equal(['FTP0825']);
    const [broken] = found.diagnostics;
    expect(broken?.message).to.match(
      /no plan keeps the budget `require peak_memory <= 10MiB`: stage `\w+` needs at least \d+ MiB/,
    );
    expect(broken?.notes?.join('\n')).to.match(
      /`adapter` needs \d+ MiB with lora, the base read one block at a time, .*1 row at a time, 128 tokens/,
    );
    expect(broken?.help).to.match(/allow \d+ MiB or more here/);
    expect(broken?.at?.file).to.equal('pipeline.ftp');
  });

  it('say so where a condition limits no stage by itself, and name the figure that decides in its unit', async () => {
    const joined = await made(withBudget('peak_memory <= 10MiB or wall_time <= 0.01s'));
    const [broken] = joined.diagnostics;
    expect(broken?.message).to.match(/peak_memory <= 10MiB or wall_time <= 0.01s`: this plan takes \d+ MiB$/);
    expect(broken?.notes).to.deep.equal([
      'the condition limits no stage by itself, so no other plan was looked for',
    ]);
    expect(joined.stages.every(({ limits }) => limits === undefined)).to.equal(true);
    const both = await made(withBudget('peak_memory <= 8GiB and wall_time <= 0.01s'));
    expect(both.budget[0]).to.deep.include({ unit: 'seconds', limit: 0.01, holds: false });
    expect(both.diagnostics[0]?.message).to.match(/the quickest plan that was found takes [\d.]+ (?:s|min)/);
    expect(renderPlanText(both, PLAIN)).to.match(/planned: [\d.]+ (?:s|min)/);
  });

  it('name what would help if the file listed it', async () => {
    const bare = (text: string): string =>
      text.replace(/ {2}fallback = .*\n/, '').replace('train adapter', 'train adapter using lora');
    const least = trained(await made(bare(withBudget('adapter.peak_memory <= 10MiB')))).peak?.bytes ?? 0;
    const found = await made(bare(withBudget(`adapter.peak_memory <= ${Math.floor(least / MIB)}MiB`)));
    expect(found.diagnostics[0]?.help).to.match(/add `[^`]+` to `fallback` of `adapter`/);
  });

  it('take a quicker plan where the file allows one, and only then', async () => {
    const roomy = await made(withBudget('peak_memory <= 2GiB'), SHORT_TOO);
    const whole = roomy.totals.seconds?.expected ?? 0;
    const seconds = (share: number): string => `${(whole * share).toFixed(3)}s`;
    const same = await made(withBudget(`wall_time <= ${seconds(1.1)}`), SHORT_TOO);
    expect(trained(same).chosen).to.deep.equal(trained(roomy).chosen);
    expect(trained(same).limits).to.equal(undefined);
    const quick = await made(withBudget(`wall_time <= ${seconds(0.9)}`), SHORT_TOO);
    expect(quick.budget[0]?.holds).to.equal(true);
    expect(trained(quick).chosen?.maxLength).to.be.below(256);
    expect(trained(quick).limits?.time?.require).to.equal(`wall_time <= ${seconds(0.9)}`);
    expect(trained(quick).rejected[0]?.why).to.match(/^takes .*, and `require wall_time .* leaves it /);
    const never = await made(withBudget('wall_time <= 1s'), SHORT_TOO);
    expect(trained(never).chosen).to.deep.equal(trained(roomy).chosen);
    expect(never.diagnostics[0]?.message).to.match(
      /`require wall_time <= 1s`: the quickest plan that was found takes /,
    );
    expect(never.diagnostics[0]?.notes?.join())
      .to.contain('lower while other programs run')
      .and.not.contain('speed.json');
    folder.write('.ftp/speed.json', '{}');
    const again = await made(withBudget('wall_time <= 1s'), SHORT_TOO);
    expect(again.diagnostics[0]?.notes?.join()).to.contain('once `.ftp/speed.json` is removed');
  });

  it('are kept by no plan that leaves no row to train on', async () => {
    const whole = (await made(withBudget('peak_memory <= 2GiB'))).totals.seconds?.expected ?? 0;
    for (const require of [`wall_time <= ${(whole * 0.9).toFixed(3)}s`, 'peak_memory <= 10MiB']) {
      const found = await made(withBudget(require).replace('shorten(min: 128tok)', 'shorten(min: 16tok)'));
      expect(
        found.diagnostics.map(({ code }) => code),
        require,
      ).to.deep.equal(['FTP0825']);
      const { chosen, rejected } = trained(found);
      for (const { maxLength } of [...(chosen === null ? [] : [chosen]), ...rejected])
        expect(maxLength, require).to.be.above(240);
    }
  });

  it('of the whole run look for the quickest plan of each stage where the others alone take too long', async () => {
    const two = (text: string): string => {
      const [stage = ''] = /train adapter [^}]*\}[\s\S]*?\n\}\n/.exec(text) ?? [];
      return text.replace(stage, `${stage}${stage.replace('train adapter', 'train second')}`);
    };
    const roomy = await made(two(withBudget('peak_memory <= 2GiB')), SHORT_TOO);
    const slow = stageOf(roomy, 'second').seconds?.expected ?? 0;
    const whole = roomy.totals.seconds?.expected ?? 0;
    const others = whole - 2 * slow;
    const kept = await made(two(withBudget(`wall_time <= ${(others + 0.95 * slow).toFixed(3)}s`)), SHORT_TOO);
    expect(kept.budget[0]?.holds).to.equal(true);
    for (const name of ['adapter', 'second'])
      expect(stageOf(kept, name).chosen?.maxLength, name).to.be.below(256);
    const never = await made(two(withBudget('wall_time <= 0.01s')), SHORT_TOO);
    const [broken] = never.diagnostics;
    expect(broken?.code).to.equal('FTP0825');
    expect(broken?.notes?.join('\n')).to.match(
      /way to train `adapter`: .*128 tokens[\s\S]*way to train `second`: .*128 tokens/,
    );
  });

  it('change no key where they decide nothing', async () => {
    const keys = (found: Plan) => found.stages.map(({ key }) => key);
    expect(keys(await made(withBudget('peak_memory <= 2GiB')))).to.deep.equal(
      keys(await made(withBudget('wall_time <= 9h'))),
    );
  });

  it('hold for an evaluation, whose weights are held another way', async () => {
    const stored = (text: string): string =>
      text.replaceAll(/untrained\("([^"]+)", seed: 1\)/g, 'local("$1")');
    const quality = stageOf(await made(stored(withBudget('wall_time <= 10h'))), 'quality');
    expect(quality.residency).to.equal('float32');
    const most = Math.floor((quality.peak?.bytes ?? 0) / MIB) - 1;
    const tight = stageOf(await made(stored(withBudget(`quality.peak_memory <= ${most}MiB`))), 'quality');
    expect(tight.residency).to.not.equal('float32');
    expect(tight.limits?.decides).to.equal(true);
  });
});
