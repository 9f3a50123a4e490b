import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'chai';
import { applyPatch } from 'diff';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { rewriteAll } from '../../../src/tools/cli/fix/rewrite.js';
import { ftpc } from './folders.js';

const BROKEN = 'edition 2026\n\n# limits\nbudget all { require peak_memory <= 8GiB }\n';
const FIXED = BROKEN.replace('#', '//');

const schema = join(nodeHost().packageFolder, 'docs/schema/check.json');
const validate = new Ajv2020().compile(JSON.parse(readFileSync(schema, 'utf8')));

describe('check --fix', () => {
  let folder = '';
  const at = (name: string): string => join(folder, name);
  const check = (...args: readonly string[]) => ftpc(folder, ['check', ...args], { NO_COLOR: '1' });
  const write = (name: string, text: string): void => writeFileSync(at(name), text);
  const read = (name: string): string => readFileSync(at(name), 'utf8');

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ftpc-fix-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('fixes the file and says what', async () => {
    write('a.ftp', BROKEN);
    expect(await check('a.ftp')).to.deep.include({ code: 1 });
    const { code, err } = await check('a.ftp', '--fix');
    expect(code).to.equal(0);
    expect(err).to.equal('fixed FTP0103 near a.ftp:3: write `//`\nwrote a.ftp\nok: a.ftp\n');
    expect(read('a.ftp')).to.equal(FIXED);
    expect(readdirSync(folder)).to.deep.equal(['a.ftp']);
    expect((await check('a.ftp', '--fix')).err).to.equal('nothing to fix automatically\nok: a.ftp\n');
  });

  it('--diff prints a patch, writes nothing, and exits as for the unchanged file', async () => {
    write('a.ftp', BROKEN);
    const json = JSON.parse((await check('a.ftp', '--diff', '--json')).out);
    expect(validate(json), JSON.stringify(validate.errors)).to.equal(true);
    expect(applyPatch(BROKEN, json.diff)).to.equal(FIXED);
    const { code, out, err } = await check('a.ftp', '--diff');
    expect(code).to.equal(1);
    expect(err).to.include('would fix FTP0103 near a.ftp:3: write `//`');
    expect(applyPatch(BROKEN, out)).to.equal(FIXED);
    expect(read('a.ftp')).to.equal(BROKEN);
  });

  it('--json says what was fixed and what is left', async () => {
    write('a.ftp', BROKEN);
    expect(JSON.parse((await check('a.ftp', '--fix', '--json')).out)).to.deep.equal({
      version: 1,
      valid: true,
      diagnostics: [],
      mended: [{ code: 'FTP0103', message: 'a comment starts with `//`', title: 'write `//`' }],
      changed: ['a.ftp'],
    });
  });

  it('--fix-all takes what is likely, --fix does not', async () => {
    write('a.ftp', FIXED.replace('peak_memory', 'peek_memory'));
    expect((await check('a.ftp', '--fix')).code).to.equal(1);
    expect((await check('a.ftp', '--fix-all')).code).to.equal(0);
    expect(read('a.ftp')).to.equal(FIXED);
  });

  it('leaves a read-only file alone', async () => {
    write('a.ftp', BROKEN);
    chmodSync(at('a.ftp'), 0o444);
    const { code, err } = await check('a.ftp', '--fix');
    expect(code).to.equal(1);
    expect(err).to.include('error[FTP1060]: `a.ftp` cannot be written: it is read-only');
    expect(read('a.ftp')).to.equal(BROKEN);
  });

  it('leaves bytes that are no text alone', async () => {
    const bytes = Buffer.concat([Buffer.from(BROKEN), Buffer.from([0x2f, 0x2f, 0x20, 0xff, 0xfe, 0x0a])]);
    writeFileSync(at('a.ftp'), bytes);
    const { code, err } = await check('a.ftp', '--fix');
    expect(code).to.equal(1);
    expect(err).to.include('error[FTP1062]: `a.ftp` is not valid UTF-8 text');
    expect(readFileSync(at('a.ftp')).equals(bytes)).to.equal(true);
  });

  it('keeps links, modes, line ends and the byte-order mark', async () => {
    mkdirSync(at('real'));
    write('real/a.ftp', `\ufeff${BROKEN.replace(/\n/g, '\r\n')}`);
    chmodSync(at('real/a.ftp'), 0o640);
    symlinkSync('real/a.ftp', at('a.ftp'));
    expect((await check('a.ftp', '--fix')).code).to.equal(0);
    expect(lstatSync(at('a.ftp')).isSymbolicLink()).to.equal(true);
    expect(statSync(at('real/a.ftp')).mode & 0o777).to.equal(0o640);
    expect(read('real/a.ftp')).to.equal(`\ufeff${FIXED.replace(/\n/g, '\r\n')}`);
  });

  it('writes all files or none, and nothing over a newer edit', async () => {
    write('a.ftp', 'one');
    write('b.ftp', 'newer');
    const files = ['a.ftp', 'b.ftp'].map((file) => ({ file, path: at(file), before: 'one', after: 'two' }));
    expect(rewriteAll(files)?.code).to.equal('FTP1061');
    expect([read('a.ftp'), read('b.ftp')]).to.deep.equal(['one', 'newer']);
    expect(readdirSync(folder)).to.deep.equal(['a.ftp', 'b.ftp']);
    write('b.ftp', 'one');
    expect(rewriteAll(files)).to.equal(undefined);
    expect([read('a.ftp'), read('b.ftp')]).to.deep.equal(['two', 'two']);
    rmSync(at('b.ftp'));
    expect(rewriteAll(files.slice(1))?.code).to.equal('FTP1060');
  });

  it('exits with 1 for a lint that the project calls an error, and prints advice only without errors', async () => {
    write('ftpc.json', '{ "lint": { "rules": { "no-deduplication": "error" } } }');
    write('rows.jsonl', '{"instruction":"a","output":"b"}\n');
    const text =
      'edition 2026\n\nimport { jsonl } from "std/data"\n\ndata rows {\n  source = jsonl("rows.jsonl")\n}\n';
    write('a.ftp', text);
    const { code, err } = await check('a.ftp');
    expect(code).to.equal(1);
    expect(err).to.include('error[FTP1018]: `rows` keeps duplicate rows');
    rmSync(at('ftpc.json'));
    expect(await check('a.ftp')).to.deep.include({ code: 0 });
    write('a.ftp', `${text}# wrong\n`);
    expect((await check('a.ftp')).err).to.match(
      /\n1 error \(1 can be fixed with --fix; 1 lint finding is shown once the errors are fixed\): a\.ftp\n$/,
    );
  });

  it('takes one form of output', async () => {
    write('a.ftp', FIXED);
    expect((await check('a.ftp', '--json', '--sarif')).err).to.include(
      '`--json` and `--sarif` exclude each other',
    );
    expect((await check('a.ftp', '--fix', '--github')).err).to.include('run `--fix` first');
    const log = JSON.parse((await check('a.ftp', '--sarif')).out);
    expect(log.version).to.equal('2.1.0');
  });
});
