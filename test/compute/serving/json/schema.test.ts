import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'chai';
import { Constraints } from '../../../../src/compute/serving/constraint.js';
import { UserError } from '../../../../src/language/diagnostics/types.js';
import { constraints, randomOf, walk, words } from './walks.js';

/** Schemas that are kept to, by what they show. */
const KEPT: Readonly<Record<string, unknown>> = {
  anything: true,
  'an object of any kind': { type: 'object' },
  'required and optional properties': {
    type: 'object',
    properties: {
      name: { type: 'string' },
      age: { type: 'integer' },
      tags: { type: 'array', items: { type: 'string' } },
    },
    required: ['age'],
  },
  'no other properties': {
    properties: { a: { type: 'boolean' }, 'b "c"': { type: 'null' } },
    required: ['a', 'b "c"'],
    additionalProperties: false,
  },
  'other properties of a kind': {
    type: 'object',
    properties: { a: { type: 'string' }, ab: { type: 'string' } },
    required: ['z'],
    additionalProperties: { type: 'integer' },
  },
  'several types': { type: ['string', 'null', 'number'] },
  values: { enum: ['a', 1, null, { b: [2] }, 'é"'] },
  'one value': { const: { kind: 'x' } },
  'values of a type': { type: 'string', enum: ['red', 3, 'green'] },
  'integers within bounds': { type: 'integer', minimum: -12, maximum: 107 },
  'integers above one': { type: 'integer', exclusiveMinimum: 1, exclusiveMaximum: 5 },
  'numbers within bounds': { type: 'number', minimum: 0.25, maximum: 2 },
  'numbers below zero': { type: 'number', exclusiveMaximum: 0, minimum: -0.001 },
  'no less than zero': { type: 'number', minimum: 0 },
  'strings of a length': { type: 'string', minLength: 2, maxLength: 4 },
  'a pattern': { type: 'string', pattern: '^[A-Z][a-z]{1,3}(-\\d+)?$' },
  'a pattern anywhere': { type: 'string', pattern: '[a-f]|^x' },
  'a pattern of what must be escaped': { type: 'string', pattern: '^["\\\\\\n]{2}[^a-z]$' },
  'lists of a length': { type: 'array', items: { type: 'integer' }, minItems: 2, maxItems: 4 },
  'the first entries': {
    type: 'array',
    prefixItems: [{ type: 'string' }, { type: 'integer' }],
    items: { type: 'null' },
    maxItems: 4,
  },
  'nothing but the first entries': {
    type: 'array',
    prefixItems: [{ type: 'boolean' }, { type: 'null' }],
    items: false,
    minItems: 1,
  },
  'the empty list': { type: 'array', maxItems: 0 },
  'one of several': {
    anyOf: [{ type: 'string' }, { type: 'object', properties: { a: { type: 'null' } }, required: ['a'] }],
  },
  'one of several, with what they share': {
    type: 'object',
    properties: { id: { type: 'integer' } },
    required: ['id'],
    anyOf: [
      { properties: { a: { type: 'null' } }, required: ['a'] },
      { properties: { b: { type: 'null' } } },
    ],
  },
  'exactly one of several': {
    oneOf: [
      { type: 'object', properties: { kind: { const: 'a' }, x: { type: 'integer' } }, required: ['kind'] },
      { type: 'object', properties: { kind: { enum: ['b', 'c'] } }, required: ['kind'] },
      { type: 'string' },
    ],
  },
  'all of several': {
    allOf: [
      { type: 'object', properties: { a: { type: 'integer' } }, required: ['a'] },
      { $ref: '#/$defs/named' },
    ],
    $defs: { named: { properties: { name: { type: 'string' } }, required: ['name'] } },
  },
  'what contains itself': {
    $ref: '#/$defs/tree',
    $defs: {
      tree: {
        type: 'object',
        properties: {
          value: { type: 'integer' },
          next: { anyOf: [{ $ref: '#/$defs/tree' }, { type: 'null' }] },
        },
        required: ['value', 'next'],
      },
    },
  },
  'the whole in itself': { type: 'object', properties: { inner: { $ref: '#' } } },
};

/** And those that are refused, with what is named. */
const REFUSED: readonly (readonly [schema: unknown, named: string])[] = [
  [false, '#'],
  [{ type: 'object', properties: { a: { not: { type: 'string' } } } }, '`not` at `#/properties/a`'],
  [{ type: 'array', uniqueItems: true }, '`uniqueItems` at `#`'],
  [{ type: 'integer', multipleOf: 3 }, '`multipleOf`'],
  [{ type: 'text' }, '"text"'],
  [{ type: 'string', pattern: '(?=a)b' }, 'a lookahead'],
  [{ type: 'string', pattern: '(' }, 'not a regular expression'],
  [{ type: 'string', pattern: 'a', minLength: 3 }, '`pattern` and `minLength`'],
  [{ type: 'string', format: 'iri' }, '"iri"'],
  [{ $ref: 'https://example.com/a' }, '"https://example.com/a"'],
  [{ $ref: '#/$defs/none' }, '"#/$defs/none"'],
  [{ $ref: '#/%E0%A4%A' }, '"#/%E0%A4%A"'],
  [{ $ref: '#' }, 'nothing fits'],
  [{ oneOf: [{ type: 'integer' }, { type: 'number' }] }, '`oneOf` at `#`'],
  [{ allOf: [{ type: 'integer', minimum: 1 }, { minimum: 2 }] }, '`minimum` is said twice'],
  [{ type: 'integer', minimum: 5, maximum: 4 }, 'no number'],
  [{ type: 'integer', exclusiveMinimum: 4, exclusiveMaximum: 5 }, 'no number'],
  [{ type: 'object', required: ['a'], additionalProperties: false }, '`a`'],
  [{ type: 'array', minItems: -1 }, '`minItems`'],
  [{ enum: [] }, '`enum`'],
];

/** What would take for ever, or all memory. */
const HOSTILE: Readonly<Record<string, unknown>> = {
  'repeats within repeats': { type: 'string', pattern: '^(a?b?){100000}$' },
  'brackets within brackets': { type: 'string', pattern: '('.repeat(1500) },
  'schemas that double': {
    $defs: Object.fromEntries(
      Array.from({ length: 40 }, (_, i) => {
        const next = { $ref: `#/$defs/s${i + 1}` };
        return [`s${i}`, { type: 'object', anyOf: [next, next] }];
      }),
    ),
    $ref: '#/$defs/s0',
  },
  'what contains itself next to something else': { type: 'object', anyOf: [{ $ref: '#' }] },
  'lists in lists': Array.from({ length: 400 }).reduce<unknown>((items) => ({ type: 'array', items }), {}),
  'a long name': { type: 'object', properties: { ['x'.repeat(5000)]: {} }, additionalProperties: true },
  'a very long schema': { enum: ['x'.repeat(300_000)] },
  'many schemas of which one fits': { oneOf: Array.from({ length: 2000 }, (_, i) => ({ const: i })) },
};

describe('answers that are kept to a JSON Schema', () => {
  for (const [name, schema] of Object.entries(HOSTILE))
    it(`are refused before they take long: ${name}`, () => {
      const all = constraints();
      const texts = () => {
        for (let seed = 0; seed < 5; seed++) walk(all, { type: 'json_schema', schema }, randomOf(seed));
      };
      expect(texts).to.throw(UserError).with.nested.property('diagnostic.code', 'schema_unsupported');
    });

  for (const [name, schema] of Object.entries(KEPT))
    it(`are valid: ${name}`, () => {
      const valid = new Ajv2020({ strict: false }).compile(schema as boolean);
      const all = constraints();
      const random = randomOf(7);
      const texts = Array.from({ length: 12 }, () => walk(all, { type: 'json_schema', schema }, random));
      const ended = texts.filter((text) => text !== undefined);
      expect(ended.length, 'texts that end').to.be.above(5);
      for (const text of ended) expect(valid(JSON.parse(text)), text).to.equal(true);
    });

  it('may be of any character of a vocabulary that has most of them', async () => {
    const first = 0x4e00;
    const size = 50_000;
    const textOf = (id: number): string => (id === 0 ? '"' : String.fromCodePoint(first + id));
    const wide = new Constraints(
      { ...words, vocabSize: size, decode: (ids) => Array.from(ids, textOf).join(''), tokenOf: textOf },
      size,
      [],
    );
    let pauses = 0;
    const other = setInterval(() => pauses++, 0);
    await wide.prepare();
    clearInterval(other);
    expect(pauses, 'other work meanwhile').to.be.above(10);
    const constraint = wide.of({ type: 'json_schema', schema: { type: 'string' } });
    constraint?.accept(0);
    const logits = new Float32Array(size);
    constraint?.mask(logits);
    expect(logits.filter((logit) => logit === 0).length).to.equal(size);
  });

  it('are objects where nothing else is asked', () => {
    const random = randomOf(3);
    for (let i = 0; i < 8; i++) {
      const text = walk(constraints(), { type: 'json_object' }, random);
      if (text !== undefined) expect(JSON.parse(text)).to.be.an('object');
    }
  });

  it('are of a format', () => {
    const random = randomOf(11);
    const textsOf = (format: string) =>
      Array.from({ length: 8 }, () => {
        const text = walk(constraints(), { type: 'json_schema', schema: { type: 'string', format } }, random);
        return JSON.parse(text ?? '""') as string;
      });
    for (const text of textsOf('date-time')) expect(Number.isNaN(Date.parse(text)), text).to.equal(false);
    for (const text of textsOf('date')) expect(new Date(text).toISOString().slice(0, 10)).to.equal(text);
    for (const text of textsOf('uri')) expect(new URL(text).href).to.contain(text);
    for (const text of textsOf('uuid')) expect(text).to.match(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  });

  for (const [schema, named] of REFUSED)
    it(`are refused, and why is said: ${JSON.stringify(schema)}`, () => {
      const asked = () => constraints().of({ type: 'json_schema', schema })?.mask(new Float32Array(150));
      expect(asked).to.throw(UserError).with.nested.property('diagnostic.code', 'schema_unsupported');
      expect(asked).to.throw(UserError, named);
    });
});
