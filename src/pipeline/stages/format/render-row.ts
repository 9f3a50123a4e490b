import { alpacaPreamble } from '../../../compute/models/chat-template/alpaca.js';
import type { Call } from '../../../language/ir/program.js';
import { examplesBefore } from './examples.js';
import { renderChat, renderConversation } from './render-chat.js';
import {
  optionalText,
  type RenderContext,
  type RenderedRow,
  type Row,
  RowProblem,
  text,
} from './rendered-row.js';

type Render = (row: Row, context: RenderContext, args: Call['args']) => RenderedRow;

/** Every function of the `template` family that makes text of rows. Throws a `RowProblem`. */
const renderers: Readonly<Record<string, Render>> = {
  chat: renderChat,
  sharegpt: renderConversation,
  alpaca: renderAlpaca,
  completion: renderCompletion,
  question_answer: renderQuestion,
};

/** The function whose rows are tokens already. */
export const TOKENS = 'tokens';

const CHATS: ReadonlySet<Render | undefined> = new Set([renderChat, renderConversation]);

export const needsChatTemplate = ({ call }: Call): boolean => CHATS.has(renderers[call]);

/** A row as the template writes it. Throws a `RowProblem` for a row that it cannot write. */
export function renderRow(template: Call, row: Row, context: RenderContext): RenderedRow {
  const render = renderers[template.call];
  if (render === undefined) throw new Error(`no renderer for the template ${template.call}`);
  return render(row, context, template.args);
}

/** The layout of the Alpaca data set: https://github.com/tatsu-lab/stanford_alpaca */
function renderAlpaca(row: Row, { endToken, own }: RenderContext, args: Call['args']): RenderedRow {
  const instruction = text(row, 'instruction', own);
  const input = optionalText(row, 'input', own);
  const output = text(row, 'output', own);
  const about = input === undefined ? '' : `### Input:\n${input}\n\n`;
  const preamble = args['preamble'] === true ? `${alpacaPreamble(input !== undefined)}\n\n` : '';
  const prompt = `${preamble}### Instruction:\n${instruction}\n\n${about}### Response:\n`;
  return answered(prompt, output, endToken, [instruction, input ?? '', output]);
}

function renderCompletion(row: Row, { endToken, own, patterns }: RenderContext): RenderedRow {
  if (patterns !== undefined) {
    const [prompt, completion] = [patterns.prompt?.(row) ?? '', patterns.completion(row)];
    if (completion.trim() === '') throw new RowProblem('empty', 'its completion is empty');
    return answered(prompt, completion, endToken, [prompt, completion]);
  }
  if (row['text'] == null && row['prompt'] != null) {
    const [prompt, completion] = [text(row, 'prompt', own), text(row, 'completion', own)];
    return answered(prompt, completion, endToken, [prompt, completion]);
  }
  const whole = text(row, 'text', own);
  return answered('', whole, endToken, [whole]);
}

/** GSM8K as lm-evaluation-harness writes it: the answer is continued after `Answer:`. */
function renderQuestion(
  row: Row,
  { endToken, own, examples }: RenderContext,
  args: Call['args'],
): RenderedRow {
  const asked = (of: Row): string => `Question: ${text(of, 'question', own)}\nAnswer:`;
  const answer = text(row, 'answer', own);
  const before = examplesBefore(
    row,
    Number(args['few_shot']),
    examples,
    (example) => `${asked(example)} ${text(example, 'answer', own)}`,
  );
  const prompt = before + asked(row);
  return { ...answered(prompt, ` ${answer}`, endToken, [text(row, 'question', own), answer]), answer };
}

function answered(prompt: string, answer: string, endToken: string, given: readonly string[]): RenderedRow {
  // A text may bring its own end: a chat that was rendered before, say.
  const whole = prompt + answer + (answer.endsWith(endToken) ? '' : endToken);
  return {
    text: whole,
    answers: [{ start: prompt.length, end: whole.length }],
    prompt,
    answer,
    begins: true,
    given,
  };
}
