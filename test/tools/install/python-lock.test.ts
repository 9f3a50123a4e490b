import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import {
  compareReleases,
  PACKAGE_NAMES,
  PYTHON_MINORS,
  packageOf,
} from '../../../src/compute/accelerate/packages.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import {
  type LockedWheel,
  lockText,
  readLock,
  suitsPython,
  wheelsFor,
} from '../../../src/tools/install/python-lock.js';
import { UV_SYSTEMS } from '../../../src/tools/install/uv.js';

const folder = join(nodeHost().packageFolder, 'python', 'locks');
const read = (name: string): readonly LockedWheel[] => readLock(readFileSync(join(folder, name), 'utf8'));

describe('the lock of a Python environment', () => {
  it('is read as it was written', () => {
    const wheels = ['11', '12'].map((minor) => ({
      project: 'torch',
      version: '2.15.0',
      name: `torch-2.15.0-cp3${minor}-cp3${minor}-manylinux_2_28_x86_64.whl`,
      bytes: 539,
      sha256: minor.repeat(32),
    }));
    const text = lockText(['A lock.'], wheels);
    expect(text).to.contain('\ntorch==2.15.0 \\\n    --hash=sha256:1111');
    expect(readLock(text)).to.deep.equal(wheels);
    expect(wheelsFor(wheels, 12).map(({ name }) => name)).to.deep.equal([wheels[1]?.name]);
    expect(() => readLock(text.replace(/^# torch.*$/m, ''))).to.throw('torch');
  });

  it('knows which Pythons a wheel is for', () => {
    const suits = (tags: string): readonly number[] =>
      [11, 12, 13].filter((minor) => suitsPython(`a-1-${tags}.whl`, minor));
    expect(suits('py3-none-any')).to.deep.equal([11, 12, 13]);
    expect(suits('py2.py3-none-any')).to.deep.equal([11, 12, 13]);
    expect(suits('py312-none-any')).to.deep.equal([12, 13]);
    expect(suits('cp312-cp312-manylinux_2_28_x86_64')).to.deep.equal([12]);
    expect(suits('cp310-abi3-manylinux_2_28_x86_64')).to.deep.equal([11, 12, 13]);
    expect(suits('cp313-abi3-manylinux_2_28_x86_64')).to.deep.equal([13]);
    expect(suits('cp313-cp313t-manylinux_2_28_x86_64')).to.deep.equal([]);
    expect(suits('py2-none-any')).to.deep.equal([]);
  });

  it('is there for every system that uv is fetched for, and for no other', () => {
    const names = readdirSync(folder).sort();
    expect(names).to.deep.equal(UV_SYSTEMS.flatMap((name) => [`${name}.txt`, `dev-${name}.txt`]).sort());
  });

  for (const name of readdirSync(folder)) {
    it(`${name} has one wheel of each package for each Python`, () => {
      const lock = read(name);
      const projects = new Set(lock.map(({ project }) => project));
      for (const minor of PYTHON_MINORS) {
        const found = wheelsFor(lock, minor).map(({ project }) => project);
        expect([...found].sort(), `Python 3.${minor}`).to.deep.equal([...projects].sort());
      }
    });

    if (!name.startsWith('dev'))
      it(`${name} has the versions that were tried`, () => {
        const versions = new Map(
          read(name).map(({ project, version }) => [project.replaceAll('-', '_'), version]),
        );
        for (const one of PACKAGE_NAMES) {
          const { tried, from } = packageOf(one);
          if (tried === undefined) continue;
          expect(versions.get(one), one).to.equal(tried);
          expect(compareReleases(tried, from)).to.be.at.least(0);
        }
      });

    it(`${name} names no host`, () => {
      expect(readFileSync(join(folder, name), 'utf8')).to.not.match(/https?:|--index|--find-links/);
    });
  }
});
