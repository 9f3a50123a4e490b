import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect } from 'chai';
import { compile } from '../../../src/language/compile.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { annotate } from '../../helpers/annotate.js';
import { expectGolden } from '../../helpers/golden.js';

const root = nodeHost().packageFolder;
const pipelines = (folder: string): readonly string[] =>
  readdirSync(join(root, folder)).filter((name) => name.endsWith('.ftp'));

/** Spans move with every edit of a comment; what a program means does not. */
const withoutSpans = (key: string, value: unknown): unknown =>
  key === 'span' || key === 'folder' ? undefined : value;

describe('invalid pipelines', () => {
  const folder = 'test/corpus/invalid';
  const host = nodeHost(join(root, folder));
  /** Modules that others import: sound by themselves. */
  const modules = new Set(['other.ftp', 'module.ftp']);

  it('are many', () => {
    expect(pipelines(folder)).to.have.length.above(60);
  });

  it('keep the settings that a warning is about', () => {
    const { program } = compile(host, 'warned-and-kept.ftp');
    const settings = Object.fromEntries(program?.stages.map((stage) => [stage.name, stage.settings]) ?? []);
    expect(settings['adapter']?.['lora']).to.deep.include({ targets: ['q_proj', 'q_proj'] });
    expect(settings['quality']?.['metrics']).to.have.length(2);
  });

  for (const name of pipelines(folder).filter((name) => !modules.has(name))) {
    it(`${basename(name, '.ftp')} is reported in place`, () => {
      const { diagnostics, sources, program } = compile(host, name);
      expect(diagnostics).to.have.length.above(0);
      expect(program === undefined).to.equal(diagnostics.some(({ severity }) => severity === 'error'));
      expectGolden(`${folder}/${basename(name, '.ftp')}.golden`, annotate(name, diagnostics, sources));
    });
  }
});

describe('valid pipelines', () => {
  const folder = 'test/corpus/valid';
  const host = nodeHost(join(root, folder));

  for (const name of pipelines(folder)) {
    it(`${basename(name, '.ftp')} compiles`, () => {
      const { diagnostics, program } = compile(host, name);
      const mistakes = diagnostics.filter(({ severity }) => severity !== 'info');
      expect(mistakes.map(({ code, message }) => `${code} ${message}`)).to.deep.equal([]);
      expectGolden(
        `${folder}/${basename(name, '.ftp')}.golden`,
        `${JSON.stringify(program, withoutSpans, 2)}\n`,
      );
    });
  }
});
