/** Texts with the names of columns in braces: `Question: {question}`; `{{` and `}}` are braces. */

type PatternPart = { readonly text: string } | { readonly column: string };

/** What is wrong with a pattern, as a clause. */
export class PatternFault {
  constructor(readonly detail: string) {}
}

const TOKEN = /\{\{|\}\}|\{([^{}]*)\}|[{}]|[^{}]+/g;

export function parsePattern(pattern: string): readonly PatternPart[] | PatternFault {
  const parts: PatternPart[] = [];
  for (const [token, name] of pattern.matchAll(TOKEN)) {
    if (name !== undefined) {
      const column = name.trim();
      if (column === '') return new PatternFault('names no column in `{}`');
      parts.push({ column });
    } else if (token === '{' || token === '}')
      return new PatternFault(
        token === '{' ? 'has a `{` that is never closed' : 'has a `}` that closes nothing',
      );
    else parts.push({ text: token === '{{' || token === '}}' ? token.slice(1) : token });
  }
  return parts;
}

/** The columns that a pattern names. */
export function columnsIn(pattern: string): readonly string[] {
  const parts = parsePattern(pattern);
  return parts instanceof PatternFault
    ? []
    : [...new Set(parts.flatMap((part) => ('column' in part ? [part.column] : [])))];
}
