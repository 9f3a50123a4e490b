/** Rows of questions with choices, in the columns of the data sets that people measure with. */
import { pythonStrip } from '../../../compute/evaluation/metrics/python-text.js';
import type { OwnName } from '../data/column-names.js';
import { optionalText, type Row, RowProblem, text } from './rendered-row.js';

/** What is asked, before it is written in a style. */
export interface Question {
  /** As it is written before a list of choices. */
  readonly question: string;
  /** What each choice continues, where it is not listed: one text for all of them, or one for each. */
  readonly contexts: readonly string[];
  readonly choices: readonly string[];
  /** What is scored after each context instead of the choice, which is a part of the context. */
  readonly continuation?: string;
  /** Number of the right one. */
  readonly answer: number;
  readonly subject?: string;
}

type ReadQuestion = (row: Row, own: OwnName) => Question;

/** By the column that only these rows have. */
const FORMS: readonly (readonly [column: string, read: ReadQuestion])[] = [
  ['endings', hellaswag],
  ['sentence', winogrande],
  ['answerKey', arc],
];

/** The question of a row. Throws a {@link RowProblem}. */
export function questionOf(row: Row, own: OwnName): Question {
  const read = FORMS.find(([column]) => row[column] != null)?.[1] ?? plain;
  return read(row, own);
}

/** `question`, `choices`, `answer` and perhaps `subject`, as MMLU has them. */
function plain(row: Row, own: OwnName): Question {
  const question = pythonStrip(text(row, 'question', own));
  const choices = texts(row['choices'], own('choices'));
  const subject = optionalText(row, 'subject', own);
  return {
    question,
    contexts: [asked(question)],
    choices,
    answer: answerOf(row['answer'], choices, own('answer')),
    ...(subject === undefined ? {} : { subject }),
  };
}

const asked = (question: string): string => `Question: ${question}\nAnswer:`;

/** ARC: `choices: { text, label }`, `answerKey`. */
function arc(row: Row, own: OwnName): Question {
  const question = text(row, 'question', own);
  const { text: found, label } = (row['choices'] ?? {}) as {
    readonly text?: unknown;
    readonly label?: unknown;
  };
  const choices = texts(found, `${own('choices')}.text`);
  const labels = texts(label, `${own('choices')}.label`);
  const answer = labels.indexOf(text(row, 'answerKey', own));
  if (answer < 0 || answer >= choices.length)
    throw new RowProblem('wrong_type', `\`${own('answerKey')}\` is none of the labels of the choices`);
  return { question, contexts: [asked(question)], choices, answer };
}

/** HellaSwag: the end of a text, which lm-evaluation-harness cleans of the brackets of WikiHow. */
function hellaswag(row: Row, own: OwnName): Question {
  const start = `${text(row, 'ctx_a', own)} ${capitalised(optionalText(row, 'ctx_b', own) ?? '')}`;
  const activity = optionalText(row, 'activity_label', own);
  const question = cleaned(activity === undefined ? start : `${activity}: ${start}`);
  const choices = texts(row['endings'], own('endings')).map(cleaned);
  return { question, contexts: [question], choices, answer: answerOf(row['label'], choices, own('label')) };
}

/** Winogrande: what follows the blank is scored after each of the words that may fill it. */
function winogrande(row: Row, own: OwnName): Question {
  const sentence = text(row, 'sentence', own);
  const choices = ['option1', 'option2'].map((option) => text(row, option, own));
  const blank = sentence.indexOf('_');
  if (blank < 0) throw new RowProblem('malformed', `\`${own('sentence')}\` has no blank \`_\``);
  const answer = ['1', '2'].indexOf(String(row['answer'] ?? ''));
  if (answer < 0) throw new RowProblem('wrong_type', `\`${own('answer')}\` is neither 1 nor 2`);
  const contexts = choices.map((choice) => sentence.slice(0, blank) + choice);
  return {
    question: sentence,
    contexts,
    choices,
    continuation: pythonStrip(sentence.slice(blank + 1)),
    answer,
  };
}

/**
 * Python's `str.capitalize()`: of what one letter becomes, the first is large (`ß`: `Ss`). How a Greek word ends
 * depends on all of it.
 */
const capitalised = (given: string): string => {
  const [first = ''] = given;
  const [large = '', ...more] = first.toUpperCase();
  return large + more.join('').toLowerCase() + given.toLowerCase().slice(first.toLowerCase().length);
};

const cleaned = (given: string): string =>
  pythonStrip(given)
    .replaceAll(' [title]', '. ')
    .replace(/\[[^\n]*?\]/g, '')
    .replaceAll('  ', ' ');

/** Letters there are to choose from. */
const MOST_CHOICES = 26;

function texts(value: unknown, column: string): readonly string[] {
  if (value === undefined || value === null)
    throw new RowProblem('missing_column', `no column \`${column}\``);
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string'))
    throw new RowProblem('wrong_type', `\`${column}\` is not a list of strings`);
  if (value.length < 2 || value.length > MOST_CHOICES)
    throw new RowProblem('wrong_type', `\`${column}\` has ${value.length} choices, not 2 to ${MOST_CHOICES}`);
  if (value.some((item) => item.trim() === ''))
    throw new RowProblem('empty', `a choice in \`${column}\` is empty`);
  return value;
}

/** A number from 0, a letter, or the text of the right choice. */
function answerOf(value: unknown, choices: readonly string[], column: string): number {
  if (value === undefined || value === null || value === '')
    throw new RowProblem('missing_column', `no answer in \`${column}\``);
  const word = String(value).trim();
  const byText = choices.findIndex((choice) => choice.trim() === word);
  const isNumber = typeof value === 'number' || (/^\d+$/.test(word) && byText < 0);
  const found = isNumber ? Number(value) : byText >= 0 ? byText : letterNumber(word);
  if (found !== undefined && Number.isInteger(found) && found >= 0 && found < choices.length) return found;
  throw new RowProblem(
    'wrong_type',
    `\`${column}\` is ${JSON.stringify(value)}, neither the number (from 0), the letter nor the text of one of ${choices.length} choices`,
  );
}

export const letter = (number: number): string => String.fromCharCode(65 + number);

const letterNumber = (word: string): number | undefined =>
  /^[A-Z]$/i.test(word) ? word.toUpperCase().charCodeAt(0) - 65 : undefined;
