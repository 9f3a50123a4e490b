import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { expect } from 'chai';
import { nodeHost } from '../../../src/language/host/node-host.js';

const host = nodeHost();
const load = (name: string): object =>
  JSON.parse(host.readText(`${host.packageFolder}/docs/schema/${name}.json`)) as object;

const ajv = new Ajv2020({ strict: false, allErrors: true });
const graph = ajv.compile(load('graph'));
const compiled = new Map<string, ValidateFunction>([['graph', graph]]);

/** What a command printed against `docs/schema`. */
export function expectSchema(name: string, value: unknown): void {
  const validate = compiled.get(name) ?? ajv.compile(load(name));
  compiled.set(name, validate);
  const found = JSON.parse(JSON.stringify(value)) as unknown;
  expect(validate(found), JSON.stringify(validate.errors?.slice(0, 3))).to.equal(true);
}
