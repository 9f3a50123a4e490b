import { join } from 'node:path';
import { expect } from 'chai';
import { ModelError } from '../../../src/compute/models/types.js';
import { compile } from '../../../src/language/compile.js';
import { hostError, modelError } from '../../../src/language/diagnostics/catalogue/files.js';
import { nearest } from '../../../src/language/diagnostics/did-you-mean.js';
import {
  checkJson,
  countText,
  type Palette,
  plain,
  prettyDiagnostic,
} from '../../../src/language/diagnostics/render/index.js';
import { displayWidth, graphemes } from '../../../src/language/diagnostics/render/width.js';
import { HostError } from '../../../src/language/host/host.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { sourceText } from '../../../src/language/source/text.js';
import { overlayHost } from '../../helpers/overlay-host.js';

const folder = join(nodeHost().packageFolder, 'test/corpus/invalid');
const compiled = (text: string) => compile(overlayHost(folder, { 'x.ftp': text }), 'x.ftp');

const BUDGET = 'edition 2026\n\nbudget machine {\n  require peak_memory <= 24gb\n}\n';

describe('rendering', () => {
  it('shows the line, the marked text, and the way out', () => {
    const { diagnostics, sources } = compiled(BUDGET);
    expect(diagnostics.map((found) => prettyDiagnostic(found, sources)).join('\n')).to.equal(
      [
        'error[FTP0303]: `24gb` has an unknown unit',
        ' --> x.ftp:4:26',
        '4 |   require peak_memory <= 24gb',
        '  |                          ^^^^ units are case-sensitive and have one spelling',
        '  = help: write `24GB` (10^9 bytes) or `24GiB` (2^30 bytes)',
      ].join('\n'),
    );
  });

  it('shows what else takes part', () => {
    const { diagnostics, sources } = compiled(`${BUDGET.replace('24gb', '24GB')}\nparam machine: Int = 1\n`);
    expect(diagnostics.map((found) => prettyDiagnostic(found, sources)).join('\n')).to.equal(
      [
        'error[FTP0203]: `machine` is declared twice',
        ' --> x.ftp:3:8',
        '3 | budget machine {',
        '  |        ^^^^^^^ second declaration',
        '7 | param machine: Int = 1',
        '  |       ------- first declaration',
        '  = help: stages, parameters, secrets, budgets and imports of a file share one set of names; rename one of them',
      ].join('\n'),
    );
  });

  it('colours through the palette alone', () => {
    const { diagnostics, sources } = compiled(BUDGET);
    const loud: Palette = { ...plain, red: (text) => `<${text}>` };
    const [found] = diagnostics;
    if (found === undefined) throw new Error('no diagnostic');
    expect(prettyDiagnostic(found, sources, loud)).to.match(/^<error\[FTP0303\]>/);
    expect(prettyDiagnostic(found, sources)).to.not.include('\u001b');
  });

  it('lets no control character of a file through', () => {
    const { diagnostics, sources } = compiled(`edition 2026\nparam a: Int = "\u001b[31mred"\n`);
    for (const found of diagnostics) expect(prettyDiagnostic(found, sources)).to.not.include('\u001b');
    expect(diagnostics).to.have.length(2);
  });

  it('keeps marks under wide lines and tabs', () => {
    const { diagnostics, sources } = compiled(`edition 2026\n\tparam${' '.repeat(400)}a: Int = oops\n`);
    const text = diagnostics.map((found) => prettyDiagnostic(found, sources)).join('\n');
    const [line = '', marks = ''] = text.split('\n').slice(2, 4);
    expect(line.slice(marks.indexOf('^'), marks.lastIndexOf('^') + 1)).to.equal('oops');
    expect(line.length).to.be.below(200);
  });

  it('keeps marks under signs that take two columns, and none', () => {
    const { diagnostics, sources } = compiled('edition 2026\nparam a: Int = "名前😀e\u0301👩‍👩‍👧" // é\n');
    const [, , line, marks] = (diagnostics.map((found) => prettyDiagnostic(found, sources))[0] ?? '').split(
      '\n',
    );
    expect(line).to.equal('2 | param a: Int = "名前😀e\u0301👩‍👩‍👧" // é');
    // Quotes 2, 名前 4, 😀 2, é 1, a family 2.
    expect(marks).to.equal(`  | ${' '.repeat(15)}${'^'.repeat(11)} expected a whole number`);
  });

  it('lets no sign of a file turn its direction around', () => {
    const { diagnostics, sources } = compiled('edition 2026\nparam a: Int = "\u202eevil\u2066"\n');
    for (const found of diagnostics)
      expect(prettyDiagnostic(found, sources)).to.not.match(/[\u202a-\u202e\u2066-\u2069]/);
  });

  it('shows the beginning of a message of millions of characters', () => {
    const message = `\`${'é'.repeat(2_000_000)}\` is no model`;
    for (const width of [80, undefined]) {
      const text = prettyDiagnostic(
        { code: 'FTP0000', severity: 'error', message, notes: [message] },
        new Map(),
        plain,
        width,
      );
      expect(text.length).to.be.below(9000);
    }
  });

  it('measures a long text in pieces, which cut no character in two', () => {
    const family = '👩‍👩‍👧';
    expect([...graphemes(`é${family.repeat(300)}`)]).to.deep.equal(['é', ...Array(300).fill(family)]);
    expect(displayWidth(`é${family.repeat(300)}`)).to.equal(601);
  });

  it('shows the marked part of a line of nearly a megabyte', () => {
    const { diagnostics, sources } = compiled(
      `edition 2026\nparam a: Int = oops + ${'1 + '.repeat(50)}1 // ${'x'.repeat(999_000)}\n`,
    );
    const text = diagnostics.map((found) => prettyDiagnostic(found, sources)).join('\n');
    expect(text).to.include('oops');
    expect(text.length).to.be.below(2000);
  });

  for (const width of [40, 60, 80])
    it(`stays within ${width} columns`, () => {
      const text =
        'edition 2026\nbudget a { require peak_memory <= 24gb and wall_time <= 10mins and peak_memory <= 1tb }\nparam b: Boolean = false\n';
      const { diagnostics, sources } = compiled(text);
      expect(diagnostics).to.have.length(4);
      for (const found of diagnostics) {
        const lines = prettyDiagnostic(found, sources, plain, width).split('\n');
        for (const line of lines) expect(displayWidth(line), line).to.be.at.most(width);
        const at = lines.findIndex((line) => /^ +\| +\^+/.test(line));
        const [shown = '', marks = ''] = [lines[at - 1], lines[at]];
        const marked = shown.slice(marks.indexOf('^'), marks.lastIndexOf('^') + 1);
        expect(['24gb', '10mins', '1tb', 'Boolean']).to.include(marked);
      }
    });

  it('gives the object of `check --json`', () => {
    const { diagnostics, sources } = compiled(BUDGET);
    expect(JSON.parse(JSON.stringify(checkJson(diagnostics, sources)))).to.deep.equal({
      version: 1,
      valid: false,
      diagnostics: [
        {
          code: 'FTP0303',
          severity: 'error',
          message: '`24gb` has an unknown unit',
          file: 'x.ftp',
          line: 4,
          column: 26,
          endLine: 4,
          endColumn: 30,
          label: 'units are case-sensitive and have one spelling',
          help: 'write `24GB` (10^9 bytes) or `24GiB` (2^30 bytes)',
          fixes: ['24GB', '24GiB'].map((text) => ({
            title: `write \`${text}\``,
            applicability: 'maybe_incorrect',
            edits: [{ file: 'x.ftp', line: 4, column: 26, endLine: 4, endColumn: 30, text }],
          })),
        },
      ],
    });
  });

  it('counts', () => {
    expect(countText(compiled(BUDGET).diagnostics)).to.equal('1 error');
    expect(countText(compiled('').diagnostics)).to.equal('1 warning');
    expect(countText([])).to.equal('');
  });

  it('shows a place in a file that is no source', () => {
    const place = { file: 'data/a.jsonl', line: 7, column: 0 };
    const text = prettyDiagnostic(
      { code: 'FTP0606', severity: 'error', message: 'no row', at: place },
      new Map([['x', sourceText('x', '')]]),
    );
    expect(text).to.equal('error[FTP0606]: no row\n --> data/a.jsonl:7');
  });
});

describe('did you mean', () => {
  const known = ['all_linear', 'attention', 'query_value', 'epochs', 'rouge_l', 'Bool', 'rate', 'min'];
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['all-linear', 'all_linear'],
    ['AllLinear', 'all_linear'],
    ['atention', 'attention'],
    ['rougeL', 'rouge_l'],
    ['epcohs', 'epochs'],
    ['raet', 'rate'],
    ['epoch', 'epochs'],
    ['Boolean', 'Bool'],
    ['rat', 'rate'],
    ['seed', undefined],
    ['ab', undefined],
    ['x', undefined],
  ];
  for (const [name, meant] of cases)
    it(`takes ${name} for ${meant ?? 'nothing'}`, () => expect(nearest(name, known)).to.equal(meant));
});

describe('errors of lower rooms', () => {
  it('become diagnostics, model by model', () => {
    const failure = new ModelError(
      'model_weights',
      'm/model.safetensors',
      'it is cut off',
      'download it again',
    );
    expect(modelError(failure)).to.deep.equal({
      code: 'FTP0834',
      severity: 'error',
      message: '`m/model.safetensors`: it is cut off',
      at: { file: 'm/model.safetensors', line: 0, column: 0 },
      help: 'download it again',
    });
  });

  it('become diagnostics, read by read', () => {
    const codes = ['not_found', 'is_folder', 'no_access', 'too_large', 'io'] as const;
    expect(codes.map((code) => hostError(new HostError(code, 'a', 'why')).code)).to.deep.equal([
      'FTP0601',
      'FTP0602',
      'FTP0603',
      'FTP0604',
      'FTP0605',
    ]);
  });
});
