import { type ChatTemplate, ModelError, type Tokenizer } from './types.js';

/** A text that no template writes by itself. */
const MARK = 'q7Zx';

/**
 * The special token that a template puts after an assistant's answer: where the answer ends, whatever the config calls
 * the end of a text. `undefined` if the template writes none.
 */
export function turnEnd(
  template: ChatTemplate,
  tokenizer: Tokenizer,
): { readonly token: string; readonly id: number } | undefined {
  const turn = rendered(template);
  const at = turn.lastIndexOf(MARK);
  const [id] = at < 0 ? [] : tokenizer.encode(turn.slice(at + MARK.length).trimStart());
  const token = id === undefined ? undefined : tokenizer.tokenOf(id);
  return id !== undefined && token !== undefined && isSpecial(tokenizer, id) ? { id, token } : undefined;
}

/** A template that refuses so plain a chat says nothing of where its answers end. */
function rendered(template: ChatTemplate): string {
  try {
    return template.render([
      { role: 'user', content: 'q' },
      { role: 'assistant', content: MARK },
    ]);
  } catch (error) {
    if (error instanceof ModelError) return '';
    throw error;
  }
}

/** Whether a token is one that texts are shown without. */
export const isSpecial = (tokenizer: Tokenizer, id: number): boolean =>
  tokenizer.specialIds?.has(id) !== false &&
  tokenizer.decode([id], { skipSpecial: true }) === '' &&
  tokenizer.decode([id]) !== '';
