import { expect } from 'chai';
import { BASE, changed, linted } from './linted.js';

const EPOCHS = ['epochs: 2', 'epochs: 9'] as const;
const STOP = '  stop = {';
const above = (line: string) => [STOP, `  ${line}\n${STOP}`] as const;
const REASON = 'answers to be known by heart';

describe('comments that allow a finding', () => {
  const allowed: readonly (readonly [where: string, edit: readonly [string, string]])[] = [
    ['the line before', above(`// allow(too-many-epochs): ${REASON}`)],
    ['the same line', ['patience: 3 }', `patience: 3 } // allow(too-many-epochs): ${REASON}`]],
    ['the block', ['train adapter', `// allow(too-many-epochs): ${REASON}\ntrain adapter`]],
    [
      'the block, before its doc',
      ['train adapter', `// allow(too-many-epochs): ${REASON}\n/// Doc.\ntrain adapter`],
    ],
    ['before other comments', above(`// allow(too-many-epochs): ${REASON}\n  // as agreed`)],
    ['loose spacing', above(`//allow ( too-many-epochs )  :  ${REASON}`)],
    ['an empty line between', above(`// allow(too-many-epochs): ${REASON}\n`)],
  ];
  for (const [where, edit] of allowed)
    it(`apply on ${where}`, () => {
      const { report, found } = linted(changed(edit, EPOCHS));
      expect(found).to.deep.equal([]);
      expect(report.suppressed.map(({ diagnostic, reason }) => [diagnostic.rule, reason])).to.deep.equal([
        ['too-many-epochs', REASON],
      ]);
    });

  it('cover a setting of several lines', () => {
    const lines = [
      'lora = { rank: 16, alpha: 32, dropout: 5% }',
      `// allow(alpha-out-of-proportion): tried\n  lora = {\n    rank: 16,\n    alpha: 320,\n    dropout: 5%\n  }`,
    ] as const;
    expect(linted(changed(lines)).found).to.deep.equal([]);
  });

  it('cover a line inside of a record', () => {
    const lines = [
      'lora = { rank: 16, alpha: 32, dropout: 5% }',
      `lora = {\n    rank: 16,\n    // allow(alpha-out-of-proportion): tried\n    alpha: 320,\n    dropout: 5%\n  }`,
    ] as const;
    expect(linted(changed(lines)).found).to.deep.equal([]);
  });

  it('name several rules', () => {
    const text = changed(
      ['train adapter', '// allow(too-many-epochs, rate-out-of-range): tried\ntrain adapter'],
      EPOCHS,
      ['rate: 2e-4', 'rate: 2e-2'],
    );
    expect(linted(text).found).to.deep.equal([]);
  });

  it('do not reach beyond what follows them', () => {
    const text = changed(['format dialogs', `// allow(too-many-epochs): ${REASON}\nformat dialogs`], EPOCHS);
    expect(linted(text).found).to.deep.equal(['FTP1042', 'too-many-epochs']);
  });

  it('work without a reason, and are reported', () => {
    for (const comment of [
      '// allow(too-many-epochs)',
      '// allow(too-many-epochs):',
      '// allow(too-many-epochs):  ',
    ]) {
      const { found, report } = linted(changed(above(comment), EPOCHS));
      expect(found, comment).to.deep.equal(['FTP1040']);
      expect(report.suppressed).to.have.length(1);
    }
  });

  it('of an unknown rule are reported with what is meant', () => {
    const { report } = linted(changed(above(`// allow(to-many-epochs): ${REASON}`), EPOCHS));
    expect(report.diagnostics.map(({ code }) => code)).to.deep.equal(['FTP1041', 'FTP1004']);
    expect(report.diagnostics[0]?.help).to.equal('did you mean `too-many-epochs`?');
  });

  it('of nothing are taken out by their fix, line and all', () => {
    const [found] = linted(changed(above(`// allow(too-many-epochs): ${REASON}`))).report.diagnostics;
    expect(found?.code).to.equal('FTP1042');
    const edit = found?.fixes?.[0]?.edits[0];
    const text = changed(above(`// allow(too-many-epochs): ${REASON}`));
    expect(text.slice(0, edit?.span.start) + text.slice(edit?.span.end)).to.equal(BASE);
  });

  it('of one thing and of nothing keep the one', () => {
    for (const ids of ['too-many-epochs, rate-out-of-range', 'rate-out-of-range, too-many-epochs']) {
      const text = changed(above(`// allow(${ids}): ${REASON}`), EPOCHS);
      const [found] = linted(text).report.diagnostics;
      const edit = found?.fixes?.[0]?.edits[0];
      expect(text.slice(0, edit?.span.start) + text.slice(edit?.span.end)).to.equal(
        changed(above(`// allow(too-many-epochs): ${REASON}`), EPOCHS),
      );
    }
  });

  it('that only look so are reported', () => {
    for (const comment of [
      '// allow too-many-epochs',
      '// allow(too-many-epochs: x',
      '// allows: too-many-epochs',
      '// allow()',
    ])
      expect(linted(changed(above(comment))).found, comment).to.deep.equal(['FTP1043']);
  });

  it('are not looked for in prose', () => {
    for (const comment of ['// allow some time', '// we allow (sometimes) more', '// allowance'])
      expect(linted(changed(above(comment))).found, comment).to.deep.equal([]);
  });

  it('are not called idle where a stage has an error', () => {
    const text = changed(above(`// allow(too-many-epochs): ${REASON}`), EPOCHS, ['rate: 2e-4', 'rate: oops']);
    expect(linted(text).found).to.deep.equal([]);
  });

  it('are not called idle where the rule is off', () => {
    const config = '{ "lint": { "rules": { "too-many-epochs": "off" } } }';
    const text = changed(above(`// allow(too-many-epochs): ${REASON}`), EPOCHS);
    expect(linted(text, { 'ftpc.json': config }).found).to.deep.equal([]);
  });

  it('can be written by a fix of the finding', () => {
    const text = changed(EPOCHS);
    const [found] = linted(text).report.diagnostics;
    const fix = found?.fixes?.find(({ title }) => title.startsWith('allow'));
    const edit = fix?.edits[0];
    if (edit === undefined) throw new Error('no fix');
    expect(fix?.applicability).to.equal('has_placeholders');
    const fixedText = text.slice(0, edit.span.start) + edit.text + text.slice(edit.span.end);
    expect(linted(fixedText).found).to.deep.equal([]);
  });
});
