import type { Call } from '../../../language/ir/program.js';
import { renderChat, renderConversation } from './chat.js';
import type { RenderContext, RenderedRow } from './rendered-row.js';
import { optionalText, type Row, text } from './row-columns.js';

type Render = (row: Row, context: RenderContext, args: Call['args']) => RenderedRow;

/** Every function of the `template` family that makes text of rows. Throws a `RowProblem`. */
const renderers: Readonly<Record<string, Render>> = {
  chat: renderChat,
  sharegpt: renderConversation,
  alpaca: renderAlpaca,
  completion: renderCompletion,
};

/** The function whose rows are tokens already. */
export const TOKENS = 'tokens';

const CHATS: ReadonlySet<Render | undefined> = new Set([renderChat, renderConversation]);

export const needsChatTemplate = ({ call }: Call): boolean => CHATS.has(renderers[call]);

export function renderRow(template: Call, row: Row, context: RenderContext): RenderedRow {
  const render = renderers[template.call];
  if (render === undefined) throw new Error(`no renderer for the template ${template.call}`);
  return render(row, context, template.args);
}

/** The layout of the Alpaca data set: https://github.com/tatsu-lab/stanford_alpaca */
function renderAlpaca(row: Row, { endToken }: RenderContext): RenderedRow {
  const instruction = text(row, 'instruction');
  const input = optionalText(row, 'input');
  const output = text(row, 'output');
  const about = input === undefined ? '' : `### Input:\n${input}\n\n`;
  const prompt = `### Instruction:\n${instruction}\n\n${about}### Response:\n`;
  return answered(prompt, output, endToken, [instruction, input ?? '', output]);
}

function renderCompletion(row: Row, { endToken }: RenderContext): RenderedRow {
  if (row['text'] == null && row['prompt'] != null) {
    const [prompt, completion] = [text(row, 'prompt'), text(row, 'completion')];
    return answered(prompt, completion, endToken, [prompt, completion]);
  }
  const whole = text(row, 'text');
  return answered('', whole, endToken, [whole]);
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
