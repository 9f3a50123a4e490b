import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import {
  isOwn,
  kindOf,
  type OwnForm,
  removeEmpty,
  removeOwn,
  sweepOwn,
} from '../../../src/language/host/own-files.js';

const ANY: OwnForm = { name: /^own/, kinds: ['file', 'folder', 'link'] };

describe('what ftpc may remove', () => {
  let root = '';
  const at = (...names: readonly string[]): string => join(root, ...names);
  const folder = (...names: readonly string[]): string => {
    mkdirSync(at(...names), { recursive: true });
    return at(...names);
  };
  const file = (...names: readonly string[]): string => {
    folder(...names.slice(0, -1));
    writeFileSync(at(...names), 'text');
    return at(...names);
  };
  beforeEach(() => {
    root = realpathSync(mkdtempSync(join(tmpdir(), 'ftpc-own-')));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  it('has a name of its form', () => {
    const form: OwnForm = { name: /^own\.\d+$/, kinds: ['file'] };
    for (const name of ['own.1x', 'xown.1', 'own.', 'OWN.1', 'own.1\n']) {
      expect(removeOwn(file(name), form), JSON.stringify(name)).to.equal(false);
      expect(existsSync(at(name)), JSON.stringify(name)).to.equal(true);
    }
    expect(removeOwn(file('own.1'), form)).to.equal(true);
    expect(existsSync(at('own.1'))).to.equal(false);
  });

  it('is of a kind of its form, and never a socket, a pipe or nothing', async () => {
    const paths = { file: file('own-file'), folder: folder('own-folder'), link: at('own-link') };
    symlinkSync('own-file', paths.link);
    for (const [kind, path] of Object.entries(paths)) {
      expect(kindOf(path)).to.equal(kind);
      for (const one of ['file', 'folder', 'link'] as const)
        expect(isOwn(path, { name: /^own/, kinds: [one] }), `${kind} as ${one}`).to.equal(one === kind);
    }
    execFileSync('mkfifo', [at('own-pipe')]);
    const server = createServer().listen(at('own-socket'));
    try {
      await new Promise((resolve) => server.once('listening', resolve));
      for (const name of ['own-pipe', 'own-socket', 'own-nothing', 'own-file/own-below']) {
        expect(kindOf(at(name)), name).to.equal(undefined);
        expect(removeOwn(at(name), ANY), name).to.equal(false);
      }
      expect(existsSync(at('own-pipe')) && existsSync(at('own-socket'))).to.equal(true);
    } finally {
      server.close();
    }
  });

  it('is a link itself, and what that leads to stays', () => {
    file('elsewhere', 'kept');
    symlinkSync(at('elsewhere'), at('own-link'));
    symlinkSync('nowhere', at('own-dangling'));
    for (const name of ['own-link', 'own-dangling']) {
      expect(removeOwn(at(name), { ...ANY, kinds: ['folder', 'file'] }), name).to.equal(false);
      expect(removeOwn(at(name), ANY), name).to.equal(true);
      expect(kindOf(at(name)), name).to.equal(undefined);
    }
    folder('own-folder');
    symlinkSync(at('elsewhere'), at('own-folder', 'inside'));
    expect(removeOwn(at('own-folder'), ANY)).to.equal(true);
    expect(readFileSync(at('elsewhere', 'kept'), 'utf8')).to.equal('text');
  });

  it('is reached from the root through folders alone; the root may be a link', () => {
    file('real', 'deep', 'own');
    symlinkSync('real', at('link'));
    symlinkSync('deep', at('real', 'short'));
    const owns = (path: string, from: string): boolean => isOwn(at(path), ANY, at(from));
    expect(owns('real/deep/own', 'real')).to.equal(true);
    expect(owns('link/deep/own', 'link'), 'the root is a link').to.equal(true);
    expect(owns('link/deep/own', '.'), 'a link below the root').to.equal(false);
    expect(owns('real/short/own', 'real'), 'a link in the middle').to.equal(false);
    expect(owns('real/deep/own', 'other'), 'not below the root').to.equal(false);
  });

  it('stays where the disk refuses, which throws or is left to the next one', function () {
    if (process.getuid?.() === 0) this.skip();
    const path = file('own-folder', 'inside');
    chmodSync(at('own-folder'), 0o555);
    try {
      expect(() => removeOwn(at('own-folder'), ANY)).to.throw(/EACCES|EPERM/);
      sweepOwn(at('own-folder'), ANY);
      expect(existsSync(path)).to.equal(true);
    } finally {
      chmodSync(at('own-folder'), 0o755);
    }
  });

  it('is an empty folder, not one with something in it', () => {
    file('full', 'inside');
    folder('empty');
    for (const name of ['full', 'empty', 'absent']) removeEmpty(at(name));
    expect([kindOf(at('full')), kindOf(at('empty'))]).to.deep.equal(['folder', undefined]);
  });

  describe('with mounts', () => {
    const mounted: string[] = [];
    const mount = (from: string, to: string): void => {
      execFileSync('mount', ['--bind', from, to], { stdio: 'pipe' });
      mounted.push(to);
    };
    before(function () {
      const there = mkdtempSync(join(tmpdir(), 'ftpc-mount-'));
      try {
        execFileSync('mount', ['--bind', there, there], { stdio: 'pipe' });
        execFileSync('umount', [there], { stdio: 'pipe' });
      } catch {
        // only root mounts, and not in every container
        this.skip();
      } finally {
        rmSync(there, { recursive: true });
      }
    });
    afterEach(() => {
      for (const path of mounted.splice(0).reverse()) execFileSync('umount', [path]);
    });

    it('is no mount point, nothing below one, and nothing with one in it', () => {
      const kept = file('elsewhere', 'own-kept');
      for (const name of ['own-point', 'own-around/deep/point', 'middle']) folder(name);
      file('plain', 'own');
      for (const name of ['own-point', 'own-around/deep/point', 'middle']) mount(at('elsewhere'), at(name));
      expect(removeOwn(at('own-point'), ANY), 'the point').to.equal(false);
      expect(removeOwn(at('own-around'), ANY), 'around it').to.equal(false);
      expect(removeOwn(at('middle', 'own-kept'), ANY, root), 'below it').to.equal(false);
      expect(removeOwn(at('plain', 'own'), ANY, root), 'next to it').to.equal(true);
      expect(existsSync(kept)).to.equal(true);
    });

    it('may be below a root that is a mount point, or is in one', () => {
      file('elsewhere', 'deep', 'own');
      folder('store');
      mount(at('elsewhere'), at('store'));
      expect(isOwn(at('store', 'deep', 'own'), ANY, at('store', 'deep'))).to.equal(true);
      expect(removeOwn(at('store', 'deep', 'own'), ANY, at('store'))).to.equal(true);
    });

    it('knows mount points with spaces, tabs, backslashes and letters of all kinds in their names', () => {
      file('elsewhere', 'kept');
      for (const name of ['own a\tb', 'own\\040', 'own ü 模', 'own\nline']) {
        mount(at('elsewhere'), folder(name));
        expect(isOwn(at(name), ANY), JSON.stringify(name)).to.equal(false);
      }
    });
  });
});
