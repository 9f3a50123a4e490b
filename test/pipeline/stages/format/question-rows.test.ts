import { expect } from 'chai';
import { questionOf } from '../../../../src/pipeline/stages/format/question-rows.js';

const own = (name: string): string => name;

describe('questions with choices are cleaned as lm-evaluation-harness does', () => {
  const hellaswag = (fields: object) =>
    questionOf({ ctx_a: 'x', ctx_b: 'y', endings: ['a', 'b'], label: '0', ...fields }, own);

  it('as Python makes the first letter of a sentence large', () => {
    const written = (context: string): string => hellaswag({ ctx_b: context }).question;
    // recorded from Python 3.11: str.capitalize()
    for (const [context, capitalised] of [
      ['SHE Runs', 'She runs'],
      ['ΑΣ ΣΑΣ', 'Ας σας'],
      ['ΣΟΦΟΣ', 'Σοφο\u03c2'],
      ['ßein', 'Ssein'],
      ['İSTANBUL', 'İstanbul'],
      ['éA B', 'Éa b'],
    ] as const)
      expect(written(context), context).to.equal(`x ${capitalised}`);
  });

  it('of white space as Python knows it, and of brackets on one line', () => {
    const { choices } = hellaswag({ endings: ['\u001f a [step] b \u0085', '[one\u2028two] c [\n]'] });
    expect(choices).to.deep.equal(['a b', ' c [\n]']);
    expect(
      questionOf({ question: '\u001c\ufeffWhat?\u0085', choices: ['a', 'b'], answer: 1 }, own).question,
    ).to.equal('\ufeffWhat?');
    const row = { sentence: 'The _ is big.\u001f ', option1: 'cat', option2: 'dog', answer: '2' };
    expect(questionOf(row, own)).to.deep.include({ continuation: 'is big.', answer: 1 });
  });
});
