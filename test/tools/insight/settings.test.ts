import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { valueText } from '../../../src/language/check/value-text.js';
import { compile } from '../../../src/language/compile.js';
import { UserError } from '../../../src/language/diagnostics/types.js';
import { EMBEDDED } from '../../../src/language/ir/engines.js';
import { lintReport } from '../../../src/language/lint/index.js';
import { t } from '../../../src/language/schemas/schema.js';
import { schemas } from '../../../src/language/schemas/stages/index.js';
import { plan } from '../../../src/pipeline/planner/plan.js';
import type { Plan } from '../../../src/pipeline/planner/plan-json.js';
import { PLAIN } from '../../../src/pipeline/planner/render/columns.js';
import { withPrecision } from '../../../src/pipeline/stages/train/precision.js';
import { type Answer, addressOf, answerOf, answerText } from '../../../src/tools/insight/settings/index.js';
import { expectGolden } from '../../helpers/golden.js';
import { pipelineFolder, QUICK, STARTER, TEXT } from '../../pipeline/planner/pipeline.js';
import { expectSchema } from './schemas.js';

const GOLDEN = 'test/tools/insight/golden';

describe('a pipeline and a name in it', () => {
  const found = (text: string, files: readonly string[] = []) =>
    addressOf(text, (path) => files.includes(path));

  it('are told apart', () => {
    expect(found('a/legal.ftp:adapter.lora.rank')).to.deep.equal({
      file: 'a/legal.ftp',
      name: 'adapter.lora.rank',
    });
    expect(found('legal.ftp')).to.deep.equal({ file: 'legal.ftp', name: undefined });
    expect(found('legal.ftp:')).to.deep.equal({ file: 'legal.ftp', name: undefined });
    expect(found('FTP0301')).to.equal(undefined);
    expect(found('legal:adapter')).to.equal(undefined);
  });

  it('are told apart where the path has colons, and the name dots', () => {
    expect(found('C:\\work\\legal.ftp:adapter')).to.deep.equal({
      file: 'C:\\work\\legal.ftp',
      name: 'adapter',
    });
    expect(found('a:b.ftp:adapter', ['a:b.ftp'])).to.deep.equal({ file: 'a:b.ftp', name: 'adapter' });
    expect(found('a.ftp:b.ftp:adapter', ['a.ftp:b.ftp'])).to.deep.equal({
      file: 'a.ftp:b.ftp',
      name: 'adapter',
    });
    expect(found('a.ftp:b.ftp', ['a.ftp:b.ftp'])).to.deep.equal({ file: 'a.ftp:b.ftp', name: undefined });
    expect(found('l.ftp:adapter@rate=0.5.seed')).to.deep.equal({
      file: 'l.ftp',
      name: 'adapter@rate=0.5.seed',
    });
  });
});

describe('values as a pipeline would have them', () => {
  it('have their units, and words no quotes', () => {
    const ratio = t.quantity('ratio').type;
    expect(valueText(0.05, ratio)).to.equal('5%');
    expect(valueText(3600, t.quantity('seconds').type)).to.equal('1h');
    expect(valueText({ unit: 'steps', value: 5 })).to.equal('5steps');
    expect(valueText('drop', t.enum('drop', 'warn').type)).to.equal('drop');
    expect(valueText('drop', t.string.type)).to.equal('"drop"');
    expect(valueText(['q_proj'], t.union(t.enum('all'), t.list(t.enum('q_proj'))).type)).to.equal('[q_proj]');
    expect(valueText(0.0002)).to.equal('2e-4');
    expect(valueText(null)).to.equal('none');
    expect(valueText({ stage: 'a', port: 'best' })).to.equal('a.best');
    expect(valueText({ file: 'p "q".md', sha256: '', text: '' })).to.equal('file("p \\"q\\".md")');
    expect(valueText({ call: 'starter', args: {} })).to.equal('starter()');
    expect(valueText({ call: 'near', args: { similarity: 0.8 } })).to.equal('near(0.8)');
    expect(valueText({ call: 'near', args: { similarity: 0.9 } })).to.equal('near');
    expect(valueText({ secret: 'token', env: 'HF_TOKEN' })).to.equal('token');
  });
});

/** The pipeline of the planner's tests with a parameter, a preset and a secret. */
const PIPELINE = TEXT.replace(
  'import { perplexity',
  'import { mine } from "./presets.ftp"\nimport { perplexity',
)
  .replace(
    'data rows {',
    `/// How fast it learns.
param rate: Number(1e-5..1e-1) = 2e-2
param rows_limit: Int = 400
secret token = env("HF_TOKEN")

data rows {
  limit = rows_limit`,
  )
  .replace('rate: 2e-3', 'rate: rate * 1')
  .replace('train adapter {', 'train adapter using mine {')
  .replace('stop = { epochs: 2 }', '')
  .replaceAll(`untrained("${STARTER}", seed: 1)`, 'local("starter")');

const PRESETS = `edition 2026

/// What we always do.
preset mine for train {
  stop = { epochs: 2 }
  seed = 5
}
`;

describe('what is known of a setting', () => {
  const folder = pipelineFolder();
  after(() => folder.remove());
  let ask: (name: string | undefined, planned?: Plan) => Answer;
  let made: Plan;

  before(async () => {
    symlinkSync(STARTER, join(folder.path, 'starter'));
    folder.write('presets.ftp', PRESETS);
    folder.write('pipeline.ftp', PIPELINE);
    const params = { rows_limit: '300' };
    const compiled = compile(folder.host, 'pipeline.ftp', { params });
    const { program, analysis, sources } = compiled;
    if (program === undefined || analysis === undefined)
      throw new Error(compiled.diagnostics.map(({ message }) => message).join('\n'));
    const settled = withPrecision(program, EMBEDDED);
    made = await plan(settled, folder.host, { ...QUICK, machine: 'cpu-2gib', threads: 2 });
    const lints = lintReport(compiled, folder.host);
    ask = (name, planned = made) =>
      answerOf('pipeline.ftp', name, { analysis, sources, plan: planned, params, lints });
  });

  const setting = (name: string, planned?: Plan) => {
    const answer = ask(name, planned);
    if (answer.about !== 'setting') throw new Error(`${name} is a ${answer.about}`);
    return answer.setting;
  };

  it('says who set it: the author, a preset, a parameter, the default, the planner, nobody', () => {
    expect(setting('adapter.lora.rank').setBy).to.deep.equal({
      from: 'author',
      at: { file: 'pipeline.ftp', line: 27, column: 18 },
    });
    expect(setting('adapter.stop.epochs')).to.deep.include({
      text: '2',
      setBy: {
        from: 'preset',
        preset: { preset: 'mine', module: 'presets.ftp' },
        at: { file: 'presets.ftp', line: 5, column: 20 },
      },
    });
    expect(setting('rows.limit').setBy).to.deep.include({ from: 'param' });
    expect(setting('rows.limit').setBy.params).to.deep.equal([
      {
        name: 'rows_limit',
        from: 'command line',
        given: '-p rows_limit=300',
        at: { file: 'pipeline.ftp', line: 9, column: 7 },
      },
    ]);
    expect(setting('adapter.optimizer.rate').setBy.params?.[0]).to.deep.include({
      name: 'rate',
      from: 'default',
    });
    expect(setting('adapter.optimizer.beta1').setBy).to.deep.equal({ from: 'default' });
    expect(setting('adapter.batch.micro').setBy).to.deep.equal({ from: 'planner' });
    expect(setting('adapter.stop.steps')).to.deep.include({ text: null, setBy: { from: 'nobody' } });
  });

  it('has no epochs of the default where the file asks for steps', () => {
    folder.write('steps.ftp', TEXT.replace('stop = { epochs: 2 }', 'stop = { steps: 40 }'));
    const compiled = compile(folder.host, 'steps.ftp');
    const { analysis, sources } = compiled;
    if (analysis === undefined) throw new Error('it has mistakes');
    const told = (name: string) =>
      answerOf('steps.ftp', name, {
        analysis,
        sources,
        params: {},
        lints: lintReport(compiled, folder.host),
      });
    expect(told('adapter.stop.epochs')).to.have.nested.include({
      'setting.text': null,
      'setting.default': '3',
    });
    expect(told('adapter.stop')).to.have.nested.property('setting.text', '{ steps: 40 }');
    expect(told('adapter.lora.rank')).to.have.nested.property('setting.text', '16');
  });

  it('has no adapter of the default where every weight is trained', () => {
    const text = TEXT.replace('train adapter {', 'train adapter using full {').replace(/ {2}lora = .*\n/, '');
    folder.write('full.ftp', text);
    const compiled = compile(folder.host, 'full.ftp');
    const { analysis, sources } = compiled;
    if (analysis === undefined) throw new Error('it has mistakes');
    const lints = lintReport(compiled, folder.host);
    const rank = answerOf('full.ftp', 'adapter.lora.rank', { analysis, sources, params: {}, lints });
    expect(rank).to.have.nested.include({ 'setting.text': null, 'setting.default': '16' });
  });

  it('says type, range, units, choices and default as the schema has them', () => {
    expect(setting('adapter.lora.rank')).to.include({ type: 'a whole number, 1 to 1024', default: '16' });
    expect(setting('adapter.lora.dropout').units).to.deep.equal(['%']);
    expect(setting('adapter.order').choices).to.include('shuffled');
    expect(setting('adapter.optimizer').choices).to.include('adamw');
    expect(setting('adapter.base').required).to.equal(true);
  });

  it('says why the planner chose it, and what it did not take', () => {
    const { why, rejected } = setting('adapter.using');
    expect(why).to.match(/^the stage then needs .* \(at most .*\) of 1\.80 GiB$/);
    expect(rejected).to.deep.equal(made.stages.find(({ name }) => name === 'adapter')?.rejected);
    expect(setting('adapter.batch.accumulation').why).to.match(/× \d+ rows are the rows of one step$/);
    const precision = setting('adapter.precision');
    expect(precision).to.deep.include({
      text: 'f32',
      default: 'auto',
      setBy: { from: 'planner' },
      rejected: [],
    });
    expect(precision.why).to.equal('the embedded engine computes in float32 unless asked otherwise');
    expect(precision).not.to.have.property('asked');
  });

  it('says what the file has where the planner took something else, and nothing of a default that it has not', () => {
    const changed = { 'lora.rank': 2, 'lora.rslora': true };
    const effective = Object.fromEntries(
      Object.entries(changed).map(([path, value]) => [path, { value, from: 'planner' as const }]),
    );
    const planned = {
      ...made,
      stages: made.stages.map((stage) => ({ ...stage, effective: { ...stage.effective, ...effective } })),
    };
    expect(setting('adapter.lora.rank', planned)).to.include({ text: '2', asked: '16' });
    expect(setting('adapter.lora.rslora', planned)).to.include({ text: 'true', default: 'false' });
    expect(setting('adapter.lora.rslora', planned)).not.to.have.property('asked');
  });

  it('says what the rules find in it', () => {
    expect(setting('adapter.optimizer.rate').lints.map(({ rule }) => rule)).to.deep.equal([
      'rate-out-of-range',
    ]);
    expect(setting('adapter.lora.rank').lints).to.deep.equal([]);
  });

  it('is there for every setting that a schema has', () => {
    const answer = ask(undefined);
    expectSchema('explain', { version: 1, pipeline: 'pipeline.ftp', ...answer });
    if (answer.about !== 'pipeline') throw new Error('everything was asked for');
    for (const { stage, kind, settings } of answer.stages) {
      const paths = settings.map(({ path }) => path);
      expect(paths).to.include.members(Object.keys(schemas[kind].settings));
      expect(new Set(paths).size, stage).to.equal(paths.length);
      for (const path of paths)
        expectSchema('explain', { version: 1, pipeline: 'p', ...ask(`${stage}.${path}`) });
    }
  });

  it('is there for parameters and secrets, whose content is nowhere', () => {
    const rate = ask('rate');
    expect(rate).to.deep.include({
      about: 'param',
      type: 'Number(1e-5..1e-1)',
      text: '0.02',
      doc: 'How fast it learns.',
    });
    expect(rate).to.deep.include({ usedBy: ['adapter.optimizer.rate'] });
    expect(ask('rows_limit')).to.deep.include({ text: '300', from: 'command line', default: '400' });
    const token = ask('token');
    expect(token).to.deep.include({ about: 'secret', env: 'HF_TOKEN' });
    expectSchema('explain', { version: 1, pipeline: 'pipeline.ftp', ...token });
  });

  it('reads well', () => {
    const names = [
      'adapter.lora.rank',
      'adapter.stop.epochs',
      'rows.limit',
      'adapter.checkpoint',
      'adapter.using',
      'adapter.base',
      'local',
      'rate',
      'token',
    ];
    const text = names.map((name) => answerText(ask(name), PLAIN)).join('\n\n');
    expectGolden(`${GOLDEN}/explain.txt`, `${text}\n`);
  });

  it('fits a terminal: texts are broken between words, and long values cut', () => {
    const lines = ['adapter', 'local', 'adapter.using'].flatMap((name) =>
      answerText(ask(name), PLAIN, 80).split('\n'),
    );
    expect(lines.length).to.be.greaterThan(50);
    expect(lines.filter((line) => line.length > 80)).to.deep.equal([]);
  });

  for (const [name, code, help] of [
    ['adaptr', 'FTP1501', 'did you mean `adapter`?'],
    ['adaptr.lora.rank', 'FTP1501', 'did you mean `adapter`?'],
    ['rat', 'FTP1501', 'did you mean `rate`?'],
    ['adapter.lora.rnk', 'FTP1502', 'did you mean `lora.rank`?'],
    ['adapter.rank', 'FTP1502', 'did you mean `lora.rank`?'],
    ['adapter.optimzer', 'FTP1502', 'did you mean `optimizer`?'],
    ['adapter.lora.rank.x', 'FTP1502', undefined],
    ['adapter.constructor', 'FTP1502', undefined],
    ['__proto__', 'FTP1501', undefined],
  ] as const)
    it(`knows no ${name}`, () => {
      let found: unknown;
      try {
        ask(name);
      } catch (error) {
        found = error;
      }
      expect(found).to.be.instanceOf(UserError);
      const { diagnostic } = found as UserError;
      expect(diagnostic.code).to.equal(code);
      if (help !== undefined) expect(diagnostic.help).to.equal(help);
    });
});
