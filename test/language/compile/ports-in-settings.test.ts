import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { compile } from '../../../src/language/compile.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import type { Port, SettingType } from '../../../src/language/schemas/schema.js';
import { schemas } from '../../../src/language/schemas/stages/index.js';
import { overlayHost, remembering } from '../../helpers/overlay-host.js';

/** A stage of every kind, by its name. */
const NAMES = {
  data: 'clauses',
  format: 'dialogs',
  train: 'adapter',
  eval: 'quality',
  merge: 'fused',
  deploy: 'local',
} as const;
const kinds = Object.keys(NAMES) as readonly (keyof typeof NAMES)[];

const folder = join(nodeHost().packageFolder, 'pipelines');
const pipeline = readFileSync(join(folder, 'legal.ftp'), 'utf8').split('\n');
const host = remembering(nodeHost(folder));

/** The pipeline with one setting in place of what stands there. */
function withSetting(kind: keyof typeof NAMES, key: string, value: string): string {
  const at = pipeline.findIndex((line) => line.startsWith(`${kind} ${NAMES[kind]} `));
  const end = pipeline.findIndex((line, index) => index > at && line.startsWith('}'));
  const own = (line: string, index: number): boolean =>
    index > at && index < end && (line.startsWith(`  ${key} =`) || line.startsWith('  require'));
  const lines = pipeline.map((line, index) => (own(line, index) ? '' : line));
  return lines.toSpliced(end, 0, `  ${key} = ${value}`).join('\n');
}

const accepts = (type: SettingType, port: Port): boolean =>
  type.kind === 'union'
    ? type.of.some((one) => accepts(one, port))
    : type.kind === 'port' && type.accepts.includes(port.type);

/** Of a wrong type, no choice, not known before the run, of another port; the last a circle. */
const MISTAKES = ['FTP0301', 'FTP0307', 'FTP0318', 'FTP0401', 'FTP0403'];

describe('ports in settings', () => {
  for (const kind of kinds)
    it(`every port is taken by a setting of ${kind}, or one error says why not`, () => {
      for (const [key, { type }] of Object.entries(schemas[kind].settings))
        for (const from of kinds.filter((other) => other !== kind))
          for (const [name, port] of Object.entries(schemas[from].ports)) {
            const value = name === '' ? NAMES[from] : `${NAMES[from]}.${name}`;
            const text = withSetting(kind, key, value);
            const { diagnostics } = compile(overlayHost(folder, { 'made.ftp': text }, host), 'made.ftp');
            const errors = diagnostics.filter(({ severity }) => severity === 'error');
            const found = errors.map(({ code }) => code);
            const where = `${kind}.${key} = ${value}: ${errors.map(({ message }) => message).join('; ')}`;
            expect(found, where).to.have.length(accepts(type, port) && found[0] !== 'FTP0403' ? 0 : 1);
            expect(MISTAKES, where).to.include.members(found);
          }
    });
});
