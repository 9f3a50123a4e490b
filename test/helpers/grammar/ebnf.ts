import type { Form } from './form.js';
import { lexicalRules, type Production, rules } from './model.js';

const HEAD = `/*
 * The grammar of .ftp files, in the EBNF of the W3C (https://www.w3.org/TR/xml/#sec-notation), written from the parser
 * by \`npm run grammar\`.
 *
 * Spaces and comments are allowed between the tokens of the first part. A line end is a token (Newline) only outside of
 * ( ), [ ] and { } of expressions: inside them lines break freely. Two statements of a body need a line end or a comma
 * between them. The parser takes more than this, such as \`:\` for \`=\`, and says what is meant.
 *
 * Operators bind, from loose to tight: or · and · not · == != < <= > >= · + - · * / · a sign.
 */
`;

/** The grammar as text: `name ::= …`, wide rules over several lines. */
export function ebnf(): string {
  const parts = [
    HEAD,
    ...rules().map(production),
    '\n/* Tokens: nothing is allowed between their parts. */\n',
    ...lexicalRules().map(production),
  ];
  return `${parts.join('\n')}\n`;
}

const WIDTH = 110;

export function production({ name, form, doc }: Production): string {
  const head = `${name.padEnd(14)} ::= `;
  const line = `${head}${print(form, true)}`;
  const comment = doc === undefined ? '' : `/* ${doc} */\n`;
  if (line.length <= WIDTH || form.kind !== 'choice') return `${comment}${line}`;
  const indent = ' '.repeat(head.length - 2);
  return `${comment}${head}${alternatives(form.items, WIDTH - head.length).join(`\n${indent}| `)}`;
}

/** Alternatives in lines that are not too long. */
function alternatives(items: readonly Form[], width: number): readonly string[] {
  const lines: string[] = [];
  for (const item of items.map((form) => print(form, true))) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + item.length + 3 <= width)
      lines[lines.length - 1] = `${last} | ${item}`;
    else lines.push(item);
  }
  return lines;
}

/** `bare`: brackets around it are not needed. */
function print(form: Form, bare = false): string {
  switch (form.kind) {
    case 'text':
      return form.text.includes('"') ? `'${form.text}'` : `"${form.text}"`;
    case 'characters':
      return form.text;
    case 'name':
      return form.name;
    case 'sequence':
      return bracketed(form.items.map((item) => print(item)).join(' '), bare);
    case 'choice':
      return bracketed(form.items.map((item) => print(item)).join(' | '), bare);
    case 'optional':
      return `${print(form.item)}?`;
    case 'repeated':
      return `${print(form.item)}${form.atLeastOnce ? '+' : '*'}`;
    case 'list': {
      const [item, separator] = [print(form.item), print(form.separator)];
      return bracketed(`${item} ( ${separator} ${item} )* ${separator}?`, bare);
    }
  }
}

const bracketed = (text: string, bare: boolean): string => (bare ? text : `( ${text} )`);
