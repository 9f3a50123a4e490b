import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import type { SettingType } from '../../../../src/language/schemas/schema.js';
import { FIELDS } from '../../../../src/pipeline/stages/train-plan/fields.js';

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

/** What the published schemas have to say of a plan. */
const PLAN = {
  type: 'object',
  required: FIELDS.filter(({ absent }) => absent === undefined).map(({ name }) => name),
  properties: Object.fromEntries(
    FIELDS.map(({ name, type, doc }) => [name, { description: doc, ...JSON_TYPES[type.kind]?.(type) }]),
  ),
};

describe('the published schemas of a plan', () => {
  const read = (name: string) =>
    JSON.parse(readFileSync(join(nodeHost().packageFolder, 'docs/schema', name), 'utf8'));

  it('have every freedom of the planner', () => {
    expect(read('plan.json').$defs.choice).to.deep.equal(PLAN);
    const saved = read('saved-plan.json').properties.stages.items.properties.chosen;
    expect(saved).to.deep.equal({ ...PLAN, description: saved.description, type: ['object', 'null'] });
  });
});
