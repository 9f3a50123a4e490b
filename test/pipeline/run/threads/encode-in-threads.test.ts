import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { FormatSettings } from '../../../../src/language/schemas/stages/format.js';
import { encodeInThreads } from '../../../../src/pipeline/run/threads/encode-in-threads.js';
import type { EncodingThread } from '../../../../src/pipeline/stages/stage.js';
import { call, cases, type Formatted, type Row, world } from '../../stages/format/format-runner.js';

const answered = (count: number): readonly Row[] =>
  Array.from({ length: count }, (_, i) => ({
    instruction: `question ${i} “ä” ${'word '.repeat(i % 40)}`,
    output: i % 97 === 0 ? '' : `answer ${i}`,
    ...(i % 5 === 0 ? { kind: 'fifth' } : {}),
  }));

const chats = cases('bytes').chats.map(({ row }) => row);
const weighed: readonly Row[] = Array.from({ length: 600 }, (_, i) => ({
  messages: [
    { role: 'system', content: `system ${i % 3}` },
    { role: 'user', content: `question ${i}` },
    { role: 'assistant', content: `answer ${i}`, ...(i > 400 && i % 2 === 0 ? { weight: 0.5 } : {}) },
  ],
}));
const preferred: readonly Row[] = Array.from({ length: 600 }, (_, i) =>
  // one row of another form than those before it
  i === 300
    ? { prompt: `question ${i}`, completion: 'an answer', label: true }
    : { prompt: `question ${i}`, chosen: `good ${i}`, rejected: `bad ${i}` },
);
const labelled: readonly Row[] = Array.from({ length: 600 }, (_, i) => ({
  text: `text ${i}`,
  label: `${i % 3}`,
}));

const CASES: readonly (readonly [string, readonly Row[], Partial<FormatSettings>])[] = [
  ['chats', [...answered(500), ...chats, ...answered(100)], {}],
  ['chats that are split @long', answered(700), { max_length: 64, overflow: 'split' }],
  ['weights', weighed, {}],
  ['preferences', preferred, { template: call('preference') }],
  ['labels @long', labelled, { template: call('labelled', { text: 'text', label: 'label' }) }],
];

const contents = ({ artefact: { path } }: Formatted): Readonly<Record<string, string>> =>
  Object.fromEntries(readdirSync(path).map((name) => [name, readFileSync(join(path, name), 'latin1')]));

describe('rows that are encoded in threads', () => {
  const place = world();
  after(() => place.remove());

  for (const [name, train, changes] of CASES)
    it(`${name}: are those of the stage alone, byte by byte`, async () => {
      const splits = { train, valid: train.slice(0, 20), test: train.slice(5, 300) };
      const alone = await place.format(splits, changes);
      const threads = await place.format(splits, changes, {
        encodingThreads: (task) => encodeInThreads(task, 2),
      });
      expect(threads.result).to.deep.equal(alone.result);
      expect(contents(threads)).to.deep.equal(contents(alone));
    });

  it('are encoded by the stage where a thread fails or ends', async () => {
    const splits = { train: answered(1100) };
    const alone = await place.format(splits);
    let [asked, ended] = [0, 0];
    const failing = (): EncodingThread => ({
      get isFree() {
        return asked < 3;
      },
      encode: async () => {
        asked++;
        return undefined;
      },
      end: async () => void ended++,
    });
    const threads = await place.format(splits, {}, { encodingThreads: () => [failing(), failing()] });
    expect([asked, ended]).to.deep.equal([3, 2]);
    expect(contents(threads)).to.deep.equal(contents(alone));
    const dead = await place.format(
      splits,
      {},
      {
        encodingThreads: (task) =>
          encodeInThreads({ ...task, folder: '', stage: { ...task.stage, settings: {} } }, 1),
      },
    );
    expect(contents(dead)).to.deep.equal(contents(alone));
  });

  it('end with the stage, whose error is that of the row', async () => {
    let ended = 0;
    const hostile = call('chat', {
      style: {
        file: 'endless.jinja',
        sha256: '',
        text: '{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}',
      },
    });
    const failed = place.format(
      { train: answered(600) },
      { template: hostile },
      {
        encodingThreads: (task) =>
          encodeInThreads(task, 1).map((thread) => ({
            get isFree() {
              return thread.isFree;
            },
            encode: (question) => thread.encode(question),
            end: async () => {
              ended++;
              await thread.end();
            },
          })),
      },
    );
    const error: unknown = await failed.then(
      () => expect.fail('it ended well'),
      (reason: unknown) => reason,
    );
    expect(String(error)).to.match(/was stopped/);
    expect(ended).to.equal(1);
  });
});
