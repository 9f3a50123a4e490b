/** Questions with choices: a row for each choice, of which only the choice is scored, as lm-evaluation-harness does. */
import { stripEnd } from '../../../compute/evaluation/metrics/python-text.js';
import type { Tokenizer } from '../../../compute/models/types.js';
import type { Call } from '../../../language/ir/program.js';
import type { OwnName } from '../data/column-names.js';
import { type Choice, type EncodedRow, IGNORED } from './encode-row.js';
import { examplesBefore } from './examples.js';
import { letter, type Question, questionOf } from './question-rows.js';
import { type Examples, type RenderedRow, type Row, RowProblem } from './rendered-row.js';

/** A text and what is scored after it. */
interface ScoredText {
  readonly context: string;
  readonly continuation: string;
  /** Code points of the choice, or of the context that it is a part of. */
  readonly characters: number;
}

interface WrittenQuestion {
  readonly scored: readonly ScoredText[];
  readonly answer: number;
  readonly subject?: string;
}

type Style = (question: Question) => WrittenQuestion;

/** Choices are listed, and their letters scored: MMLU. */
const letters: Style = ({ question, choices, answer, subject }) => {
  const list = choices.map((choice, number) => `${letter(number)}. ${choice}`).join('\n');
  const context = `${question}\n${list}\nAnswer:`;
  const scored = choices.map((_, number) => ({ context, continuation: ` ${letter(number)}`, characters: 1 }));
  return { scored, answer, ...(subject === undefined ? {} : { subject }) };
};

/** Choices are scored themselves, each as the end of the question: HellaSwag, ARC; or what follows each of them: Winogrande. */
const endings: Style = ({ contexts, choices, continuation, answer }) => ({
  scored: choices.map((choice, number) => {
    const context = contexts[number] ?? contexts[0] ?? '';
    return {
      context,
      continuation: ` ${continuation ?? choice}`,
      characters: [...(continuation === undefined ? choice : context)].length,
    };
  }),
  answer,
});

const STYLES: Readonly<Record<string, Style>> = { letters, endings };

interface ChoiceOptions {
  readonly tokenizer: Tokenizer;
  readonly own: OwnName;
  readonly examples: Examples;
}

/** The rows of a question's choices, and how it is shown. Throws a {@link RowProblem}. */
export function choiceRows(
  { args }: Call,
  row: Row,
  options: ChoiceOptions,
): { readonly rendered: RenderedRow; readonly rows: readonly EncodedRow[] } {
  const { tokenizer, own } = options;
  const style = STYLES[String(args['style'])] ?? letters;
  const asked = questionOf(row, own);
  const { scored, answer, subject } = style(asked);
  const before =
    introduction(subject) +
    examplesBefore(row, Number(args['few_shot']), options.examples, (example) => {
      const solved = style(questionOf(example, own));
      const right = solved.scored[solved.answer];
      return `${right?.context}${right?.continuation}`;
    });
  const contextIds = new Map<string, Int32Array>();
  const rows = scored.map(({ context, continuation, characters }, at) => {
    const whole = before + context;
    const known = contextIds.get(whole) ?? begun(tokenizer, stripEnd(whole));
    contextIds.set(whole, known);
    const ids = begun(tokenizer, whole + continuation);
    return scoredRow(ids, known.length, {
      at,
      of: scored.length,
      right: at === answer,
      text: asked.choices[at] ?? '',
      characters,
    });
  });
  const prompt = before + (scored[answer]?.context ?? '');
  const right = scored[answer]?.continuation ?? '';
  return {
    rendered: {
      text: prompt + right,
      answers: [{ start: prompt.length, end: prompt.length + right.length }],
      prompt,
      answer: asked.choices[answer] ?? '',
      begins: true,
      given: [asked.question, ...asked.choices],
    },
    rows,
  };
}

function begun(tokenizer: Tokenizer, text: string): Int32Array {
  const begin = tokenizer.beginId === undefined ? [] : [tokenizer.beginId];
  return Int32Array.from([...begin, ...tokenizer.encode(text)]);
}

/** Tokens from `context` on are scored: as many as the text has more than its context alone. */
function scoredRow(ids: Int32Array, context: number, choice: Choice): EncodedRow {
  const from = Math.max(1, context);
  if (from >= ids.length) throw new RowProblem('no_supervised_token', 'a choice has no token of its own');
  const labels = new Int32Array(ids.length).fill(IGNORED);
  labels.set(ids.subarray(from), from);
  return { ids, labels, supervised: ids.length - from, promptTokens: from, choice };
}

/** The last tokens of a choice's row; of one that is longer itself, nothing can be scored. */
export function lastTokens(row: EncodedRow, limit: number): EncodedRow | undefined {
  const cut = Math.max(0, row.ids.length - limit);
  if (cut === 0) return row;
  if (cut >= row.promptTokens) return undefined;
  return {
    ...row,
    ids: row.ids.slice(cut),
    labels: row.labels.slice(cut),
    promptTokens: row.promptTokens - cut,
  };
}

/** MMLU's first line. */
const introduction = (subject: string | undefined): string =>
  subject === undefined
    ? ''
    : `The following are multiple choice questions (with answers) about ${subject.replaceAll('_', ' ')}.\n\n`;
