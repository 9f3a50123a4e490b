import { randomUUID } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { conversionsFolder, converted } from '../../../../src/compute/serving/llama-cpp/conversions.js';
import { UserError } from '../../../../src/language/diagnostics/types.js';
import type { Host } from '../../../../src/language/host/host.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';

const YEAR = 365 * 24 * 60 * 60;

describe('models written for llama.cpp', () => {
  let folder: string;
  let source: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'conversions-'));
    source = join(folder, 'model.safetensors');
    write('weights');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** As long ago as files are that are not written any more. */
  function write(text: string, path = source): void {
    writeFileSync(path, text);
    utimesSync(path, 1, 1);
  }
  const host = (): Host => {
    const real = nodeHost();
    // a clock far from the times of files, which are then settled
    const now = (): number => real.now() + 60_000;
    return { ...real, now, env: (name) => (name === 'XDG_CACHE_HOME' ? folder : real.env(name)) };
  };
  let made = 0;
  const convert = (form = 'f16', content = 'GGUF'): string => {
    made = 0;
    const make = () => ({
      bytes: content.length,
      chunks: () => {
        made++;
        return [Buffer.from(content.slice(0, 2)), Buffer.from(content.slice(2))];
      },
    });
    return converted(host(), { label: 'model', sources: [source], form, make });
  };

  it('are made once per content and form', () => {
    const path = convert();
    expect(readFileSync(path, 'utf8')).to.equal('GGUF');
    expect(made).to.equal(1);
    expect(convert()).to.equal(path);
    expect(made).to.equal(0);
    expect(convert('f32')).not.to.equal(path);
    write('others!');
    expect(convert()).not.to.equal(path);
    expect(made).to.equal(1);
    write('weights');
    expect(convert()).to.equal(path);
    expect(made).to.equal(0);
  });

  it('are made again where something has changed them', () => {
    const path = convert();
    for (const damage of ['GGUX', 'GG']) {
      write(damage, path);
      expect(convert()).to.equal(path);
      expect(made).to.equal(1);
      expect(readFileSync(path, 'utf8')).to.equal('GGUF');
    }
    // only its times are others
    write('GGUF', path);
    convert();
    expect(made).to.equal(0);
    writeFileSync(join(conversionsFolder(host()), 'digests.json'), '{"version":1,"files":{}}');
    convert();
    expect(made).to.equal(1);
  });

  it('go when nothing has read them for long, and what a killed process left', () => {
    const path = convert();
    const left = join(conversionsFolder(host()), `.${randomUUID()}`);
    const old = Date.now() / 1000 - YEAR;
    for (const file of [left, path]) {
      writeFileSync(file, 'GGUF');
      utimesSync(file, old, old);
    }
    // it is used again
    expect(convert()).to.equal(path);
    write('others!');
    const other = convert();
    expect(existsSync(path)).to.equal(true);
    expect(existsSync(left)).to.equal(false);
    utimesSync(path, old, old);
    rmSync(other);
    convert();
    expect(existsSync(path)).to.equal(false);
  });

  it('leave nothing half-written, and say what the disk refuses', () => {
    const refused = (act: () => unknown): string => {
      try {
        act();
      } catch (error) {
        if (error instanceof UserError) return error.diagnostic.code;
        throw error;
      }
      throw new Error('it was taken');
    };
    const failing = (): unknown =>
      converted(host(), {
        ...{ label: 'model', sources: [source], form: 'f16' },
        make: () => ({
          bytes: 1,
          *chunks() {
            yield Buffer.from('GG');
            throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
          },
        }),
      });
    expect(refused(failing)).to.equal('FTP2025');
    expect(readdirSync(conversionsFolder(host()))).to.deep.equal([]);
    rmSync(conversionsFolder(host()), { recursive: true });
    mkdirSync(join(folder, 'ftpc'), { recursive: true });
    writeFileSync(conversionsFolder(host()), 'a file');
    expect(refused(convert)).to.equal('FTP2025');
  });
});
