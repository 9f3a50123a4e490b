/** Saved plans: run as they were reviewed, or not at all. */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'chai';
import { UserError } from '../../../src/language/diagnostics/types.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { plan } from '../../../src/pipeline/planner/plan.js';
import {
  environmentDifferences,
  type PlanDifference,
  programDifferences,
  readSavedPlan,
  type SavedPlan,
} from '../../../src/pipeline/planner/saved/index.js';
import { objects } from '../../tools/cli/folders.js';
import { tinyModel } from '../hub/folders.js';
import { PIPELINE, type Project, project, rows } from '../lock/project.js';
import { type Folder, pipelineFolder, QUICK } from './pipeline.js';

const root = nodeHost().packageFolder;
const schemaOf = (name: string): object =>
  JSON.parse(readFileSync(join(root, 'docs/schema', `${name}.json`), 'utf8'));

describe('a saved plan', () => {
  let at: Project;
  let saved: SavedPlan;
  const planFile = (): string => join(at.folder, 'p.plan');
  before(async () => {
    at = await project(tinyModel());
    expect((await at.ftpc('lock', 'p.ftp')).code).to.equal(0);
    const planned = await at.ftpc('plan', 'p.ftp', '-p', 'short=true', '--memory', '2GiB', '--out', 'p.plan');
    expect(planned.code, planned.err).to.equal(0);
    saved = JSON.parse(readFileSync(planFile(), 'utf8'));
  });

  it('has the shape that its schema promises, as the lock has', () => {
    const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true });
    ajv.validate(schemaOf('saved-plan'), saved);
    expect(ajv.errors ?? []).to.deep.equal([]);
    ajv.validate(schemaOf('lock'), JSON.parse(readFileSync(join(at.folder, 'p.lock'), 'utf8')));
    expect(ajv.errors ?? []).to.deep.equal([]);
    expect(JSON.stringify(saved)).to.not.contain('hf_verysecret');
    expect(saved.params).to.deep.equal({ short: 'true' });
    expect(saved.machine.memoryBytes).to.equal(2 ** 31);
  });

  const refusals: readonly (readonly [what: string, change: () => () => void, says: RegExp])[] = [
    [
      'a setting',
      () => edit('p.ftp', 'rank: 2', 'rank: 4'),
      /the setting `lora\.rank` of `adapter`[\s\S]*p\.ftp:\d+:18[\s\S]*then 2[\s\S]*now 4/,
    ],
    ['a file of rows', () => append('data/short.jsonl'), /the file `data\/short\.jsonl` that `rows` reads/],
    [
      'a prompt',
      () => edit('prompts/system.md', 'word', 'line'),
      /the setting `template\.system\.sha256` of `dialogs`/,
    ],
    [
      'a secret that is no longer set',
      () => unset('MY_TOKEN'),
      /the secret `hub_token` \(MY_TOKEN\)[\s\S]*now not set/,
    ],
    ['the lock', () => edit('p.lock', '"rows": 30', '"rows": 31'), /the lock file/],
    [
      'the version',
      () => edit('p.plan', `"ftpc": "${saved.ftpc}"`, '"ftpc": "0.0.1"'),
      /the version of ftpc[\s\S]*then 0\.0\.1/,
    ],
    ['the runtime', () => edit('p.plan', saved.runtime, 'onnx 0.1'), /the runtime/],
    [
      'a plan that was edited',
      () => edit('p.plan', saved.stages[0]?.key ?? '', 'f'.repeat(64)),
      /what `rows` is made of/,
    ],
    [
      'a machine with more memory',
      () => edit('p.plan', String(2 ** 31), String(2 ** 50)),
      /the memory of the machine/,
    ],
  ];
  function edit(name: string, from: string, to: string): () => void {
    const path = join(at.folder, name);
    const text = readFileSync(path, 'utf8');
    expect(text).to.contain(from);
    writeFileSync(path, text.replaceAll(from, to));
    return () => writeFileSync(path, text);
  }
  function append(name: string): () => void {
    const path = join(at.folder, name);
    const text = readFileSync(path, 'utf8');
    appendFileSync(path, rows(1));
    return () => writeFileSync(path, text);
  }
  function unset(name: string): () => void {
    const value = at.env[name] ?? '';
    at.env[name] = '';
    return () => {
      at.env[name] = value;
    };
  }
  for (const [what, change, says] of refusals)
    it(`refuses ${what}, and runs nothing`, async () => {
      const undo = change();
      const { code, err } = await at.ftpc('run', 'p.plan');
      undo();
      expect(code).to.equal(1);
      expect(err).to.contain('FTP1431').and.to.match(says);
      expect(existsSync(join(at.folder, '.ftp/store'))).to.equal(false);
    });

  it('takes no options of a pipeline', async () => {
    const { code, err } = await at.ftpc('run', 'p.plan', '-p', 'short=false');
    expect([code, err]).to.satisfy(
      ([status, text]: [number, string]) => status === 1 && text.includes('`--param`'),
    );
  });

  it('is made for this machine, and not over a pipeline', async () => {
    for (const words of [
      ['--machine', 'cpu-8gib', '--out', 'q.plan'],
      ['--out', 'p.ftp'],
    ]) {
      const { code, err } = await at.ftpc('plan', 'p.ftp', ...words);
      expect(code).to.equal(1);
      expect(err).to.contain('--out');
    }
    expect(readFileSync(join(at.folder, 'p.ftp'), 'utf8')).to.equal(PIPELINE);
    const { code } = await at.ftpc('plan', 'p.ftp', '--memory', '1MiB', '--out', 'q.plan');
    expect([code, existsSync(join(at.folder, 'q.plan'))]).to.deep.equal([1, false]);
  });

  it('is called unreadable where it is', async () => {
    for (const text of [
      '{',
      '{"version":1}',
      '{"type":"ftpc.plan","version":9}',
      JSON.stringify({ ...saved, stages: [{}] }),
    ]) {
      writeFileSync(join(at.folder, 'bad.plan'), text);
      const host = nodeHost(at.folder);
      expect(() => readSavedPlan(host, join(at.folder, 'bad.plan'), 'bad.plan'))
        .to.throw(UserError)
        .with.nested.property('diagnostic.code', 'FTP1430');
    }
    const { code, err } = await at.ftpc('run', 'bad.plan');
    expect(code).to.equal(1);
    expect(err)
      .to.contain('FTP1430')
      .and.to.not.match(/bug in ftpc|^ {4}at /m);
    writeFileSync(join(at.folder, 'list.plan.json'), '[]');
    expect((await at.ftpc('run', 'list.plan.json')).err).to.contain('FTP1430');
  });

  it('is run as it was saved, whatever the form of the pipeline has become', async () => {
    at.write('p.ftp', `// another form\n${PIPELINE.replace('rank: 2, alpha: 4', 'alpha: 4,\n    rank: 2')}`);
    at.hub.repositories = [tinyModel({ commit: 'f'.repeat(40) }), tinyModel()];
    const { code, out } = await at.ftpc('run', 'p.plan', '--json');
    at.write('p.ftp', PIPELINE);
    expect(code, out).to.equal(0);
    const finished = objects(out).at(-1) as { stages: { name: string; outputs: Record<string, string> }[] };
    for (const { name, outputs } of finished.stages) {
      const { key } = saved.stages.find((stage) => stage.name === name) ?? { key: '' };
      expect(Object.values(outputs)[0], name).to.contain(`.ftp/store/${key}`);
    }
  });
});

describe('a choice that was saved', () => {
  let folder: Folder;
  before(() => {
    folder = pipelineFolder();
  });
  after(() => folder.remove());

  it('is kept where the planner would choose differently now', async () => {
    const program = folder.program();
    const free = await plan(program, folder.host, QUICK);
    const first = free.stages.find(({ name }) => name === 'adapter');
    const chosen = first?.chosen ?? undefined;
    if (chosen === undefined) throw new Error('nothing was chosen');
    const other = { ...chosen, microBatch: chosen.microBatch / 2, accumulation: chosen.accumulation * 2 };
    const held = await plan(program, folder.host, { ...QUICK, savedPlans: { adapter: other } });
    const second = held.stages.find(({ name }) => name === 'adapter');
    expect(second?.chosen).to.deep.equal(other);
    expect(second?.key).to.not.equal(first?.key);
  });
});

describe('what moved since a plan was saved', () => {
  const program = (settings: Readonly<Record<string, unknown>>) => ({
    stages: { a: { kind: 'train', using: null, settings, requires: [] } },
    budgets: {},
  });
  const texts = (moves: readonly PlanDifference[]): readonly string[] =>
    moves.map(({ what, before, after }) => `${what}: ${before} → ${after}`);

  it('is named at the smallest setting', () => {
    const before = program({
      optimizer: { call: 'adamw', args: { rate: 1e-4, schedule: { call: 'cosine', args: {} } } },
      stop: { epochs: 3 },
    });
    const after = program({
      optimizer: { call: 'adamw', args: { rate: 2e-4, schedule: { call: 'linear', args: {} } } },
      seed: 1,
    });
    expect(texts(programDifferences(before, after))).to.deep.equal([
      'the setting `optimizer.rate` of `a`: 1e-4 → 2e-4',
      'the setting `optimizer.schedule` of `a`: cosine → linear',
      'the setting `stop` of `a`: { epochs: 3 } → not there',
      'the setting `seed` of `a`: not there → 1',
    ]);
    expect(programDifferences(before, before)).to.deep.equal([]);
  });

  it('is a stage that came or went', () => {
    const none = { stages: {}, budgets: {} };
    expect(texts(programDifferences(none, program({})))).to.deep.equal(['the stage `a`: not there → there']);
    expect(texts(programDifferences(program({}), none))).to.deep.equal(['the stage `a`: there → not there']);
  });

  it('is no machine with more memory', () => {
    const now = {
      ftpc: '1',
      runtime: 'r',
      engine: 'embedded',
      memoryBytes: 100,
      secrets: [],
      lock: null,
    } as const;
    const plan = {
      ftpc: '1',
      runtime: 'r',
      machine: { memoryBytes: 50, threads: 1 },
      secrets: [],
      lock: null,
    } as unknown as SavedPlan;
    expect(environmentDifferences(plan, now)).to.deep.equal([]);
    expect(texts(environmentDifferences(plan, { ...now, memoryBytes: 49 }))).to.deep.equal([
      'the memory of the machine: 50 bytes → 49 bytes',
    ]);
  });
});
