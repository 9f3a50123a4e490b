import { expect } from 'chai';
import { type Row, RowFault } from '../../../../src/pipeline/stages/data/parse-row.js';
import { contentOf, identityOf, renamed } from '../../../../src/pipeline/stages/data/row-content.js';
import { cleanUp, lines, runData } from './stage.js';

const answers = (...texts: readonly string[]) =>
  texts.map((text) => JSON.stringify([said('assistant', text)]));

const said = (role: string, content: string) => ({ role, content });

function identity(row: Row) {
  const content = contentOf(row, {});
  if (content instanceof RowFault) throw new Error(content.detail);
  return identityOf(content);
}

/** Whether they ask the same, and whether they are the same. */
function compared(one: Row, other: Row): readonly [asked: boolean, whole: boolean] {
  const [a, b] = [identity(one), identity(other)];
  return [String(a.question) === String(b.question), String(a.whole) === String(b.whole)];
}

describe('what preferences say', () => {
  const pair = { prompt: 'why?', chosen: 'so', rejected: 'no' };

  it('is contradicted by the same answers in the other order', () => {
    expect(compared(pair, { ...pair, chosen: 'no', rejected: 'so' })).to.deep.equal([true, false]);
  });

  it('is not contradicted by other answers to the same prompt', () => {
    expect(compared(pair, { ...pair, rejected: 'never' })).to.deep.equal([false, false]);
    expect(compared(pair, { ...pair })).to.deep.equal([true, true]);
  });

  it('of one answer is contradicted by another judgement, whatever form it has', () => {
    for (const judged of [
      { prompt: 'why?', completion: 'so', label: true },
      { prompt: [said('user', 'why?')], completion: [said('assistant', 'so')], label: true },
      { prompt_ids: [1, 2], completion_ids: [3], label: true },
      { messages: [said('user', 'why?'), said('assistant', 'so')], label: true },
    ]) {
      expect(compared(judged, { ...judged, label: false })).to.deep.equal([true, false]);
      expect(compared(judged, { ...judged })).to.deep.equal([true, true]);
    }
    expect(
      compared(
        { prompt: 'why?', completion: 'so', label: true },
        { prompt: 'why?', completion: 'no', label: false },
      ),
    ).to.deep.equal([false, false]);
  });

  it('is what the source names, not a prompt beside it', () => {
    const row = { asked: 'why?', prompt: 'hm', better: 'so', rejected: 'no' };
    const columns = { question: 'asked', chosen: 'better' };
    expect(contentOf(renamed(row, columns), columns)).to.deep.equal({
      question: [JSON.stringify([said('user', 'why?')]), ...answers('no', 'so')],
      answer: answers('so')[0],
      isPreference: true,
    });
  });

  it('is refused where two dialogues begin with another question', () => {
    const dialogue = (question: string, answer: string) => `\n\nHuman: ${question}\n\nAssistant: ${answer}`;
    expect(contentOf({ chosen: dialogue('why?', 'so'), rejected: dialogue('how?', 'no') }, {})).to.deep.equal(
      new RowFault('wrong_type', '`chosen` and `rejected` do not begin with the same prompt'),
    );
    expect(
      contentOf({ chosen: dialogue('why?', 'so'), rejected: dialogue('why?', 'no') }, {}),
    ).to.have.property('isPreference', true);
  });

  it('is that of its text where a label says what a text is about', () => {
    expect(compared({ text: 'x', label: 'a' }, { text: 'x', label: 'b' })).to.deep.equal([true, false]);
  });
});

describe('preferences that contradict an earlier one', () => {
  afterEach(cleanUp);

  const rows = [
    { prompt: 'why?', chosen: 'so', rejected: 'no' },
    { prompt: 'why?', chosen: 'no', rejected: 'so' },
    { prompt: 'how?', completion: 'thus', label: true },
    { prompt: 'how?', completion: 'thus', label: false },
  ];

  it('are dropped and reported, though contradictions are only warned of elsewhere', async () => {
    const { report } = await runData({ 'rows.jsonl': lines(...rows) }, {});
    expect(report.dropped).to.deep.equal([
      {
        file: 'rows.jsonl',
        line: 2,
        reason: 'contradiction',
        detail: 'has the same question as rows.jsonl:1 but another answer',
      },
      {
        file: 'rows.jsonl',
        line: 4,
        reason: 'contradiction',
        detail: 'has the same question as rows.jsonl:3 but another answer',
      },
    ]);
    expect(report.kept).to.equal(2);
  });
});
