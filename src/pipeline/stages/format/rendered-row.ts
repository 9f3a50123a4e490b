import type { ChatTemplate } from '../../../compute/models/types.js';

/** A row as text, with the parts that are answers. */
export interface RenderedRow {
  readonly text: string;
  /** UTF-16 offsets into `text`, in order, end exclusive; the end token of an answer belongs to it. */
  readonly answers: readonly { readonly start: number; readonly end: number }[];
  /** The text before the last answer, and that answer without end token; both `''` if nothing is asked. */
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
  /** `''` if the model names no end token. */
  readonly endToken: string;
  /** Tokens after which a chat template's answer has ended. */
  readonly turnEnds: readonly string[];
  readonly lossOn: 'assistant' | 'all';
}
