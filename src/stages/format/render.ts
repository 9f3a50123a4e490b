import type { Call } from '../../ir/types.js';
import type { ChatTemplate } from '../../models/types.js';
import { renderChat, renderConversation } from './chat.js';
import { optionalText, type Row, text } from './row.js';

/** A row as text, with the parts that are answers. */
export interface Rendered {
  readonly text: string;
  /** UTF-16 offsets into `text`, in order, end exclusive; the end token of an answer belongs to it. */
  readonly answers: readonly { readonly start: number; readonly end: number }[];
  /** The text before the last answer, and that answer without end token; both `''` where nothing is asked. */
  readonly prompt: string;
  readonly answer: string;
  /** Whether the token that the tokenizer puts before a text comes first; a chat template writes its own. */
  readonly begins: boolean;
  /** The texts that the row brought. */
  readonly given: readonly string[];
}

/** What a template may use besides the row. */
export interface RenderContext {
  readonly chat?: ChatTemplate;
  /** `''` where the model names no end token. */
  readonly endToken: string;
  /** Tokens after which a chat template's answer has ended. */
  readonly turnEnds: readonly string[];
  readonly lossOn: 'assistant' | 'all';
}

export type Render = (row: Row, context: RenderContext, args: Call['args']) => Rendered;

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

export function renderRow(template: Call, row: Row, context: RenderContext): Rendered {
  const render = renderers[template.call];
  if (render === undefined) throw new Error(`no renderer for the template ${template.call}`);
  return render(row, context, template.args);
}

/** The layout of the Alpaca data set: https://github.com/tatsu-lab/stanford_alpaca */
function renderAlpaca(row: Row, { endToken }: RenderContext): Rendered {
  const instruction = text(row, 'instruction');
  const input = optionalText(row, 'input');
  const output = text(row, 'output');
  const about = input === undefined ? '' : `### Input:\n${input}\n\n`;
  const prompt = `### Instruction:\n${instruction}\n\n${about}### Response:\n`;
  return answered(prompt, output, endToken, [instruction, input ?? '', output]);
}

function renderCompletion(row: Row, { endToken }: RenderContext): Rendered {
  if (row['text'] == null && row['prompt'] != null) {
    const [prompt, completion] = [text(row, 'prompt'), text(row, 'completion')];
    return answered(prompt, completion, endToken, [prompt, completion]);
  }
  const whole = text(row, 'text');
  return answered('', whole, endToken, [whole]);
}

function answered(prompt: string, answer: string, endToken: string, given: readonly string[]): Rendered {
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
