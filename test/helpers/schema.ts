/** What programs are promised of `--json`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'chai';
import { nodeHost } from '../../src/language/host/node-host.js';

const schemaOf = (name: string): object =>
  JSON.parse(readFileSync(join(nodeHost().packageFolder, 'docs/schema', `${name}.json`), 'utf8')) as object;

/** Fails where a value is not as `docs/schema/NAME.json` says. */
export function expectSchema(name: string, value: unknown): void {
  const ajv = new Ajv2020({ allowUnionTypes: true });
  for (const other of ['events', 'plan']) if (name !== other) ajv.addSchema(schemaOf(other));
  const validate = ajv.compile(schemaOf(name));
  validate(value);
  expect(validate.errors, JSON.stringify(value)).to.equal(null);
}
