import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { planProcess } from '../../../src/tools/cli/language-server/plan-process.js';
import { writePipeline } from '../../pipeline/run/pipelines.js';
import { freshFolder } from '../../pipeline/run/worlds.js';

/** A variable that no process is given of itself. */
const VARIABLE = 'TINY_TOKEN';

/** A pipeline whose model another program has fetched with a token. */
function writeProject(cwd: string): string {
  writePipeline(cwd, { steps: 2 });
  const repository = join(cwd, 'cache/hub/models--org--tiny');
  const commit = 'a'.repeat(40);
  mkdirSync(join(repository, 'snapshots'), { recursive: true });
  mkdirSync(join(repository, 'refs'));
  writeFileSync(join(repository, 'refs/main'), commit);
  renameSync(join(cwd, 'model'), join(repository, 'snapshots', commit));
  const file = join(cwd, 'tiny.ftp');
  const text = readFileSync(file, 'utf8')
    .replaceAll('local("model")', 'hf("org/tiny", token: hub_token)')
    .replace('\ndata rows', `\nsecret hub_token = env("${VARIABLE}")\n\ndata rows`);
  writeFileSync(file, text);
  return file;
}

describe('the process that plans for an editor', () => {
  const cwd = freshFolder();
  const planner = planProcess();
  const home = process.env['HF_HOME'];
  after(() => {
    planner.close();
    delete process.env[VARIABLE];
    delete process.env['HF_HOME'];
    if (home !== undefined) process.env['HF_HOME'] = home;
  });

  it('knows which secrets are set, and has none of them', async () => {
    const file = writeProject(cwd);
    process.env['HF_HOME'] = join(cwd, 'cache');
    const codes = async (): Promise<readonly string[]> => {
      const task = { cwd, file, params: {}, machine: undefined, texts: {} };
      const { stages, diagnostics } = await planner.plan(task, new AbortController().signal);
      expect(stages).to.not.deep.equal([]);
      return diagnostics.map(({ code }) => code);
    };
    expect(await codes()).to.include('FTP0529');
    process.env[VARIABLE] = 'hf_secret';
    expect(await codes()).to.not.include('FTP0529');
  });
});
