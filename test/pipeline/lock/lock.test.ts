/** `ftpc lock` and `--locked`, as they are typed. */

import {
  appendFileSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { markOf } from '../../../src/language/host/process-identity.js';
import { objects } from '../../tools/cli/folders.js';
import { COMMIT, tinyModel } from '../hub/folders.js';
import { PIPELINE, type Project, project, rows } from './project.js';

describe('ftpc lock', () => {
  let at: Project;
  const lockFile = (): string => join(at.folder, 'p.lock');
  const text = (): string => readFileSync(lockFile(), 'utf8');
  const lock = () => JSON.parse(text());
  before(async () => {
    at = await project(tinyModel({ token: 'hf_verysecret', revisions: ['v1'] }));
    const made = await at.ftpc('lock', 'p.ftp');
    expect(made.code, made.err).to.equal(0);
  });
  beforeEach(() => {
    at.write('p.ftp', PIPELINE);
    at.write('prompts/system.md', 'Answer in a word.\n');
    at.write('data/long-1.jsonl', rows(30));
    rmSync(join(at.folder, 'data/long-2.jsonl'), { force: true });
    at.hub.repositories = [tinyModel({ token: 'hf_verysecret', revisions: ['v1'] })];
    at.env['HF_HUB_OFFLINE'] = '';
  });

  it('records models, rows, prompts and modules, and no weights are fetched for it', () => {
    const { models, data, files, modules } = lock();
    expect(models['hf tiny/base@main'].commit).to.equal(COMMIT);
    expect(models['hf tiny/base@main'].licence).to.equal('apache-2.0');
    expect(Object.keys(models['hf tiny/base@main'].files)).to.include.members([
      'config.json',
      'model.safetensors',
    ]);
    expect(data['jsonl data/long-*.jsonl'].files['data/long-1.jsonl'].rows).to.equal(30);
    expect(Object.keys(files)).to.deep.equal(['prompts/system.md']);
    expect(Object.keys(modules)).to.deep.equal(['./shared.ftp', 'std/data', 'std/format', 'std/prelude']);
    expect(
      existsSync(join(at.folder, 'hf/hub/models--tiny--base/snapshots', COMMIT, 'model.safetensors')),
    ).to.equal(false);
  });

  it('records files of every form, and nothing for rows that are made up', async () => {
    at.write('data/rows.csv', 'instruction,output\na,b\n');
    at.write(
      'made-up.ftp',
      `edition 2026
import { csv, synthetic } from "std/data"
data rows {
  source = csv("data/rows.csv")
}
data filler {
  source = synthetic(rows: 8, length: 4tok)
}
`,
    );
    const made = await at.ftpc('lock', 'made-up.ftp');
    expect(made.code, made.err).to.equal(0);
    const { data } = JSON.parse(readFileSync(join(at.folder, 'made-up.lock'), 'utf8'));
    expect(Object.keys(data)).to.deep.equal(['csv data/rows.csv']);
    expect(Object.keys(data['csv data/rows.csv'].files)).to.deep.equal(['data/rows.csv']);
  });

  it('records all that a merge reads of the folder of an adapter', async () => {
    const fixtures = join(nodeHost().packageFolder, 'test/fixtures/evaluation/tiny');
    cpSync(join(fixtures, 'adapter'), join(at.folder, 'own'), { recursive: true });
    at.write('own/training_prompt.json', '{}');
    at.write('own/optimizer.pt', 'state');
    const base = `base = local("${join(fixtures, 'base')}")`;
    at.write('merge.ftp', `edition 2026\n\nmerge fused {\n  ${base}\n  adapter = peft("own")\n}\n`);
    const made = await at.ftpc('lock', 'merge.ftp');
    expect(made.code, made.err).to.equal(0);
    const { models } = JSON.parse(readFileSync(join(at.folder, 'merge.lock'), 'utf8'));
    expect(Object.keys(models['peft own'].files)).to.have.members([
      'adapter_config.json',
      'adapter_model.safetensors',
      'training_prompt.json',
    ]);
  });

  it('changes nothing the second time, and checks without a server', async () => {
    const before = text();
    at.env['HF_HUB_OFFLINE'] = '1';
    expect((await at.ftpc('lock', 'p.ftp')).code).to.equal(0);
    expect(text()).to.equal(before);
    renameSync(join(at.folder, 'hf'), join(at.folder, 'away'));
    const checked = await at.ftpc('lock', 'p.ftp', '--check');
    renameSync(join(at.folder, 'away'), join(at.folder, 'hf'));
    expect([checked.code, checked.err]).to.deep.equal([0, 'ok: matches the lock\n']);
  });

  it('keeps the secret out of the lock, the plan, the journal and every message @long', async () => {
    const planned = await at.ftpc('plan', 'p.ftp', '--json');
    const run = await at.ftpc('run', 'p.ftp', '--json');
    expect([planned.code, run.code]).to.deep.equal([0, 0]);
    const kept = readdirSync(at.folder, { recursive: true, encoding: 'utf8' })
      .map((name) => join(at.folder, name))
      .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true);
    const all = [
      planned.out,
      planned.err,
      run.out,
      run.err,
      ...kept.map((path) => readFileSync(path, 'latin1')),
    ];
    expect(all.filter((found) => found.includes('hf_verysecret'))).to.deep.equal([]);
    const base = JSON.parse(planned.out).stages.at(-1).effective.base.value;
    expect(base.args).to.deep.include({ token: { secret: 'hub_token', env: 'MY_TOKEN' }, commit: COMMIT });
  });

  const drifts: readonly (readonly [what: string, change: () => void, place: RegExp, note: RegExp])[] = [
    [
      'a file of rows that grew',
      () => appendFileSync(join(at.folder, 'data/long-1.jsonl'), rows(1)),
      /p\.ftp:12:\d+/,
      /`data\/long-1\.jsonl` has \d+ bytes instead of \d+/,
    ],
    [
      'a file of rows that is new',
      () => at.write('data/long-2.jsonl', rows(3)),
      /p\.ftp:12:\d+/,
      /`data\/long-2\.jsonl` is new/,
    ],
    [
      'a prompt',
      () => at.write('prompts/system.md', 'Answer in a line.\n'),
      /p\.ftp:17:\d+/,
      /different content of the same size/,
    ],
  ];
  for (const [what, change, place, note] of drifts)
    it(`names ${what}, and its place`, async () => {
      change();
      for (const words of [
        ['lock', 'p.ftp', '--check'],
        ['run', 'p.ftp', '--locked'],
      ]) {
        const { code, err } = await at.ftpc(...words);
        expect(code, words.join(' ')).to.equal(words[0] === 'lock' ? 2 : 1);
        expect(err).to.contain('FTP1424').and.to.match(place).and.to.match(note);
      }
      const { code, err } = await at.ftpc('plan', 'p.ftp');
      expect(code).to.equal(0);
      expect(err.match(/FTP1425/g)).to.have.lengthOf(1);
      expect(err).to.match(note);
    });

  it('names a module, at its import, only where it is asked to be strict', async () => {
    const path = join(at.folder, 'shared.ftp');
    const before = readFileSync(path, 'utf8');
    writeFileSync(path, `${before}// more\n`);
    const refused = await at.ftpc('run', 'p.ftp', '--locked');
    const planned = await at.ftpc('plan', 'p.ftp');
    writeFileSync(path, before);
    expect(refused.err).to.match(/FTP1424[\s\S]*the module `\.\/shared\.ftp`[\s\S]*p\.ftp:5:/);
    expect([refused.code, planned.code, planned.err.includes('FTP1425')]).to.deep.equal([1, 0, false]);
  });

  it('refuses what was never locked, and adds it without touching the rest', async () => {
    const before = lock();
    at.write('p.ftp', PIPELINE.replace('prompts/system.md', 'prompts/other.md'));
    at.write('prompts/other.md', 'x');
    appendFileSync(join(at.folder, 'data/long-1.jsonl'), rows(1));
    const refused = await at.ftpc('run', 'p.ftp', '--locked', '--json');
    expect(refused.code).to.equal(1);
    const codes = objects(refused.out)
      .filter(({ type }) => type === 'diagnostic')
      .map(({ code }) => code);
    expect(codes).to.deep.equal(['FTP1424', 'FTP1423']);
    const added = await at.ftpc('lock', 'p.ftp', '--json');
    expect(added.code, 'the rows still differ').to.equal(2);
    expect(JSON.parse(added.out)).to.deep.include({
      added: ['prompts/other.md'],
      differing: ['jsonl data/long-*.jsonl'],
    });
    expect(lock().data).to.deep.equal(before.data);
    at.write('p.ftp', PIPELINE);
    at.write('data/long-1.jsonl', rows(30));
    expect((await at.ftpc('lock', 'p.ftp', '--upgrade', '--json')).code).to.equal(0);
    expect(lock()).to.deep.equal(before);
  });

  it('holds what is read with any parameters', async () => {
    const refused = await at.ftpc('plan', 'p.ftp', '--locked', '-p', 'short=true');
    expect(refused.code).to.equal(1);
    expect(refused.err).to.contain('FTP1423');
    expect((await at.ftpc('lock', 'p.ftp', '-p', 'short=true')).code).to.equal(0);
    for (const short of ['true', 'false'])
      expect((await at.ftpc('plan', 'p.ftp', '--locked', '-p', `short=${short}`)).code).to.equal(0);
  });

  it('stays with the commit while the branch moves, until it is told to move', async () => {
    const moved = 'f'.repeat(40);
    const { files } = tinyModel();
    at.hub.repositories = [
      tinyModel({ token: 'hf_verysecret' }),
      tinyModel({
        token: 'hf_verysecret',
        commit: moved,
        files: { ...files, 'generation_config.json': Buffer.from('{}') },
      }),
    ].reverse();
    const planned = await at.ftpc('plan', 'p.ftp', '--locked', '--json');
    expect(planned.code, planned.err).to.equal(0);
    expect(JSON.parse(planned.out).stages.at(-1).effective.base.value.args.commit).to.equal(COMMIT);
    const before = text();
    const upgraded = await at.ftpc('lock', 'p.ftp', '--upgrade', 'tiny/base', '--json');
    expect(upgraded.code, upgraded.err + upgraded.out).to.equal(0);
    expect(JSON.parse(upgraded.out).moved).to.deep.equal(['hf tiny/base@main']);
    expect(lock().models['hf tiny/base@main'].commit).to.equal(moved);
    writeFileSync(lockFile(), before);
  });

  it('notices a Hub that lists other content for a commit that was locked', async () => {
    at.hub.repositories = [
      tinyModel({
        token: 'hf_verysecret',
        files: { ...tinyModel().files, 'model.safetensors': Buffer.alloc(97_256) },
      }),
    ];
    at.env['HF_HOME'] = join(at.folder, 'other');
    const { code, err } = await at.ftpc('plan', 'p.ftp', '--locked');
    at.env['HF_HOME'] = join(at.folder, 'hf');
    expect(code).to.equal(1);
    expect(err).to.match(/FTP1424[\s\S]*p\.ftp:8:21[\s\S]*model\.safetensors/);
  });

  it('says what is wrong with a lock that cannot be used @long', async () => {
    const before = text();
    for (const [content, code] of [
      [before.replace('  "models"', '<<<<<<< HEAD\n  "models"'), 'FTP1421'],
      [before.slice(0, 100), 'FTP1420'],
      [before.replace('"config.json"', '"../../config.json"'), 'FTP1420'],
      ['{'.repeat(100_000), 'FTP1420'],
    ] as const) {
      writeFileSync(lockFile(), content);
      for (const words of [
        ['lock', 'p.ftp'],
        ...(code === 'FTP1421'
          ? [
              ['lock', 'p.ftp', '--check'],
              ['plan', 'p.ftp'],
            ]
          : []),
      ]) {
        const found = await at.ftpc(...words);
        expect(found.code, words.join(' ')).to.equal(1);
        expect(found.err)
          .to.contain(code)
          .and.to.not.match(/bug in ftpc|^ {4}at /m);
      }
      expect(readFileSync(lockFile(), 'utf8')).to.equal(content);
    }
    rmSync(lockFile());
    const missing = await at.ftpc('run', 'p.ftp', '--locked');
    expect([missing.code, /FTP1422/.test(missing.err)]).to.deep.equal([1, true]);
    expect((await at.ftpc('lock', 'p.ftp', '--check')).code).to.equal(2);
    writeFileSync(lockFile(), before.replaceAll('\n', '\r\n'));
    expect((await at.ftpc('plan', 'p.ftp', '--locked')).code).to.equal(0);
    writeFileSync(lockFile(), before);
  });

  it('is written whole by several at once, which fetch the same files', async () => {
    const before = text();
    rmSync(lockFile());
    const killed = markOf().replace(/^\d+/, '4194304');
    at.write(`p.lock.${killed}.tmp`, 'left by a process that was killed');
    at.env['HF_HOME'] = join(at.folder, 'empty');
    const all = await Promise.all([1, 2, 3].map(() => at.ftpc('lock', 'p.ftp')));
    at.env['HF_HOME'] = join(at.folder, 'hf');
    expect(all.map(({ code, err }) => [code, err.includes('error')])).to.deep.equal(
      Array(3).fill([0, false]),
    );
    const blobs = readdirSync(join(at.folder, 'empty/hub/models--tiny--base/blobs'));
    expect(blobs.filter((name) => !/^[0-9a-f]+$/.test(name))).to.deep.equal([]);
    expect(readdirSync(at.folder).filter((name) => name.startsWith('p.lock'))).to.deep.equal(['p.lock']);
    expect(Object.keys(JSON.parse(text()))).to.deep.equal(Object.keys(JSON.parse(before)));
  });

  it('takes no names without --upgrade, and says which names mean nothing', async () => {
    const names = await at.ftpc('lock', 'p.ftp', 'tiny/base');
    expect([names.code, names.err]).to.satisfy(
      ([code, err]: [number, string]) => code === 1 && err.includes('`--upgrade`'),
    );
    const unknown = await at.ftpc('lock', 'p.ftp', '--upgrade', 'tiny/bass');
    expect(unknown.code).to.equal(1);
    expect(unknown.err).to.contain('`tiny/bass`').and.to.contain('did you mean `tiny/base');
  });
});
