import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { UserError } from '../../../../src/language/diagnostics/types.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import {
  isSampled,
  type Line,
  type Sample,
  type Splitter,
} from '../../../../src/pipeline/stages/data/file-lines.js';
import { CsvSplitter } from '../../../../src/pipeline/stages/data/read/csv.js';
import { parquetSize } from '../../../../src/pipeline/stages/data/read/footer.js';
import { ListSplitter } from '../../../../src/pipeline/stages/data/read/json-list.js';
import { knownRows, rowsOf } from '../../../../src/pipeline/stages/data/read/read-rows.js';
import { textSplitter } from '../../../../src/pipeline/stages/data/read/text-splitters.js';
import { call, cleanUp, type DataRun, lines, pair, runData } from './stage.js';

type Content = string | Uint8Array;

const read = (name: string, content: Content, args: object = {}): Promise<DataRun> =>
  runData({ [name]: content }, { source: call(name.split('.')[1] ?? '', { files: name, ...args }) });

async function failure(promise: Promise<unknown>): Promise<{ code: string; message: string; at: string }> {
  try {
    await promise;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { code, message, at, help } = error.diagnostic;
    expect(help, 'a way out').to.be.a('string').and.not.equal('');
    return {
      code,
      message,
      at: at !== undefined && 'line' in at ? `${at.file}:${at.line}:${at.column}` : '',
    };
  }
  throw new Error('nothing failed');
}

/** Rows as place and content, and what was dropped. */
const seen = ({ rows, report }: DataRun) => ({
  rows: rows('train').map(({ line, row }) => [line, row] as const),
  dropped: report.dropped.map(({ line, reason, detail }) => `${line} ${reason}: ${detail}`),
});

/** A file's rows, whatever the pieces in which it comes, each in the memory of the one before. */
function cut(make: () => Splitter, content: string): readonly (readonly [number, number, string])[] {
  const bytes = Buffer.from(content);
  const all = [1, 2, 3, 7, bytes.length].map((size) => {
    const splitter = make();
    const rows: (readonly [number, number, string])[] = [];
    const see = (lines: Iterable<Line>): void => {
      for (const { number, offset, bytes: row, fault } of lines)
        rows.push([number, offset, fault ?? Buffer.from(row).toString()]);
    };
    const room = Buffer.alloc(size);
    for (let at = 0; at < bytes.length; at += size)
      see(splitter.push(room.subarray(0, bytes.copy(room, 0, at, at + size))));
    see(splitter.end());
    return rows;
  });
  for (const other of all) expect(other).to.deep.equal(all[0]);
  return all[0] ?? [];
}

describe('sources of rows', () => {
  after(cleanUp);

  it('json: a list of objects, each with the line on which it begins', async () => {
    const text = `\ufeff[\n  ${JSON.stringify(pair('a', 'b]}"\\'))},\n{"instruction": "c",\n"output": "d"}, 7,\n{"instruction": tru},"x"\n]\n`;
    expect(seen(await read('rows.json', text))).to.deep.equal({
      rows: [
        [2, pair('a', 'b]}"\\')],
        [3, pair('c', 'd')],
      ],
      dropped: [
        '4 malformed: no JSON object, but a number',
        `5 malformed: not JSON: Unexpected token '}', "{"instruction": tru}" is not valid JSON`,
        '5 malformed: no JSON object, but a string',
      ],
    });
  });

  it('json: the list in a member of an object', async () => {
    const text = `{"version": {"data": [1]}, "d\\u0061ta": [${JSON.stringify(pair('a', 'b'))}], "more": "}]"}`;
    expect(seen(await read('rows.json', text, { field: 'data' })).rows).to.deep.equal([[1, pair('a', 'b')]]);
  });

  it('json: several lists of one file', async () => {
    const text = JSON.stringify({ a: [pair('q', 'r')], b: [pair('s', 't')] });
    const list = (field: string) => call('json', { files: 'x.json', field });
    const run = await runData({ 'x.json': text }, { source: [list('b'), list('a'), list('b')] });
    expect(run.rows('train').map(({ row }) => row)).to.deep.equal([pair('s', 't'), pair('q', 'r')]);
  });

  it('json: the same rows whatever the pieces, and offsets that find them', () => {
    const text = '\ufeff [ {"a":"é]"} ,\n[1,[2]], -1.5e3,null , "x,]\\"" ]\n ';
    const rows = cut(() => new ListSplitter('x', undefined), text);
    expect(rows.map(([, , row]) => row)).to.deep.equal([
      '{"a":"é]"}',
      '[1,[2]]',
      '-1.5e3',
      'null',
      '"x,]\\""',
    ]);
    for (const [, offset, row] of rows)
      expect(
        Buffer.from(text)
          .subarray(offset, offset + Buffer.byteLength(row))
          .toString(),
      ).to.equal(row);
    expect(cut(() => new ListSplitter('x', undefined), '[]')).to.deep.equal([]);
  });

  it('json: says where a file is no list', async () => {
    const cases: readonly (readonly [string, object, string, RegExp])[] = [
      ['[{"a":1},\n {"a":2}', {}, 'rows.json:2:9', /ends in the middle/],
      ['[{"a":1},]', {}, 'rows.json:1:10', /expected a row here/],
      ['[{"a":1}\n{"a":2}]', {}, 'rows.json:2:1', /expected a comma or `]` here/],
      ['[] []', {}, 'rows.json:1:4', /there is something after its end/],
      ['{"data": []}', {}, 'rows.json:1:1', /an object, not a list/],
      ['{"rows": [], "x": {}}', { field: 'data' }, 'rows.json:1:21', /no member `data`/],
      ['{"data": {}}', { field: 'data' }, 'rows.json:1:10', /`data` is not a list/],
      ['[]', { field: 'data' }, 'rows.json:1:1', /a list, not an object/],
      ['{"data": [{}], "x": {"data": 1}, "data": []}', { field: 'data' }, 'rows.json:1:40', /`data` twice/],
      ['{"data": [{}],}', { field: 'data' }, 'rows.json:1:15', /expected a name here/],
      ['', {}, 'rows.json:1:1', /empty/],
      ['hello', {}, 'rows.json:1:1', /no list of rows/],
    ];
    for (const [text, args, place, message] of cases) {
      const found = await failure(read('rows.json', text, args));
      expect(found, text).to.include({ code: 'FTP0610', at: place });
      expect(found.message).to.match(message);
    }
  });

  it('csv: quotes, line ends in fields, blank lines, and records that do not fit', async () => {
    const text =
      '\ufeffinstruction,output,note\r\n"a, ""b""","x\r\ny",1\r\n\r\nc,d"e"\n"f"g,h,i\nj,k,\nl,\u0000,m\nn,,o\n"p","q","r"';
    const run = await read('rows.csv', text);
    expect(seen(run)).to.deep.equal({
      rows: [
        [2, pair('a, "b"', 'x\r\ny', { note: '1' })],
        [7, pair('j', 'k', { note: '' })],
        [10, pair('p', 'q', { note: 'r' })],
      ],
      dropped: [
        '5 malformed: 2 fields, but the header has 3',
        '6 malformed: not CSV: the closing quote of field 1 is followed by "g"; a quote inside a quoted field is written twice',
        '8 malformed: not text: byte 3 of the row is NUL',
        '9 empty: `output` is empty',
      ],
    });
    expect(run.report.rows).to.equal(7);
  });

  it('csv: other delimiters, other names of columns, packed with gzip', async () => {
    const text = 'q;a\n1;2\n';
    const args = { delimiter: 'semicolon', columns: { instruction: 'q', output: 'a' } };
    for (const content of [text, gzipSync(text)])
      expect(seen(await read('rows.csv', content, args)).rows).to.deep.equal([
        [2, { q: '1', a: '2', ...pair('1', '2') }],
      ]);
  });

  it('csv: the same records whatever the pieces', () => {
    const rows = cut(() => new CsvSplitter('x', ','), 'a,b\n"1\n""2""",é\r\n\n3,"4"\n5,6');
    expect(rows.map(([line, , row]) => [line, row])).to.deep.equal([
      [2, '{"a":"1\\n\\"2\\"","b":"é"}'],
      [5, '{"a":"3","b":"4"}'],
      [6, '{"a":"5","b":"6"}'],
    ]);
  });

  it('csv: a broken encoding is the row’s fault, a broken header or a lost quote the file’s', async () => {
    const latin = Buffer.from('instruction,output\ncaf\u00e9,b\nc,d\n', 'latin1');
    expect(seen(await read('rows.csv', latin)).dropped).to.deep.equal([
      '2 malformed: not UTF-8: byte 4 of the row is not valid',
    ]);
    expect(await failure(read('rows.csv', '\na,b,a\n1,2,3\n'))).to.include({
      code: 'FTP0611',
      at: 'rows.csv:2:0',
    });
    for (const [text, message] of [
      ['a;b\n1;2\n', /the header has no comma/],
      ['a,b\r1,2\r', /lines end with CR only/],
    ] as const) {
      const found = await failure(read('rows.csv', text));
      expect(found).to.include({ code: 'FTP0611', at: 'rows.csv:1:0' });
      expect(found.message).to.match(message);
    }
    expect(await failure(read('rows.csv', 'a,b\n1,2\n3,"4\n5,6\n'))).to.include({
      code: 'FTP0610',
      at: 'rows.csv:3:0',
    });
  });

  it('csv: a field that runs on for ever does not end in memory', () => {
    const splitter = new CsvSplitter('x', ',', 1000);
    const rows = [
      Buffer.from('a,b\n1,"'),
      ...Array.from({ length: 20 }, () => Buffer.alloc(100, 'x')),
      Buffer.from('"\n3,4\n'),
    ]
      .flatMap((piece) => [...splitter.push(piece)])
      .map(({ number, tooLong, length }) => [number, tooLong, length]);
    expect(rows).to.deep.equal([
      [2, true, 2004],
      [3, false, 17],
    ]);
  });

  it('text: documents, paragraphs and lines', async () => {
    const text = '\ufeffone\r\ntwo\n\n \nthree\nfour\n\n';
    const texts = async (by: string) =>
      (await read('rows.text', text, { by })).rows('train').map(({ line, row }) => [line, row['text']]);
    expect(await texts('document')).to.deep.equal([[1, 'one\r\ntwo\n\n \nthree\nfour']]);
    expect(await texts('paragraph')).to.deep.equal([
      [1, 'one\ntwo'],
      [5, 'three\nfour'],
    ]);
    expect(await texts('line')).to.deep.equal([
      [1, 'one'],
      [2, 'two'],
      [5, 'three'],
      [6, 'four'],
    ]);
    for (const by of ['document', 'paragraph', 'line'] as const) cut(() => textSplitter(by), text);
    const several = await runData(
      { 'a.md': 'A\n', 'b.md': 'B' },
      { source: call('text', { files: '*.md' }) },
    );
    expect(several.rows('train').map(({ file, row }) => [file, row['text']])).to.deep.equal([
      ['a.md', 'A'],
      ['b.md', 'B'],
    ]);
  });

  it('synthetic: rows from the seed alone', async () => {
    const make = (args: object) =>
      runData({}, { source: call('synthetic', { rows: 70, length: 9, vocabulary: 300, seed: 5, ...args }) });
    const run = await make({});
    const rows = run.rows('train').map(({ row }) => row as { input_ids: number[]; labels: number[] });
    expect(rows.length).to.equal(70);
    for (const { input_ids, labels } of rows) {
      expect(labels).to.deep.equal(input_ids);
      expect(input_ids).to.have.length(9);
      expect(input_ids.every((id) => Number.isInteger(id) && id >= 0 && id < 300)).to.equal(true);
    }
    const all = rows.flatMap(({ input_ids }) => input_ids);
    expect(new Set(all).size).to.be.within(240, 300);
    expect((await make({})).rows('train')).to.deep.equal(run.rows('train'));
    expect((await make({ seed: 6 })).rows('train')).to.not.deep.equal(run.rows('train'));
    expect((await make({ rows: 3 })).rows('train')).to.deep.equal(run.rows('train').slice(0, 3));
  });

  it('jsonl packed with gzip: the same as it was, and no file on the way stays', async () => {
    const text = `${lines(pair('a', 'b'), pair('a', 'b'), pair('c', 'd'))}no json\n`;
    const near = { dedupe: [call('exact'), call('near', { similarity: 0.9 })] };
    const runs = await Promise.all(
      [text, gzipSync(text)].map((content) =>
        runData({ 'rows.jsonl': content }, { source: call('jsonl', { files: 'rows.jsonl' }), ...near }),
      ),
    );
    const [plain, packed] = runs.map((run) => [seen(run), run.result]);
    expect(packed).to.deep.equal(plain);
    expect(runs[1]?.read('report.json')).to.equal(runs[0]?.read('report.json'));
    expect(() => runs[1]?.read('spool-0.jsonl')).to.throw(/ENOENT/);
  });

  it('broken and foreign files are told by name', async () => {
    const packed = gzipSync(lines(...Array.from({ length: 500 }, (_, i) => pair(`q${i}`, `a${i * i}`))));
    expect(await failure(read('rows.jsonl', packed.subarray(0, packed.length >> 1)))).to.include({
      code: 'FTP0610',
    });
    const spoilt = Buffer.from(packed);
    spoilt.fill(0xff, 100, 200);
    expect(await failure(read('rows.jsonl', spoilt))).to.include({ code: 'FTP0610', at: 'rows.jsonl:0:0' });
    const foreign: readonly (readonly [string, Content])[] = [
      ['rows.csv', 'PAR1....'],
      ['rows.jsonl', Buffer.from('\ufeff{"a": 1}', 'utf16le')],
      ['rows.json', 'PK\u0003\u0004....'],
      ['rows.text', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a])],
      ['rows.parquet', 'instruction,output\n'],
    ];
    for (const [name, content] of foreign)
      expect(await failure(read(name, content)), name).to.include({ code: 'FTP0609', at: `${name}:0:0` });
  });
});

describe('parquet', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ftpc-parquet-'));
  after(() => {
    rmSync(folder, { recursive: true, force: true });
    cleanUp();
  });

  /** A Parquet file of what a query selects, as DuckDB writes it. */
  async function parquet(select: string): Promise<Uint8Array> {
    const { DuckDBInstance } = await import('@duckdb/node-api');
    const connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
    const path = join(folder, `${readdirSync(folder).length}.parquet`);
    await connection.run(`copy (${select}) to '${path}' (format parquet, row_group_size 2048)`);
    connection.closeSync();
    return readFileSync(path);
  }

  it('reads a long text beside what is no number', async () => {
    const content = await parquet(
      `select repeat('NaN "x" \\n', 2000000) as text, 'NaN'::double as score, -('infinity'::double) as least`,
    );
    const [row] = (await read('rows.parquet', content)).rows('train');
    expect(row?.row).to.include({ score: null, least: null });
    expect(row?.row['text']).to.equal('NaN "x" \\n'.repeat(2_000_000));
  });

  it('is not read where it has more columns than DuckDB makes rows of in time', async () => {
    const columns = Array.from({ length: 10_001 }, (_, at) => `${at} as c${at}`);
    const content = await parquet(`select ${columns.join(',')}`);
    const error = await read('rows.parquet', content).catch((thrown: unknown) => thrown);
    expect(error).to.have.nested.property('diagnostic.code', 'FTP0610');
    expect(error).to.have.nested.property(
      'diagnostic.message',
      '`rows.parquet` cannot be read as Parquet: it has more than 10000 columns',
    );
  });

  it('reads rows whole, whatever their columns are called, and bytes as text where they are UTF-8', async () => {
    const content = await parquet(
      `select 'a' as t, 'q' as r, 'Q' as rr, encode('größe') as "te""xt", encode('b') as instruction, 'x' as output
       union all select 'a', 'q', 'Q', encode('n'), '\\xFF'::blob, 'y'`,
    );
    const run = await read('rows.parquet', content);
    expect(seen(run)).to.deep.equal({
      rows: [[1, { t: 'a', r: 'q', rr: 'Q', 'te"xt': 'größe', instruction: 'b', output: 'x' }]],
      dropped: ['2 wrong_type: /instruction is null, must be a string'],
    });
  });

  it('is read with nested columns, numbers as numbers, and the numbers of its rows', async () => {
    const content = await parquet(
      `select 'q' || i as instruction, case when i = 2 then null else 'say NaN "' || i end as output,
         [i, 2]::bigint[] as ids, {'role': 'user', 'n': [1.5]} as nested, 'nan'::double as score,
         date '2020-01-02' as day from range(3000) t(i)`,
    );
    const run = await read('rows.parquet', content);
    expect(run.report).to.deep.include({ rows: 3000, kept: 2999 });
    expect(run.report.dropped).to.deep.equal([
      { file: 'rows.parquet', line: 3, reason: 'wrong_type', detail: '/output is null, must be a string' },
    ]);
    const last = run.rows('train').at(-1);
    expect(last).to.deep.equal({
      file: 'rows.parquet',
      line: 3000,
      row: {
        instruction: 'q2999',
        output: 'say NaN "2999',
        ids: [2999, 2],
        nested: { role: 'user', n: [1.5] },
        score: null,
        day: '2020-01-02',
      },
    });
  });

  it('says in its footer how many rows it has, and nothing where the footer is spoilt', async () => {
    const content = await parquet(
      `select 'q' || i as instruction, {'a': md5(i::text)} as n from range(5000) t(i)`,
    );
    const sizeOf = (bytes: Uint8Array) =>
      parquetSize(
        { ...nodeHost(), readBytes: (_, start = 0, length = 0) => bytes.subarray(start, start + length) },
        'x',
        bytes.length,
      );
    expect(sizeOf(content)?.rows).to.equal(5000);
    expect(sizeOf(content)?.bytes).to.be.within(5000 * 32, 5000 * 100);
    expect(sizeOf(content.subarray(0, 3000))).to.equal(undefined);
    expect(sizeOf(Buffer.from('PAR1'))).to.equal(undefined);
    const footer = new DataView(content.buffer, content.byteOffset + content.length - 8).getUint32(0, true);
    for (let at = content.length - 8 - footer; at < content.length; at += 3) {
      const spoilt = Buffer.from(content);
      spoilt[at] = (spoilt[at] ?? 0) ^ 0xff;
      const found = sizeOf(spoilt);
      expect(found === undefined || typeof found.rows === 'number').to.equal(true);
    }
    const lists = Array.from({ length: 60 }, () => [0xf9, 0xff, 0xff, 0xff, 0x0f]).flat();
    for (const footer of [
      [0x19, ...lists],
      [0x36, ...new Uint8Array(200_000).fill(0xff)],
      new Uint8Array(100_000).fill(0x1c),
      [0x29, 0xf1, 0xff, 0xff, 0xff, 0x3f, 0],
      [0x18, 0xff, 0xff, 0xff, 0xff, 0x0f],
    ]) {
      const tail = Buffer.from([0, 0, 0, 0, ...Buffer.from('PAR1')]);
      tail.writeUInt32LE(footer.length);
      expect(sizeOf(Buffer.concat([Buffer.from(footer), tail]))).to.equal(undefined);
    }
  });

  it('is sampled as every other file is', async () => {
    const content = await parquet(`select 'q' || i as instruction, 'a' as output from range(5000) t(i)`);
    const text = lines(...Array.from({ length: 50 }, (_, i) => pair(`q${i}`, 'a')));
    writeFileSync(join(folder, 'x.parquet'), content);
    writeFileSync(join(folder, 'x.jsonl'), text);
    const args = { rows: 50, length: 4, vocabulary: 9, seed: 1 };
    for (const [format, name] of [
      ['parquet', 'x.parquet'],
      ['jsonl', 'x.jsonl'],
      ['synthetic', ''],
    ] as const) {
      const file = { path: join(folder, name), name, format, args };
      const all = async (...sample: readonly Sample[]) => {
        const rows: (readonly [number, string])[] = [];
        for await (const batch of rowsOf(file, nodeHost(), ...sample))
          for (const { number, bytes } of batch) rows.push([number, Buffer.from(bytes).toString()]);
        return rows;
      };
      const every = await all();
      expect(knownRows(file, nodeHost()) ?? every.length, format).to.equal(every.length);
      for (const sample of [
        { skip: 0, every: 7 },
        { skip: 5, every: 7 },
        { skip: 60_000, every: 7 },
      ])
        expect(await all(sample), format).to.deep.equal(every.filter((_, index) => isSampled(sample, index)));
    }
  });

  it('half of it, and one that is spoilt within, are errors of the file', async () => {
    const content = await parquet(
      `select 'q' || i as instruction, md5(i::text) as output from range(5000) t(i)`,
    );
    const half = await failure(read('rows.parquet', content.subarray(0, content.length >> 1)));
    expect(half).to.include({ code: 'FTP0610', at: 'rows.parquet:0:0' });
    expect(half.message).to.match(/cannot be read as Parquet: .*No magic bytes/);
    const spoilt = Buffer.from(content);
    spoilt.fill(0xaa, 2000, 4000);
    expect(await failure(read('rows.parquet', spoilt))).to.include({ code: 'FTP0610' });
  });

  it('a name with signs of a pattern is a name', async () => {
    const content = await parquet(`select 'a' as instruction, 'b' as output`);
    const run = await runData(
      { "it's[1]?.parquet": content },
      { source: call('parquet', { files: "it's[1]?.parquet" }) },
    );
    expect(run.report.kept).to.equal(1);
  });
});
