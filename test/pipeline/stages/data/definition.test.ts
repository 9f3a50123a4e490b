/**
 * The key of a data stage counts the version of its definition: rows that were kept before would otherwise stand for what
 * is made of the same input now.
 */
import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { stages } from '../../../../src/pipeline/stages/index.js';
import { call, cleanUp, jsonl, lines, pair, runData } from './stage.js';

/** What the rows below came to. Where they come to something else, the version in `src/pipeline/stages/index.ts` goes up. */
const PINNED = { version: 5, digest: '8d89d0cde9efdf6d3046ed017299ee3f0f6d043212df4928577fb5636d6ead6b' };

const words = (from: number, count: number): string =>
  Array.from({ length: count }, (_, at) => `word${from + at}`).join(' ');

/** Rows of every shape, some of them repeated, nearly repeated, contradicted, empty or of a wrong type. */
const rows = (group: number): readonly object[] => {
  const text = words(100 * group, 40);
  return [
    pair(`question ${group}`, `answer ${group}`),
    pair(`question  ${group}`, `answer ${group} `, { input: '' }),
    pair(`question ${group}`, 'another answer'),
    pair(`question ${group}`, `answer ${group}`, { input: 'of this' }),
    { text, label: 'a' },
    { text: `${text} `, label: 'a' },
    { text, label: 'b' },
    { text: `${text} more`, label: 'a' },
    { text: `topic ${group}`, label: 7 },
    { text: `topic ${group}`, label: null },
    { text: `said ${group}` },
    { text: `${words(100 * group + 50, 60)} end` },
    { text: `${words(100 * group + 50, 60)} tail` },
    { prompt: `begin ${group}`, completion: 'end' },
    {
      messages: [
        { role: 'user', content: `hi ${group}` },
        { role: 'assistant', content: 'ho' },
      ],
    },
    {
      conversations: [
        { from: 'human', value: `hey ${group}` },
        { from: 'gpt', value: 'ho' },
      ],
    },
    { input_ids: [1, 2, group], labels: [-100, 2, group] },
    { prompt: `which ${group}`, chosen: 'this', rejected: 'that' },
    { prompt: `which ${group}`, chosen: 'that', rejected: 'this' },
    { prompt: `good ${group}`, completion: 'it', label: true },
    { text: ' ' },
    { text: group },
    { other: group },
  ].map((row) => ({ ...row, group: `g${group}` }));
};

describe('the definition of the data stage', () => {
  afterEach(cleanUp);

  it('has another version where the same rows come to others', async () => {
    const own = Array.from({ length: 12 }, (_, group) => rows(group)).flat();
    const general = Array.from({ length: 30 }, (_, at) => pair(`general ${at}`, `said ${at}`));
    const made = createHash('sha256');
    for (const contradictions of ['warn', 'drop'])
      for (const by of [undefined, 'group']) {
        const found = await runData(
          { 'rows.jsonl': `${lines(...own)}{"text": \n`, 'general.jsonl': lines(...general) },
          {
            dedupe: [call('exact'), call('near', { similarity: 0.9 })],
            contradictions,
            split: { train: 0.7, valid: 0.1, test: 0.2, seed: 5, ...(by === undefined ? {} : { by }) },
            mix: { general: jsonl('general.jsonl'), share: 0.1 },
            limit: 100,
          },
        );
        const splits = (['train', 'valid', 'test'] as const).map((name) => found.rows(name));
        made.update(JSON.stringify([splits, found.report, found.result.metrics]));
      }
    expect({ version: stages.data.version, digest: made.digest('hex') }).to.deep.equal(PINNED);
  });
});
