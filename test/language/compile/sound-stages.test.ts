import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect } from 'chai';
import { compile } from '../../../src/language/compile.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import type { Value, Values } from '../../../src/language/ir/program.js';
import { isCall, isRecord } from '../../../src/language/ir/values.js';
import { lintReport } from '../../../src/language/lint/index.js';
import { functions } from '../../../src/language/schemas/functions/index.js';
import type { Setting, SettingType } from '../../../src/language/schemas/schema.js';
import { alternatives } from '../../../src/language/schemas/setting-paths.js';
import { schemas } from '../../../src/language/schemas/stages/index.js';
import { overlayHost, remembering } from '../../helpers/overlay-host.js';

/** What a stage that counts as sound lacks of its schema: rules, and stages that run, read it as if it were there. */
function lacking(values: Values, table: Readonly<Record<string, Setting>>, at: string): readonly string[] {
  return Object.entries(table).flatMap(([key, { type, required, default: standard }]) => {
    const value = values[key];
    const path = `${at}.${key}`;
    if (value === undefined) return required || standard !== undefined ? [path] : [];
    return alternatives(type).flatMap((one) => within(value, one, path));
  });
}

function within(value: Value, type: SettingType, path: string): readonly string[] {
  if (type.kind === 'list' && Array.isArray(value))
    return value.flatMap((item) => alternatives(type.of).flatMap((one) => within(item, one, path)));
  if (type.kind === 'call' && isCall(value))
    return lacking(value.args, functions[value.call]?.args ?? {}, `${path}.${value.call}`);
  return type.kind === 'record' && isRecord(value) ? lacking(value, type.fields, path) : [];
}

const root = nodeHost().packageFolder;

/** Looks at a text as a check and an editor do; what is thrown is a bug. */
function problems(folder: string, text: string, real = nodeHost(folder)): readonly string[] {
  const host = overlayHost(folder, { 'x.ftp': text }, real);
  const result = compile(host, 'x.ftp');
  lintReport(result, host);
  return (result.analysis?.stages ?? []).flatMap(({ stage, isSound }) =>
    isSound ? lacking(stage.settings, schemas[stage.kind].settings, stage.name) : [],
  );
}

/** Lines deleted, in each other's place, without their value, and with `none`: every third line, of many files. */
function* variants(text: string): Generator<readonly [string, string]> {
  const lines = text.split('\n');
  for (const [index, line] of lines.entries()) {
    if (index % 3 !== lines.length % 3) continue;
    const others = (replacement: readonly string[], taken = 1) =>
      [...lines.slice(0, index), ...replacement, ...lines.slice(index + taken)].join('\n');
    yield [`line ${index + 1} deleted`, others([])];
    yield [`lines ${index + 1} and ${index + 2} swapped`, others([lines[index + 1] ?? '', line], 2)];
    const name = /^\s*\w+ = /.exec(line)?.[0];
    if (name === undefined) continue;
    yield [`line ${index + 1} without its value`, others([name])];
    yield [`line ${index + 1} is none`, others([`${name}none`])];
  }
}

describe('stages that count as sound', () => {
  const files = ['test/corpus/valid', 'pipelines'].flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith('.ftp') && !name.endsWith('.test.ftp'))
      .map((name) => join(root, folder, name)),
  );
  for (const file of files)
    it(`have all that their schema promises, whatever line of ${basename(file)} is broken`, () => {
      const folder = join(file, '..');
      const real = remembering(nodeHost(folder));
      for (const [what, text] of variants(readFileSync(file, 'utf8')))
        expect(problems(folder, text, real), `${what}:\n${text}`).to.deep.equal([]);
    });

  const folder = join(root, 'test/corpus/valid');
  const rest = `data rows using part { source = synthetic(rows: 8), dedupe = [exact] }
format dialogs using form { from = rows, template = tokens() }
train adapter { base = starter(), dataset = dialogs.train, optimizer = adamw(rate: 2e-4) }
`;
  const imports = 'edition 2026\nimport { synthetic } from "std/data"\nimport { tokens } from "std/format"\n';
  const presets: readonly (readonly [what: string, part: string, form: string, text?: string])[] = [
    ['leaves out of a record what it needs', 'split = { valid: 10% }', 'max_length = 64tok'],
    ['leaves out a call in a record', 'mix = { share: 5% }', 'max_length = 64tok'],
    [
      'sets a required setting wrongly',
      'limit = 5',
      'template = 5',
      rest.replace(', template = tokens()', ''),
    ],
    [
      'refers to nothing',
      'source = missing',
      'from = missing',
      rest.replace('source = synthetic(rows: 8), ', '').replace('from = rows, ', ''),
    ],
    ['is broken', 'source = synthetic(', 'from =', rest.replace('source = synthetic(rows: 8), ', '')],
  ];
  for (const [what, part, form, text = rest] of presets)
    it(`are those whose preset ${what}, never`, () => {
      const whole = `${imports}preset part for data { ${part} }\npreset form for format { ${form} }\n${text}`;
      expect(problems(folder, whole)).to.deep.equal([]);
      expect(compile(overlayHost(folder, { 'x.ftp': whole }), 'x.ftp').program).to.equal(undefined);
    });
});
