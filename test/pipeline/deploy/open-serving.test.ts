/** What is served answers as what was evaluated, row by row. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { ChatMessage } from '../../../src/compute/models/types.js';
import type { ServingEngine } from '../../../src/compute/serving/types.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { openAnswerer } from '../../../src/pipeline/deploy/open-answerer.js';
import { openServing } from '../../../src/pipeline/deploy/open-serving.js';
import { answerOf, asked } from '../../compute/serving/fake-serving.js';
import { whereLlama } from '../../compute/serving/llama-cpp/here.js';
import { finish, type Line } from '../run/processes.js';
import { freshFolder } from '../run/worlds.js';

interface Row {
  readonly prompt: string;
  readonly answer: string;
  readonly messages: readonly ChatMessage[];
}

/** The longest answer of an eval stage. */
const MOST = 64;

const host = nodeHost();

/** Rows of `answers.jsonl`, with their questions as a client asks them: the system message is training's. */
const rowsOf = (path: string): readonly Row[] =>
  readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => {
      const { prompt, answer } = JSON.parse(line) as Row;
      const content = /<\|im_start\|>user\n(.*?)<\|im_end\|>/s.exec(prompt)?.[1] ?? '';
      return { prompt, answer, messages: [{ role: 'user', content }] };
    });

async function answers(engine: ServingEngine, rows: readonly Row[]): Promise<readonly string[]> {
  const all = rows.map(({ messages }) =>
    answerOf(engine, { ...asked('', { maxTokens: MOST }), prompt: { messages } }),
  );
  return (await Promise.all(all)).map(({ text }) => text);
}

describe('serving pipelines/legal.ftp @long', () => {
  let folder = '';
  let rows: readonly Row[] = [];
  let outputs: Readonly<Record<string, Readonly<Record<string, string>>>> = {};
  before(async () => {
    folder = freshFolder();
    cpSync(join(host.packageFolder, 'pipelines'), join(folder, 'pipelines'), { recursive: true });
    const file = join(folder, 'pipelines/legal.ftp');
    // all rows are held out that a whole run holds out, though the training is the short one
    const text = readFileSync(file, 'utf8')
      .replace('limit = smoke ? 400 : none', '')
      .replace('stop = { epochs: 2, patience: 3, wall: 6h }', 'stop = { steps: 46 }');
    writeFileSync(file, text);
    const { lines, code, err } = await finish(folder, [
      'run',
      'pipelines/legal.ftp',
      '-p',
      'smoke=true',
      '--json',
    ]);
    expect(code, err).to.equal(0);
    const stages = ((lines.at(-1) as Line | undefined)?.['stages'] ?? []) as readonly {
      readonly name: string;
      readonly outputs: Readonly<Record<string, string>>;
    }[];
    outputs = Object.fromEntries(stages.map((stage) => [stage.name, stage.outputs]));
    rows = rowsOf(join(folder, outputs['quality']?.['answers'] ?? ''));
    expect(rows.length).to.be.above(300);
  });

  it('gives the answers of the evaluation, from the tokens of training, whatever was read before', async () => {
    const engine = await openServing(host, {
      folder: join(folder, outputs['adapter']?.['best'] ?? ''),
      ...{ base: 'starter', rows: 5 },
    });
    for (const { prompt, messages } of rows)
      expect(await engine.tokensOf({ messages })).to.deep.equal(await engine.tokensOf({ text: prompt }));
    const wanted = rows.map(({ answer }) => answer);
    expect(await answers(engine, rows)).to.deep.equal(wanted);
    const before = engine.load().cacheTokens;
    expect(before).to.be.above(0);
    expect(await answers(engine, rows.toReversed())).to.deep.equal(wanted.toReversed());
    await engine.close();
  });

  it('gives the answers that the release has without a server', async () => {
    const release = join(folder, outputs['local']?.['release'] ?? '');
    const plain = await openAnswerer(host, { folder: release });
    const wanted: string[] = [];
    const prompts = rows.map(({ prompt }) => ({ prompt }));
    for await (const { text } of plain.answerAll(prompts, { maxTokens: MOST })) wanted.push(text);
    await plain.release();
    const engine = await openServing(host, { folder: release });
    expect(await answers(engine, rows)).to.deep.equal(wanted);
    await engine.close();
  });

  whereLlama(() => {
    for (const [what, stage, output] of [
      ['an adapter over its base', 'adapter', 'best'],
      ['a release', 'local', 'release'],
    ] as const)
      it(`gives the answers that the embedded engine gives with llama.cpp, of ${what}`, async () => {
        const source = {
          folder: join(folder, outputs[stage]?.[output] ?? ''),
          ...(stage === 'adapter' && { base: 'starter' }),
        };
        const embedded = await openServing(host, { ...source, engine: 'embedded' });
        const llama = await openServing(host, { ...source, engine: 'llama.cpp', threads: 1 });
        expect(llama.info).to.include({ engine: 'llama.cpp', chats: true });
        for (const { messages } of rows)
          expect(await llama.tokensOf({ messages })).to.deep.equal(await embedded.tokensOf({ messages }));
        expect(await answers(llama, rows)).to.deep.equal(await answers(embedded, rows));
        await llama.close();
        await embedded.close();
      });
  });
});
