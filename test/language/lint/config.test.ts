import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'chai';
import { locate } from '../../../src/language/diagnostics/render/index.js';
import { rules } from '../../../src/language/lint/index.js';
import { LEVELS } from '../../../src/language/lint/rule.js';
import { expectGolden } from '../../helpers/golden.js';
import { changed, linted } from './linted.js';

const TEXT = changed(['epochs: 2', 'epochs: 9']);

const withConfig = (config: string) => linted(TEXT, { 'ftpc.json': config });
const level = (value: string): string => `{ "lint": { "rules": { "too-many-epochs": ${value} } } }`;

/** The JSON Schema of `ftpc.json`, from the table of rules. */
const schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'https://ftpc.dev/schema/config.json',
  title: '`ftpc.json`, at the root of a project',
  type: 'object',
  additionalProperties: false,
  properties: {
    $schema: { type: 'string' },
    lint: {
      type: 'object',
      additionalProperties: false,
      properties: {
        rules: {
          description: 'Levels of rules, by id; rules that are not listed keep their default level.',
          type: 'object',
          additionalProperties: false,
          properties: Object.fromEntries(
            rules.map(({ id, doc, level }) => [id, { description: doc, enum: [...LEVELS], default: level }]),
          ),
        },
      },
    },
  },
};

describe('ftpc.json', () => {
  for (const severity of ['info', 'warning', 'error'] as const)
    it(`makes a finding an ${severity}`, () => {
      const [found] = withConfig(level(`"${severity}"`)).report.diagnostics;
      expect(found).to.deep.include({ rule: 'too-many-epochs', severity });
    });

  it('turns a rule off', () => {
    expect(withConfig(level('"off"')).found).to.deep.equal([]);
  });

  it('is looked for upward from the pipeline', () => {
    const { found } = linted(TEXT, { '../ftpc.json': level('"off"') });
    expect(found).to.deep.equal([]);
  });

  it('that is nearer hides the other', () => {
    expect(linted(TEXT, { '../ftpc.json': level('"off"'), 'ftpc.json': '{}' }).found).to.deep.equal([
      'too-many-epochs',
    ]);
  });

  it('may have a byte-order mark, and escapes', () => {
    expect(withConfig(`\ufeff${level('"\\u006fff"')}`).found).to.deep.equal([]);
  });

  const faults: readonly (readonly [config: string, code: string, line: number, column: number])[] = [
    ['', 'FTP1050', 1, 1],
    ['{', 'FTP1050', 1, 2],
    ['{ "lint": { "rules": { }, } }', 'FTP1050', 1, 27],
    ["{ 'lint': {} }", 'FTP1050', 1, 3],
    ['{} x', 'FTP1050', 1, 4],
    ['{ "lint": nul }', 'FTP1050', 1, 11],
    [`${'['.repeat(70)}`, 'FTP1050', 1, 66],
    ['[]', 'FTP1053', 1, 1],
    ['{\n  "lints": {}\n}', 'FTP1051', 2, 3],
    ['{ "lint": { "rule": {} } }', 'FTP1051', 1, 13],
    ['{ "lint": [] }', 'FTP1053', 1, 11],
    ['{ "lint": {\n  "rules": {\n    "no-gate": "off" } } }', 'FTP1052', 3, 5],
    [level('"warn"'), 'FTP1053', 1, 43],
    [level('2'), 'FTP1053', 1, 43],
    ['{ "lint": {}, "lint": {} }', 'FTP1054', 1, 15],
  ];
  for (const [config, code, line, column] of faults)
    it(`${JSON.stringify(config.slice(0, 50))} is ${code}`, () => {
      const { report } = withConfig(config);
      const [found, ...more] = report.diagnostics;
      if (found === undefined) throw new Error('no diagnostic');
      expect(more.map(({ code }) => code)).to.deep.equal(['FTP1004']);
      expect(found.code).to.equal(code);
      expect(found.severity).to.equal('error');
      expect(locate(found, report.sources)).to.deep.include({ file: 'ftpc.json', line, column });
    });

  it('has a schema with every rule', () => {
    expectGolden('docs/schema/config.json', `${JSON.stringify(schema, null, 2)}\n`);
    const validate = new Ajv2020().compile(schema);
    expect(validate(JSON.parse(level('"error"')))).to.equal(true);
    expect(validate(JSON.parse(level('"warn"')))).to.equal(false);
  });
});
