import { tokenMatcher } from '../../../../grammar/chevrotain.js';
import { lexer, Name } from '../../../../grammar/tokens.js';

/** May a stage, a parameter or a preset be called so? */
export function isName(text: string): boolean {
  const { tokens, errors } = lexer.tokenize(text);
  const [token] = tokens;
  return (
    errors.length === 0 &&
    tokens.length === 1 &&
    token !== undefined &&
    token.image === text &&
    tokenMatcher(token, Name)
  );
}
