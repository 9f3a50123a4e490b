import { expect } from 'chai';
import { type FormatInfo, openSplit } from '../../../../src/pipeline/stages/format/split-files.js';
import { call, type Formatted, host, type Row, world } from './format-runner.js';

interface Report {
  readonly dropped: readonly { readonly line: number; readonly reason: string; readonly detail: string }[];
}

const user = (content: string) => ({ role: 'user', content });
const assistant = (content: string) => ({ role: 'assistant', content });

/** The same question and answers in the shapes of well-known data sets. */
const CHATS: Readonly<Record<string, Row>> = {
  'messages (TRL)': { prompt: [user('why?')], chosen: [assistant('so.')], rejected: [assistant('no')] },
  'texts after messages': { prompt: [user('why?')], chosen: 'so.', rejected: 'no' },
  'whole chats with their question (UltraFeedback)': {
    prompt: 'why?',
    chosen: [user('why?'), assistant('so.')],
    rejected: [user('why?'), assistant('no')],
  },
  'whole chats': { chosen: [user('why?'), assistant('so.')], rejected: [user('why?'), assistant('no')] },
  'messages of ShareGPT (LLaMA-Factory)': {
    prompt: [{ from: 'human', value: 'why?' }],
    chosen: { from: 'gpt', value: 'so.' },
    rejected: { from: 'gpt', value: 'no' },
  },
  'a question (Orca)': { system: '', question: 'why?', chosen: 'so.', rejected: 'no' },
};

describe('preferences', () => {
  const here = world();
  after(here.remove);

  const formatted = (rows: readonly Row[], name = 'preference') =>
    here.format({ train: rows }, { template: call(name) });

  const answersIn = ({ artefact }: Formatted) => {
    const split = openSplit(host, artefact.path, 'train');
    const texts = [...split.texts()];
    return Array.from({ length: split.rows }, (_, row) => {
      const { ids, labels } = split.read(row);
      const start = labels.findIndex((label) => label !== -100);
      return { ids: [...ids], start, end: labels.length, ...texts[row]?.preference };
    });
  };

  it('are read in the shapes of well-known data sets, as the same two rows', async () => {
    const all = await Promise.all(Object.values(CHATS).map(async (row) => answersIn(await formatted([row]))));
    const [first = [], ...others] = all;
    expect(first.map(({ side, answer }) => [side, answer])).to.deep.equal([
      ['chosen', 'so.'],
      ['rejected', 'no'],
    ]);
    for (const other of others) expect(other).to.deep.equal(first);
  });

  it('have the same prompt, of which no token is learned, and answers that are', async () => {
    const [chosen, rejected] = answersIn(
      await formatted([
        {
          prompt: [user('a'), assistant('b'), user('c')],
          chosen: [assistant('yes')],
          rejected: [assistant('never')],
        },
      ]),
    );
    expect(chosen?.start).to.equal(rejected?.start);
    expect(chosen?.start).to.be.above(5);
    expect(chosen?.ids.slice(0, chosen.start)).to.deep.equal(rejected?.ids.slice(0, rejected.start));
  });

  it('of plain text begin where the prompt ends', async () => {
    const found = await Promise.all(
      [
        { prompt: 'Q: why?\nA:', chosen: ' so.', rejected: ' no' },
        {
          chosen: '\n\nHuman: why?\n\nAssistant: so.',
          rejected: '\n\nHuman: why?\n\nAssistant: soon',
        },
      ].map(async (row) => answersIn(await formatted([row]))),
    );
    expect(found.map(([chosen]) => chosen?.answer)).to.deep.equal([' so.', ' so.']);
    expect(found.map(([, rejected]) => rejected?.answer)).to.deep.equal([' no', ' soon']);
  });

  it('may be answers that are judged alone', async () => {
    const done = await formatted([
      { prompt: 'Q:', completion: ' good', label: true },
      { prompt: 'Q:', completion: ' bad', label: false },
    ]);
    expect(done.json<FormatInfo>('format.json').preferences).to.equal('judged');
    expect(answersIn(done).map(({ side }) => side)).to.deep.equal(['chosen', 'rejected']);
  });

  it('may be whole chats whose last answer a label judges', async () => {
    const done = await formatted([
      { messages: [user('Why?'), assistant('So.'), user('And?'), assistant(' good')], label: true },
      { messages: [user('Why?'), assistant(' bad')], label: 0 },
      { messages: [user('Why?')], label: true },
      { messages: [assistant('So.')], label: true },
      { messages: 'Why?', label: true },
      { messages: [user('Why?'), assistant('So.')], label: 'maybe' },
    ]);
    expect(done.json<FormatInfo>('format.json').preferences).to.equal('judged');
    expect(answersIn(done).map(({ side, answer }) => [side, answer?.trim()])).to.deep.equal([
      ['chosen', 'good'],
      ['rejected', 'bad'],
    ]);
    expect(done.json<Report>('report.json').dropped.map(({ line, detail }) => [line, detail])).to.deep.equal([
      [3, '/messages must be a chat that ends with an answer'],
      [4, '/messages must be a chat that ends with an answer'],
      [5, '/messages must be a chat that ends with an answer'],
      [6, '/label must be true or false'],
    ]);
  });

  it('may be token ids', async () => {
    const done = await formatted(
      [{ prompt_ids: [5, 6], chosen_ids: [7], rejected_ids: [8, 9] }],
      'preference_tokens',
    );
    expect(answersIn(done).map(({ ids, start }) => [ids, start])).to.deep.equal([
      [[5, 6, 7], 2],
      [[5, 6, 8, 9], 2],
    ]);
  });

  it('that teach nothing are dropped, and the report says why', async () => {
    const rows: readonly Row[] = [
      { prompt: 'Q:', chosen: ' a', rejected: ' b' },
      { prompt: 'Q:', chosen: ' same', rejected: ' same' },
      { prompt: 'Q:', chosen: ' ', rejected: ' b' },
      { prompt: 'Q:', chosen: ' a' },
      { chosen: 'one text', rejected: 'another text' },
      { prompt: 'Q:', completion: ' a', label: 'maybe' },
      { prompt: 'Q:', completion: ' a', label: true },
      { prompt: 'Q:', chosen: 3, rejected: ' b' },
      { prompt: [user('x')], chosen: [user('y')], rejected: [assistant('z')] },
    ];
    const done = await formatted(rows);
    const { dropped } = done.json<Report>('report.json');
    expect(dropped.map(({ line, detail }) => [line, detail])).to.deep.equal([
      [2, '`chosen` and `rejected` are the same'],
      [3, '`chosen` is empty'],
      [4, 'no column `rejected`'],
      [5, '`chosen` and `rejected` do not begin with the same prompt'],
      [6, '/label must be true or false'],
      [7, 'it has one answer, and the rows before it have two'],
      [8, '/chosen must be a text or a list of messages'],
      [9, '`chosen` and `rejected` do not begin with the same prompt'],
    ]);
  });

  describe('whose lengths tell which answer is better', () => {
    /** Pairs whose chosen answer is the longer one, and as many others as there are to be; the test split has none. */
    const lengths = async (longer: number, all: number, swapped = false) => {
      const [long, short] = ['so it is, and nobody doubts it', 'no'];
      const rows = Array.from({ length: all }, (_, index) => {
        const [chosen, rejected] = index < longer !== swapped ? [long, short] : [short, long];
        return { prompt: `Q${index}:`, chosen, rejected };
      });
      const warnings: string[] = [];
      const formatted = await here.format(
        { train: rows, test: rows.map((row) => ({ ...row, chosen: 'x' })) },
        { template: call('preference') },
        { warn: ({ code, message }) => void warnings.push(`${code} ${message}`) },
      );
      const { answers } = formatted.json<Report & { readonly answers: unknown }>('report.json');
      return { warnings, answers, lengths: answersIn(formatted).map(({ start, end }) => end - start) };
    };

    it('are warned of, and in the report', async () => {
      const { warnings, answers, lengths: tokens } = await lengths(20, 20);
      expect(warnings).to.deep.equal([
        'FTP2248 in 100% of the pairs of `dialogs` the chosen answer is the longer one',
      ]);
      const [chosen = 0, rejected = 0] = tokens;
      expect(chosen).to.be.above(rejected);
      expect(answers).to.deep.equal({ pairs: 20, chosen, rejected, chosenLonger: 1 });
    });

    it('may be the longer ones of what is rejected', async () => {
      const { warnings } = await lengths(20, 20, true);
      expect(warnings).to.deep.equal([
        'FTP2248 in 100% of the pairs of `dialogs` the rejected answer is the longer one',
      ]);
    });

    it('are seven of ten pairs, of twenty at least', async () => {
      expect((await lengths(14, 20)).warnings).to.have.length(1);
      expect((await lengths(13, 20)).warnings).to.deep.equal([]);
      expect((await lengths(19, 19)).warnings).to.deep.equal([]);
    });
  });
});
