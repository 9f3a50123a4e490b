import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { nodeHost } from '../../src/language/host/node-host.js';
import { sourceText } from '../../src/language/source/text.js';
import { parse } from '../../src/language/syntax/parse.js';
import { expectGolden } from '../helpers/golden.js';
import { ebnf } from '../helpers/grammar/ebnf.js';
import { railroadPage } from '../helpers/grammar/railroad.js';
import { isSentence } from '../helpers/grammar/recognise.js';

describe('written forms of the grammar', () => {
  it('grammar/ftp.ebnf is that of the parser', () => expectGolden('grammar/ftp.ebnf', ebnf()));

  it('docs/grammar.html draws it', () => expectGolden('docs/grammar.html', railroadPage()));

  it('have every valid file for a sentence, and no file with a mistake in its form', () => {
    const [valid, invalid] = ['valid', 'invalid'].map((folder) =>
      readdirSync(join(root, 'test/corpus', folder))
        .filter((name) => name.endsWith('.ftp'))
        .map((name) => readFileSync(join(root, 'test/corpus', folder, name), 'utf8')),
    );
    for (const text of [...(valid ?? []), read('pipelines/legal.ftp'), read('stdlib/std/prelude.ftp')])
      expect(isSentence(text), text).to.equal(true);
    for (const text of invalid ?? []) {
      const codes = parse(sourceText('x.test.ftp', text)).diagnostics.map(({ code }) => code);
      // what the tree builder reports is a sentence in the wrong place
      if (codes.some((code) => FORMLESS.has(code))) expect(isSentence(text), text).to.equal(false);
    }
  });
});

const root = nodeHost().packageFolder;
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

/** Codes of what is not of the grammar: unexpected, missing, unclosed, foreign. */
const FORMLESS = new Set([
  'FTP0102',
  'FTP0104',
  'FTP0107',
  'FTP0108',
  'FTP0109',
  'FTP0110',
  'FTP0111',
  'FTP0112',
]);
