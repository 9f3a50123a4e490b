import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { applyEdits, together } from '../../../src/language/diagnostics/apply.js';
import type { Fix } from '../../../src/language/diagnostics/types.js';
import type { Host } from '../../../src/language/host/host.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { applyFixes } from '../../../src/language/lint/fix.js';
import { checkFile } from '../../../src/language/lint/index.js';
import { overlayHost } from '../../helpers/overlay-host.js';

const root = nodeHost().packageFolder;
const folder = join(root, 'test/corpus/invalid');
const names = readdirSync(folder).filter((name) => name.endsWith('.ftp'));

const messages = (host: Host, file: string): readonly string[] =>
  checkFile(host, file).diagnostics.map(({ code, severity, message }) => `${severity} ${code} ${message}`);

const phase = (line: string): string => /FTP(\d\d)/.exec(line)?.[1] ?? '';

describe('certain fixes of the whole corpus', () => {
  const host = nodeHost(folder);

  for (const name of names) {
    it(`of ${name} fix what they say, and cause nothing new`, () => {
      const { files, fixed, before, after } = applyFixes(host, name, { guesses: false });
      const safe = before.diagnostics.filter(({ fixes }) =>
        fixes?.some(({ applicability }) => applicability === 'safe'),
      );
      expect(fixed.length >= safe.length, `${safe.length} can be fixed, ${fixed.length} are`).to.equal(true);
      const texts = Object.fromEntries(files.map(({ file, after }) => [file, after]));
      const now = messages(overlayHost(folder, texts), name);
      expect(now).to.deep.equal(
        after.diagnostics.map(({ code, severity, message }) => `${severity} ${code} ${message}`),
      );
      const had = messages(host, name);
      const fixedAt = fixed.map(({ diagnostic }) => phase(diagnostic.code)).sort()[0] ?? '';
      // A later phase sees what a mistake had hidden from it.
      const fresh = now.filter((line) => line.startsWith('error') && !had.includes(line));
      expect(fresh.filter((line) => phase(line) <= fixedAt)).to.deep.equal([]);
      for (const { diagnostic } of fixed) {
        const same = (list: readonly string[]) =>
          list.filter((line) => line.endsWith(`${diagnostic.code} ${diagnostic.message}`)).length;
        expect(same(now), diagnostic.message).to.be.below(Math.max(1, same(had)));
      }
    });
  }
});

describe('certain and likely fixes of the whole corpus', () => {
  const host = nodeHost(folder);
  for (const name of names)
    it(`of ${name} come to an end, with no more errors than before`, () => {
      const { before, after } = applyFixes(host, name, { guesses: true });
      const errors = ({ diagnostics }: typeof before) =>
        diagnostics.filter(({ severity, code }) => severity === 'error' && code < 'FTP0200').length;
      expect(errors(after)).to.be.at.most(errors(before));
    });
});

describe('fixing', () => {
  const TEXT =
    'data rows {\n  source: jsonl("data/rows.jsonl")\n  dedupe = exact\n  contradictions = "warn"\n}\n';
  const FIXED =
    'edition 2026\nimport { jsonl } from "std/data"\n\ndata rows {\n  source = jsonl("data/rows.jsonl")\n  dedupe = [exact]\n  contradictions = warn\n}\n';
  const fixedText = (text: string): string | undefined =>
    applyFixes(overlayHost(folder, { 'x.ftp': text }), 'x.ftp', { guesses: false }).files[0]?.after;

  it('goes on until there is nothing left to fix', () => expect(fixedText(TEXT)).to.equal(FIXED));

  it('changes nothing in what it has fixed', () => expect(fixedText(FIXED)).to.equal(undefined));

  it('keeps the line ends of the file', () => {
    expect(fixedText(TEXT.replace(/\n/g, '\r\n'))).to.equal(FIXED.replace(/\n/g, '\r\n'));
  });

  it('keeps a byte-order mark at the start', () => {
    expect(fixedText(`\ufeff${TEXT}`)).to.equal(`\ufeff${FIXED}`);
  });

  it('fixes what the pipeline imports, and nothing of the library', () => {
    const host = overlayHost(folder, {
      'x.ftp':
        'edition 2026\n\nimport { longest } from "./parts.ftp"\n\nbudget all {\n  require peak_memory <= 8GiB\n}\n',
      'parts.ftp': 'edition 2026\n\n# the longest row\nparam longest: Tokens = 8tok\n',
    });
    const { files } = applyFixes(host, 'x.ftp', { guesses: false });
    expect(files.map(({ file, after }) => [file, after])).to.deep.include([
      'parts.ftp',
      'edition 2026\n\n// the longest row\nparam longest: Tokens = 8tok\n',
    ]);
  });

  it('takes guesses only when asked, and only where there is one', () => {
    const text =
      'edition 2026\n\nbudget all {\n  require peak_memry <= 8GiB\n  require wall_time <= 24gb\n}\n';
    const host = overlayHost(folder, { 'x.ftp': text });
    expect(applyFixes(host, 'x.ftp', { guesses: false }).files).to.deep.equal([]);
    expect(applyFixes(host, 'x.ftp', { guesses: true }).files[0]?.after).to.equal(
      text.replace('memry', 'memory'),
    );
  });

  it('says nothing of a file that is not there', () => {
    const { files, after } = applyFixes(nodeHost(folder), 'absent.ftp', { guesses: true });
    expect(files).to.deep.equal([]);
    expect(after.diagnostics.map(({ code }) => code)).to.deep.equal(['FTP0601']);
  });
});

describe('edits', () => {
  const edit = (start: number, end: number, text: string) => ({ span: { file: 'x', start, end }, text });
  const fix = (...edits: ReturnType<typeof edit>[]): { readonly fix: Fix } => ({
    fix: { title: '', edits, applicability: 'safe' },
  });

  it('are made from their places in the old text', () => {
    expect(applyEdits('abcdef', [edit(4, 5, 'E'), edit(0, 1, 'AA'), edit(6, 6, '!')])).to.equal('AAbcdEf!');
  });

  it('that touch are not made together', () => {
    const [first, second, third] = [
      fix(edit(0, 2, '')),
      fix(edit(2, 3, '')),
      fix(edit(4, 4, 'x'), edit(9, 9, 'y')),
    ];
    expect(together([first, second, third])).to.deep.equal([first, third]);
    expect(together([fix(edit(4, 4, 'a')), fix(edit(4, 4, 'b'))])).to.have.length(1);
  });
});
