/** Annotations of a GitHub workflow. */
import { expect } from 'chai';
import { compile } from '../../../src/language/compile.js';
import { githubAnnotation } from '../../../src/language/diagnostics/render/index.js';
import type { Diagnostic } from '../../../src/language/diagnostics/types.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { lineText, sourceText } from '../../../src/language/source/text.js';
import { overlayHost } from '../../helpers/overlay-host.js';

const compiled = (text: string) => compile(overlayHost(nodeHost().packageFolder, { 'x.ftp': text }), 'x.ftp');

const annotations = (text: string): readonly string[] => {
  const { diagnostics, sources } = compiled(text);
  return diagnostics.map((found) => githubAnnotation(found, sources));
};

/** Of a workflow command. */
function properties(annotation: string): Readonly<Record<string, string>> {
  const [, list = ''] = /^::\w+ (.*?)::/.exec(annotation) ?? [];
  return Object.fromEntries(list.split(',').map((pair) => pair.split('=', 2) as [string, string]));
}

/** What stands in front of the mistake on its line; the columns are those of UTF-16 units, whatever it looks like. */
const BEFORE: Readonly<Record<string, string>> = {
  'East Asian signs': 'note = "データ/契約書", ',
  'an emoji of two units': 'note = "😀", ',
  'a family of emoji, joined': 'note = "👩‍👩‍👧", ',
  'letters with accents that combine': 'note = "e\u0301a\u0308", ',
  tabs: '\t\t',
  'signs from right to left': 'note = "שלום", ',
};

describe('annotations of a GitHub workflow', () => {
  it('say where, what and how to fix it', () => {
    expect(annotations('edition 2026\n\nbudget machine {\n  require peak_memory <= 24gb\n}\n')).to.deep.equal(
      [
        '::error file=x.ftp,line=4,endLine=4,col=26,endColumn=30,title=FTP0303::`24gb` has an unknown unit%0Awrite `24GB` (10^9 bytes) or `24GiB` (2^30 bytes)',
      ],
    );
  });

  it('name the rule of a lint', () => {
    const at = { file: 'x.ftp', start: 0, end: 0 };
    const found: Diagnostic = {
      code: 'FTP1001',
      rule: 'rate-out-of-range',
      severity: 'warning',
      message: 'm',
      at,
    };
    const sources = new Map([['x.ftp', sourceText('x.ftp', '')]]);
    expect(githubAnnotation(found, sources)).to.equal(
      '::warning file=x.ftp,line=1,endLine=1,col=1,endColumn=1,title=FTP1001 rate-out-of-range::m',
    );
  });

  for (const [what, before] of Object.entries(BEFORE))
    for (const lineEnd of ['\n', '\r\n'])
      it(`mark the right text after ${what}, where lines end with ${JSON.stringify(lineEnd)}`, () => {
        const line = `${before}limt = 3 // 十😀`;
        const text = ['edition 2026', '', 'data rows {', line, '}', ''].join(lineEnd);
        const found = annotations(text).find((one) => one.includes('`limt`'));
        const { line: row, endLine, col, endColumn } = properties(found ?? '');
        expect([row, endLine]).to.deep.equal(['4', '4']);
        const marked = lineText(sourceText('x.ftp', text), 4).slice(Number(col) - 1, Number(endColumn) - 1);
        expect(marked).to.equal('limt');
      });

  it('have no columns where GitHub takes none: over several lines, and of a line as a whole', () => {
    const sources = new Map([['x.ftp', sourceText('x.ftp', 'データ {\n}\n')]]);
    const found = { code: 'FTP0606', severity: 'error', message: 'm' } as const;
    const several = githubAnnotation({ ...found, at: { file: 'x.ftp', start: 4, end: 7 } }, sources);
    expect(several).to.equal('::error file=x.ftp,line=1,endLine=2,title=FTP0606::m');
    const row = githubAnnotation({ ...found, at: { file: 'rows.jsonl', line: 7, column: 0 } }, sources);
    expect(row).to.equal('::error file=rows.jsonl,line=7,endLine=7,title=FTP0606::m');
  });
});
