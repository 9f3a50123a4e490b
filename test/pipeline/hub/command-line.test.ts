/** Models and data sets of the Hub in whole runs. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DuckDBInstance } from '@duckdb/node-api';
import { expect } from 'chai';
import { FTPC, freshFolder, objects } from '../../tools/cli/folders.js';
import { type Project, project, rows } from '../lock/project.js';
import { COMMIT, sha256, tinyModel } from './folders.js';
import type { FakeRepository } from './server.js';

const dataSet = (files: Readonly<Record<string, Buffer>>): FakeRepository => ({
  kind: 'datasets',
  id: 'tiny/rows',
  commit: COMMIT,
  files,
});

const pipeline = (call: string): string => `edition 2026

import { hub } from "std/data"
import { chat } from "std/format"

data rows { source = ${call} }

format dialogs {
  from = rows
  template = chat()
  model = starter()
  max_length = 128tok
}
`;

const report = (at: Project): { rows: number; dropped: { file: string }[] } => {
  const store = join(at.folder, '.ftp/store');
  const key = readdirSync(store).find((name) => existsSync(join(store, name, 'statistics.json'))) ?? '';
  return JSON.parse(readFileSync(join(store, key, 'report.json'), 'utf8'));
};

/** Rows of 16 KB each. */
const randomRows = (rows: number): Buffer =>
  Buffer.concat(
    Array.from({ length: rows }, (_, i) =>
      Buffer.from(
        `${JSON.stringify({ instruction: `question ${i}`, output: randomBytes(11_700).toString('base64') })}\n`,
      ),
    ),
  );

/** So many rows of random letters, about 100 bytes each. */
async function parquet(rows: number): Promise<Buffer> {
  const path = join(freshFolder(), 'rows.parquet');
  const connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
  await connection.run(
    `copy (select 'question ' || i as instruction, md5('a' || i) || md5('b' || i) || md5('c' || i) as output
     from range(${rows}) t(i)) to '${path}' (format parquet, row_group_size 2048)`,
  );
  connection.closeSync();
  return readFileSync(path);
}

describe('a data set of the Hub', () => {
  const files = {
    'README.md': Buffer.from('# Rows\n'),
    'data/train-large.jsonl': Buffer.from(`${rows(1500)}no JSON\n`),
    'data/test.jsonl': Buffer.from(rows(7)),
    'data/train.parquet': Buffer.alloc(10),
    'data/train.tsv': Buffer.alloc(10),
  };

  it('is waited for as it asks, and the plan says so', async () => {
    const at = await project(dataSet(files));
    at.write('p.ftp', pipeline('hub("tiny/rows")'));
    let asked = 0;
    at.hub.trouble = (_, response) => {
      if (asked++ > 0) return false;
      response.writeHead(429, { 'retry-after': '1' }).end();
      return true;
    };
    const { code, err } = await at.ftpc('plan', 'p.ftp');
    expect(code, err).to.equal(0);
    expect(err.split('\n')).to.include(`waiting 1 s for ${new URL(at.hub.endpoint).host}, as it asks`);
  });

  it('is asked for once where the Hub asks for an hour, also by its stage', async () => {
    const at = await project(dataSet(files));
    at.write('p.ftp', pipeline('hub("tiny/rows")'));
    let asked = 0;
    at.hub.trouble = ({ url }, response) => {
      if (!/resolve/.test(url ?? '') || ++asked === 1) return false;
      response.writeHead(429, { 'retry-after': '3600' }).end();
      return true;
    };
    const { code, out } = await at.ftpc('run', 'p.ftp', '--json');
    expect(code).to.equal(1);
    const events = objects(out) as { type: string; code?: string }[];
    expect(events.filter(({ type }) => type === 'retry')).to.deep.equal([]);
    expect(out).to.contain('FTP1417');
    expect(asked, 'the beginning for the plan, and one request of the stage').to.equal(2);
  });

  it('is planned with as it is listed, fetched by its stage, and then read without a server @long', async () => {
    const at = await project(dataSet(files));
    at.write('p.ftp', pipeline('hub("tiny/rows")'));
    const planned = await at.ftpc('plan', 'p.ftp', '--json');
    expect(planned.code, planned.err + planned.out).to.equal(0);
    const plan = JSON.parse(planned.out);
    const codes = plan.diagnostics.map(({ code }: { code: string }) => code);
    expect(codes).to.include.members(['FTP1413', 'FTP0908']);
    const { length: bytes } = files['data/train-large.jsonl'];
    expect(plan.fetch).to.deep.equal([
      { kind: 'dataset', id: 'tiny/rows', revision: 'main', commit: COMMIT, files: 1, bytes },
    ]);
    const run = await at.ftpc('run', 'p.ftp', '--json');
    expect(run.code, run.out).to.equal(0);
    const fetched = objects(run.out).filter((event) => event['label'] === 'fetching tiny/rows');
    expect(fetched.at(-1)).to.deep.include({ stage: 'rows', done: files['data/train-large.jsonl'].length });
    const { rows: read, dropped } = report(at);
    expect(read).to.equal(1501);
    expect(dropped.map(({ file }) => file)).to.deep.equal(['tiny/rows/data/train-large.jsonl']);
    at.env['HF_HUB_OFFLINE'] = '1';
    const again = await at.ftpc('run', 'p.ftp', '--json');
    const last = objects(again.out).at(-1) as { stages: { status: string }[] };
    expect(last.stages.map(({ status }) => status)).to.deep.equal(['cached', 'cached']);
  });

  it('is planned with by the ends of its Parquet files, each of which says how many rows it has', async () => {
    const content = await parquet(3000);
    const at = await project(dataSet({ 'rows.parquet': content }));
    at.write('p.ftp', pipeline('hub("tiny/rows")'));
    const planned = await at.ftpc('plan', 'p.ftp', '--json');
    expect(planned.code, planned.err + planned.out).to.equal(0);
    const { diagnostics } = JSON.parse(planned.out) as { diagnostics: { code: string; message: string }[] };
    const assumed = diagnostics.find(({ code }) => code === 'FTP0908');
    expect(assumed?.message).to.match(/there is no file `.*rows\.parquet`/);
    const ranges = at.hub.requests.flatMap((line) => /^cdn .* bytes=(.*)$/.exec(line)?.[1] ?? []);
    expect(ranges).to.deep.equal(['0-4095', `${content.length - 65536}-${content.length - 1}`]);
    const run = await at.ftpc('run', 'p.ftp', '--json');
    expect(run.code, run.out).to.equal(0);
    expect(report(at).rows).to.equal(3000);
  });

  it('goes on where the line broke, and then has every row', async () => {
    const content = randomRows(128);
    const at = await project(dataSet({ 'large.jsonl': content }));
    at.write('p.ftp', pipeline('hub("tiny/rows")').replace(/format dialogs .*/s, ''));
    const half = content.length >> 1;
    at.hub.trouble = (request, response, isCdn) => {
      if (!isCdn || request.headers.range !== undefined) return false;
      response.writeHead(200, { 'content-length': content.length });
      response.write(content.subarray(0, half), () => response.destroy());
      return true;
    };
    const { code, out } = await at.ftpc('run', 'p.ftp', '--json');
    expect(code, out).to.equal(0);
    expect(
      at.hub.requests.filter((line) => line.startsWith('cdn') && / bytes=\d+-$/.test(line)),
    ).to.have.length.above(0);
    expect(report(at).rows).to.equal(128);
  });

  it('is read by split or by pattern, and locked with what is read', async () => {
    const at = await project(dataSet(files));
    for (const [call, expected] of [
      ['hub("tiny/rows", split: "test")', ['data/test.jsonl']],
      ['hub("tiny/rows", files: "**/*.jsonl")', ['data/test.jsonl', 'data/train-large.jsonl']],
    ] as const) {
      at.write('p.ftp', pipeline(call));
      const locked = await at.ftpc('lock', 'p.ftp', '--upgrade');
      expect(locked.code, locked.err).to.equal(0);
      const { data } = JSON.parse(readFileSync(join(at.folder, 'p.lock'), 'utf8'));
      expect(Object.keys(data['hub tiny/rows@main'].files)).to.deep.equal(expected);
    }
    for (const [call, says] of [
      ['hub("tiny/rows", split: "valid")', /no file of the split `valid`/],
      ['hub("tiny/rows", files: "*.parquet")', /no file `\*\.parquet`/],
      ['hub("tiny/rows", files: "data/*.tsv")', /it has `data\/train\.tsv`/],
    ] as const) {
      at.write('p.ftp', pipeline(call));
      const { code, err } = await at.ftpc('plan', 'p.ftp');
      expect(code).to.equal(1);
      expect(err)
        .to.contain('FTP1412')
        .and.to.match(says)
        .and.to.match(/p\.ftp:6:\d+/);
    }
  });
});

describe('a run that is killed while it fetches', () => {
  it('goes on where it was', async () => {
    const at = await project(tinyModel());
    const weights = tinyModel().files['model.safetensors'] ?? Buffer.alloc(0);
    at.hub.trouble = (request, response, isCdn) => {
      if (!isCdn || request.headers.range !== undefined) return false;
      response.writeHead(200, { 'content-length': weights.length });
      response.write(weights.subarray(0, 40_000));
      return true;
    };
    const running = spawn(process.execPath, [FTPC, 'run', 'p.ftp'], {
      cwd: at.folder,
      env: { ...process.env, ...at.env },
      stdio: 'ignore',
    });
    const blobs = join(at.folder, 'hf/hub/models--tiny--base/blobs');
    const part = (): string | undefined =>
      existsSync(blobs) ? readdirSync(blobs).find((name) => name.includes('.ftpc-')) : undefined;
    for (
      let waited = 0;
      statSync(join(blobs, part() ?? '-'), { throwIfNoEntry: false })?.size !== 40_000;
      waited++
    ) {
      expect(waited, 'the download begins').to.be.below(600);
      await sleep(100);
    }
    running.kill('SIGKILL');
    at.hub.requests.length = 0;
    const { code, err } = await at.ftpc('run', 'p.ftp');
    expect(code, err).to.equal(0);
    expect(at.hub.requests.filter((line) => line.endsWith('bytes=40000-'))).to.have.lengthOf(2);
    expect(readFileSync(join(blobs, sha256(weights))).equals(weights)).to.equal(true);
    expect(part()).to.equal(undefined);
  });
});
