import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { passedOn } from '../../../src/language/host/child-environment.js';
import { compilerNeeds, npmNeeds } from '../../../src/tools/install/program-environment.js';

describe('programs of an installation', () => {
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'npmrc-'));
  });
  afterEach(() => rmSync(home, { recursive: true }));

  const others = { HF_TOKEN: 'x', GITHUB_TOKEN: 'x', AWS_SECRET_ACCESS_KEY: 'x' };

  it('are npm with its own credentials and those that its files name, and no others', () => {
    writeFileSync(join(home, '.npmrc'), `//packages.test/:_authToken=$\{WORK_TOKEN}\ncache=$\{CACHE?}\n`);
    writeFileSync(join(home, 'global'), `email=$\{MAIL}\n`);
    const own = {
      HOME: home,
      npm_config_globalconfig: join(home, 'global'),
      NPM_CONFIG__AUTH: 'x',
      WORK_TOKEN: 'x',
      CACHE: 'x',
      MAIL: 'x',
      VOLTA_HOME: 'x',
    };
    expect(passedOn({ ...own, ...others }, npmNeeds({ ...own, ...others }))).to.deep.equal(own);
  });

  it('are npm without any file', () => {
    const own = { HOME: home, npm_config_userconfig: join(home, 'none'), NPM_CONFIG_PREFIX: home };
    expect(passedOn({ ...own, ...others }, npmNeeds({ ...own, ...others }))).to.deep.equal(own);
  });

  it('are a compiler that finds its headers', () => {
    const own = { PATH: 'x', CPATH: 'x', LIBRARY_PATH: 'x', CCACHE_DIR: 'x' };
    expect(passedOn({ ...own, ...others }, compilerNeeds)).to.deep.equal(own);
  });
});
