import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'chai';
import { UserError } from '../../../../src/language/diagnostics/types.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import type { Call } from '../../../../src/language/ir/program.js';
import { call, cleanUp, jsonl, lines, pair, runData } from './stage.js';

async function failure(run: Promise<unknown>): Promise<UserError> {
  try {
    await run;
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('data stage: what a row must be', () => {
  afterEach(cleanUp);

  it('names file, line and reason of every row that is not kept', async () => {
    const good = pair('What is it?', 'A licence.');
    const bad = [
      '{"instruction": "cut off',
      '[1, 2]',
      'null',
      JSON.stringify({ instruction: 'no answer' }),
      JSON.stringify({ output: 'no question' }),
      JSON.stringify(pair('q', '')),
      JSON.stringify({ instruction: 'q', output: 7 }),
      JSON.stringify({ instruction: 'q', input: ['x'], output: 'a' }),
      JSON.stringify({ asked: 'q', said: 'a' }),
      JSON.stringify({ messages: 'x' }),
      JSON.stringify({ messages: [{ role: 'robot', content: 'x' }] }),
      JSON.stringify({ messages: [] }),
    ];
    const { report, rows, result } = await runData({ 'rows.jsonl': `${lines(good)}${bad.join('\n')}` }, {});
    expect(report.dropped.map(({ line, reason }) => [line, reason])).to.deep.equal([
      [2, 'malformed'],
      [3, 'malformed'],
      [4, 'malformed'],
      [5, 'missing_column'],
      [6, 'missing_column'],
      [7, 'empty'],
      [8, 'wrong_type'],
      [9, 'wrong_type'],
      [10, 'missing_column'],
      [11, 'wrong_type'],
      [12, 'wrong_type'],
      [13, 'empty'],
    ]);
    expect(report.dropped.every(({ file, detail }) => file === 'rows.jsonl' && detail !== '')).to.equal(true);
    expect(report.dropped[6]?.detail).to.include('/output is a number');
    expect(report.dropped[8]?.detail).to.include('`asked`');
    expect(report.rows).to.equal(13);
    expect(report.kept).to.equal(1);
    expect(report.counts).to.deep.equal({ malformed: 3, missing_column: 3, empty: 2, wrong_type: 4 });
    expect(rows('train')).to.deep.equal([{ file: 'rows.jsonl', line: 1, row: good }]);
    expect(result.metrics).to.deep.equal({ rows: 1, dropped: 12 / 13, duplicates: 0, contradictions: 0 });
  });

  it('hands on how the numbers of a chat are written, and the order of names', async () => {
    const called = '"tool_calls":[{"function":{"name":"f","arguments":{"b":2.0,"2":1e+22,"1":1.5}}}]';
    const row = `{"messages":[{"role":"user","content":"q 1.0"},{"role":"assistant",${called}}],"3":1.0}`;
    const { read, rows } = await runData({ 'rows.jsonl': `${row}\n` }, {});
    expect(read('train.jsonl')).to.contain(called);
    expect(JSON.parse(JSON.stringify(rows('train')[0]?.row))).to.deep.equal(JSON.parse(row));
    expect(rows('train')[0]?.row['3']).to.equal(1);
    const plain = await runData({ 'rows.jsonl': '{"text":"t","score":1.0}\n' }, {});
    expect(plain.read('train.jsonl')).to.contain('"score":1}');
  });

  it('writes a report that its published schema accepts', async () => {
    const { report } = await runData({ 'rows.jsonl': `${lines(pair('q', 'a'), pair('q', 'b'))}x\n` }, {});
    const schema = JSON.parse(
      readFileSync(join(nodeHost().packageFolder, 'docs/schema/stage-report.json'), 'utf8'),
    ) as object;
    const validate = new Ajv2020({ strict: false }).compile(schema);
    expect(validate(report), JSON.stringify(validate.errors)).to.equal(true);
    expect(report.warnings).to.have.length(1);
  });

  it('accepts a byte-order mark, CRLF, blank lines and a last line without an end', async () => {
    const text = `\ufeff${JSON.stringify(pair('a', '1'))}\r\n\r\n  \t\r\n${JSON.stringify(pair('b', '2'))}\r\n\n${JSON.stringify(pair('c', '3'))}`;
    const { rows, report } = await runData({ 'rows.jsonl': text }, {});
    expect(rows('train').map(({ line, row }) => [line, row['output']])).to.deep.equal([
      [1, '1'],
      [4, '2'],
      [6, '3'],
    ]);
    expect(report.rows).to.equal(3);
  });

  it('says which byte of a line is no UTF-8', async () => {
    const bytes = Buffer.concat([
      Buffer.from(`{"instruction":"caf`),
      Buffer.from([0xe9]),
      Buffer.from(`","output":"x"}\n${lines(pair('q', 'a'))}`),
    ]);
    const { report } = await runData({ 'rows.jsonl': bytes }, {});
    expect(report.dropped).to.have.length(1);
    expect(report.dropped[0]?.detail).to.equal('not UTF-8: byte 20 of the row is not valid');
    expect(report.dropped[0]?.reason).to.equal('malformed');
  });

  it('keeps a row of 1 MB and columns with the names of object internals', async () => {
    const long = 'word '.repeat(200_000);
    const text = `${lines(pair('long', long))}{"instruction":"x","output":"y","__proto__":{"input":"polluted"},"constructor":1}\n`;
    const { rows } = await runData(
      { 'rows.jsonl': text },
      { dedupe: [call('exact'), call('near', { similarity: 0.9 })] },
    );
    const [first, second] = rows('train');
    expect(first?.row['output']).to.equal(long);
    expect(Object.keys(second?.row ?? {})).to.deep.equal([
      'instruction',
      'output',
      '__proto__',
      'constructor',
    ]);
    expect(({} as Record<string, unknown>)['input']).to.equal(undefined);
  });

  it('asks for own columns only', async () => {
    const { report } = await runData(
      { 'rows.jsonl': lines({ q: 'x' }, { q: 'y', a: 'z' }) },
      { source: jsonl('rows.jsonl', { instruction: 'q', output: 'constructor' }) },
    ).catch((error: unknown) => ({ report: error as UserError }));
    expect(report).to.be.instanceOf(UserError);
  });

  it('renames columns and says what a missing one is called', async () => {
    const { rows, report } = await runData(
      { 'rows.jsonl': lines({ q: 'x', a: 'y', extra: [1] }, { q: 'x' }) },
      { source: jsonl('rows.jsonl', { instruction: 'q', output: 'a' }) },
    );
    expect(rows('train')[0]?.row).to.deep.include({ instruction: 'x', output: 'y', extra: [1] });
    expect(report.dropped[0]).to.deep.include({ line: 2, reason: 'missing_column', detail: 'no column `a`' });
  });

  it('renames every column that a template reads, and says what is wrong by the names of the file', async () => {
    const talk = [
      { role: 'user', content: 'q' },
      { role: 'assistant', content: 'a' },
    ];
    const columns = { messages: 'dialog', system: 'rule' };
    const { rows, report } = await runData(
      { 'rows.jsonl': lines({ dialog: talk }, { dialog: 'q' }, { dialogue: talk }) },
      { source: jsonl('rows.jsonl', columns) },
    );
    expect(rows('train')[0]?.row).to.deep.include({ messages: talk });
    expect(report.dropped.map(({ detail }) => detail)).to.deep.equal([
      '/dialog is a string, must be a list',
      'no column `dialog`: did you mean `dialogue`?',
    ]);
  });

  it('reads mapped columns before others that a template would read', async () => {
    const { rows } = await runData(
      { 'rows.jsonl': lines({ q: 'x', a: 'y', text: 'z', messages: [] }) },
      { source: jsonl('rows.jsonl', { prompt: 'q', completion: 'a', instruction: 'q', output: 'a' }) },
    );
    expect(rows('train')[0]?.row).to.deep.include({ prompt: 'x', completion: 'y' });
    expect(rows('train')[0]?.row).not.to.have.any.keys('text', 'messages');
  });

  it('checks rows against a JSON Schema', async () => {
    const schema = {
      type: 'object',
      required: ['licence'],
      properties: { licence: { type: 'string' }, meta: { properties: { year: { type: 'integer' } } } },
    };
    const rows = [
      pair('a', '1', { licence: 'MIT' }),
      pair('b', '2'),
      pair('c', '3', { licence: 'MIT', meta: { year: 'x' } }),
    ];
    const text = JSON.stringify(schema);
    const { report } = await runData(
      { 'rows.jsonl': lines(...rows) },
      { schema: { file: 's.json', sha256: '', text } },
    );
    expect(report.dropped.map(({ reason }) => reason)).to.deep.equal(['missing_column', 'wrong_type']);
    expect(report.dropped[0]?.detail).to.include('/licence');
    expect(report.dropped[1]?.detail).to.include('/meta/year must be integer');
    for (const broken of ['{', '{"type": 7}', '{"$ref": "http://nowhere.invalid/x.json"}', 'null', '3']) {
      const error = await failure(
        runData({ 'rows.jsonl': lines(...rows) }, { schema: { file: 's.json', sha256: '', text: broken } }),
      );
      expect(error.message, broken).to.include('s.json');
    }
  });

  it('turns missing files, folders and files without rows into diagnostics', async () => {
    const missing = await failure(runData({}, {}));
    expect(missing.diagnostic).to.deep.include({ code: 'FTP0601', severity: 'error' });
    expect(missing.message).to.include('rows.jsonl');
    const glob = await failure(runData({}, { source: jsonl('data/*.jsonl') }));
    expect(glob.message).to.include('data/*.jsonl');
    const folder = await failure(runData({ 'rows.jsonl/x': '' }, {}));
    expect(folder.diagnostic.code).to.equal('FTP0602');
    const empty = await failure(runData({ 'rows.jsonl': '\n\n' }, {}));
    expect(empty.diagnostic.notes).to.deep.equal(['the files have no rows']);
    expect(empty.diagnostic.help).to.match(/^put rows into them/);
    const none = await failure(runData({ 'rows.jsonl': lines({ q: '1' }, { q: '2' }) }, {}));
    expect(none.diagnostic.notes?.[0]).to.equal('of 2 rows: 2 without a column');
    expect(none.diagnostic.notes?.[1]).to.match(/^rows\.jsonl:1: no column/);
    expect(none.diagnostic.help).to.include('columns:').and.not.to.include('CSV');
  });

  it('says what helps where no row can be used', async () => {
    const helpOf = async (content: string | Uint8Array, source: Call = jsonl('rows.jsonl')) =>
      (await failure(runData({ 'rows.jsonl': content }, { source }))).diagnostic.help;
    const csv = call('csv', { files: 'rows.jsonl', delimiter: 'comma' });
    expect(await helpOf(lines({ Instruction: 'q', ' output ': 'a' }))).to.equal(
      'the names of columns differ: write `columns: { instruction: "Instruction", output: " output " }` in the source',
    );
    expect(await helpOf('q,a\nr,b\n', csv)).to.match(/; the first line of a CSV file has their names$/);
    expect(await helpOf(Buffer.from('instruction,output\né,à\n', 'latin1'), csv)).to.include(
      'iconv -f latin1',
    );
    expect(await helpOf('{"instruction": "q" "output": "a"}\n')).to.match(/^fix the rows/);
  });

  it('says so when a file changes under its hands', async () => {
    const text = lines(pair('q', 'a'), pair('r', 'b'));
    let reads = 0;
    const error = await failure(
      runData({ 'rows.jsonl': text }, {}, undefined, (host) => ({
        ...host,
        readBytes: (path, start, length) =>
          // the first bytes alone say what kind of file it is
          (length ?? 0) <= 4096 || reads++ === 0
            ? host.readBytes(path, start, length)
            : Buffer.from('x'.repeat(text.length)),
      })),
    );
    expect(error.message).to.include('changed while it was read');
    expect(error.diagnostic.at).to.deep.equal({ file: 'rows.jsonl', line: 1, column: 0 });
  });

  it('stops when it is told to', async () => {
    const controller = new AbortController();
    controller.abort(new Error('stop'));
    let reason: unknown;
    await runData({ 'rows.jsonl': lines(pair('q', 'a')) }, {}, controller.signal).catch((error: unknown) => {
      reason = error;
    });
    expect(reason).to.equal(controller.signal.reason);
  });
});
