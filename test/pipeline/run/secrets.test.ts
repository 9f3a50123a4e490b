import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { ftpc } from '../../tools/cli/folders.js';
import { type FakeHub, fakeHub } from '../hub/server.js';
import { writePipeline } from './pipelines.js';
import { freshFolder } from './worlds.js';

const TOKEN = 'hf_5ecretThatNobodyMaySee';

/** Every file below a folder that holds the text. */
const baseForm = (folder: string, text: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((path) => readFileSync(path).includes(text));

describe('a run with a secret', () => {
  const cwd = freshFolder();
  let hub: FakeHub;
  const env = (): NodeJS.ProcessEnv => ({
    HF_ENDPOINT: hub.endpoint,
    HF_HOME: join(cwd, 'cache'),
    TINY_TOKEN: TOKEN,
  });

  before(async () => {
    writePipeline(cwd, { steps: 2, gate: '< 1000000' });
    const model = join(cwd, 'model');
    hub = await fakeHub({
      kind: 'models',
      id: 'org/tiny',
      commit: 'a'.repeat(40),
      token: TOKEN,
      files: Object.fromEntries(readdirSync(model).map((name) => [name, readFileSync(join(model, name))])),
    });
    rmSync(model, { recursive: true });
    const file = join(cwd, 'tiny.ftp');
    const text = readFileSync(file, 'utf8')
      .replaceAll('local("model")', 'hf("org/tiny", token: hub_token)')
      .replace('\ndata rows', '\nsecret hub_token = env("TINY_TOKEN")\n\ndata rows');
    writeFileSync(file, text);
  });
  after(() => hub.close());

  it('is checked without it', async () => {
    const { code } = await ftpc(cwd, ['check', 'tiny.ftp', '--json'], { ...env(), TINY_TOKEN: '' });
    expect(code).to.equal(0);
  });

  it('leaves it in no file and in no output, whatever is asked @long', async () => {
    const said: string[] = [];
    const ask = async (...words: string[]): Promise<number> => {
      const { code, out, err } = await ftpc(cwd, words, env());
      said.push(out, err);
      return code;
    };
    expect(await ask('lock', 'tiny.ftp'), said.join('\n')).to.equal(0);
    expect(await ask('run', 'tiny.ftp', '--json'), said.join('\n')).to.equal(0);
    expect(await ask('plan', 'tiny.ftp')).to.equal(0);
    expect(await ask('plan', 'tiny.ftp', '--json')).to.equal(0);
    expect(await ask('check', 'tiny.ftp', '--json')).to.equal(0);
    expect(await ask('preview', 'tiny.ftp', 'dialogs', '--rows', '1')).to.equal(0);
    expect(hub.requests.length).to.be.above(0);
    expect(hub.leaked).to.deep.equal([]);
    expect(said.filter((text) => text.includes(TOKEN))).to.deep.equal([]);
    expect(baseForm(cwd, TOKEN)).to.deep.equal([]);
    // The search finds what is there.
    expect(baseForm(cwd, 'TINY_TOKEN').map((path) => path.slice(cwd.length))).to.include('/tiny.ftp');
  });

  it('plans nothing where it is not set, and needs it no more once all is done @long', async () => {
    const unset = { ...env(), TINY_TOKEN: '' };
    const done = JSON.parse((await ftpc(cwd, ['plan', 'tiny.ftp', '--json'], unset)).out);
    expect(
      done.diagnostics.filter(({ severity }: Record<string, string>) => severity === 'error'),
    ).to.deep.equal([]);
    const copy = freshFolder();
    for (const name of ['tiny.ftp', 'data', 'tiny.lock', 'cache'])
      cpSync(join(cwd, name), join(copy, name), { recursive: true });
    const { code, out } = await ftpc(copy, ['plan', 'tiny.ftp', '--json'], unset);
    expect(code).to.equal(1);
    const plan = JSON.parse(out);
    expect(plan.valid).to.equal(false);
    const found = plan.diagnostics.map(({ code, message }: Record<string, string>) => `${code} ${message}`);
    expect(found).to.include(
      'FTP0529 `adapter` needs the secret `hub_token`, but the environment variable TINY_TOKEN is not set',
    );
  });
});
