import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import type { SettingType } from '../../../../src/language/schemas/schema.js';
import { FIELDS } from '../../../../src/pipeline/stages/train-plan/fields.js';
import { expectGolden } from '../../../helpers/golden.js';

const JSON_TYPES: Readonly<Record<string, (type: SettingType) => object>> = {
  enum: (type) => ({ enum: type.kind === 'enum' ? type.values : [] }),
  boolean: () => ({ const: true }),
  integer: (type) => ({ type: 'integer', ...boundsOf(type) }),
  quantity: (type) => ({ type: 'integer', ...boundsOf(type) }),
  number: (type) => ({ type: 'number', ...boundsOf(type) }),
};

const boundsOf = (type: SettingType): object => ({
  ...('min' in type && type.min !== undefined ? { minimum: type.min } : {}),
  ...('max' in type && type.max !== undefined ? { maximum: type.max } : {}),
  ...('above' in type && type.above !== undefined ? { exclusiveMinimum: type.above } : {}),
});

/** On one line, as the published schemas have it. */
const line = (value: unknown): string =>
  JSON.stringify(value, null, 1)
    .replace(/\n */g, ' ')
    .replace(/\[ | \]/g, (bracket) => bracket.trim());

/** What the published schemas have to say of a plan, one field per line. */
function planSchema(indent: string): string {
  const required = FIELDS.filter(({ absent }) => absent === undefined).map(({ name }) => name);
  const fields = FIELDS.map(
    ({ name, type, doc }) =>
      `${indent}  "${name}": ${line({ description: doc, ...JSON_TYPES[type.kind]?.(type) })}`,
  );
  return `${indent}"required": ${line(required)},\n${indent}"properties": {\n${fields.join(',\n')}\n${indent}}`;
}

describe('the published schema', () => {
  for (const file of ['docs/schema/plan.json', 'docs/schema/saved-plan.json'])
    it(`of ${file} has every freedom of the planner`, () => {
      const text = readFileSync(join(nodeHost().packageFolder, file), 'utf8');
      const published = / *"required": \["method", [^\n]*\n( *)"properties": \{\n.*?\n\1\}/s;
      expect(text).to.match(published);
      expectGolden(
        file,
        text.replace(published, (_, indent: string) => planSchema(indent)),
      );
    });
});
