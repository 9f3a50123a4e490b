import type { TextEdit } from 'vscode-languageserver';
import { expectedIn } from '../cursor/expected.js';
import { cursorAt } from '../cursor/frames.js';
import { endOf, type IToken, isNumber, isOperand, isOperator, isSets, isString } from '../cursor/tokens.js';
import { toOffset, toRange } from '../positions.js';
import { type Feature, onView } from '../session.js';
import { conditionIn, JOINING, metricProposals, NEGATION } from './conditions.js';
import { inTest, testBlock } from './expectations.js';
import { keyProposals } from './keys.js';
import { importedProposals } from './library-proposals.js';
import { ruleProposals, stringProposals, unitProposals } from './literals.js';
import { type Proposals, propose, type Request, toItem } from './request.js';
import { declarations, inHead } from './top.js';
import { afterDot, valueProposals } from './value-proposals.js';

/** What may be typed next; works on the tokens before the cursor, so that a file need not parse. */
export const completion: Feature = {
  capabilities: { completionProvider: { triggerCharacters: ['.', '"', '/', '=', ':', '(', '[', '{', ','] } },
  register: (session) =>
    session.connection.onCompletion(
      onView(session, null, (view, params) => {
        const cursor = cursorAt(view.source, toOffset(view.source, params.position));
        const frame = cursor.frames.at(-1);
        if (frame === undefined) return null;
        const snippets = session.client().textDocument?.completion?.completionItem?.snippetSupport === true;
        const request: Request = { session, view, cursor, frame, snippets };
        const seen = new Set<string>();
        return complete(request)
          .filter(({ label }) => !seen.has(label) && seen.add(label) !== undefined)
          .map((proposal) => toItem(proposal, request));
      }),
    ),
};

function complete(request: Request): Proposals {
  const { cursor, frame } = request;
  const { partial, inComment } = cursor;
  if (inComment !== undefined) return ruleProposals(inComment, request);
  if (partial !== undefined && isString(partial)) return stringProposals(partial, request);
  const test = testBlock(request);
  if (test !== undefined && (partial === undefined || !isNumber(partial))) return inTest(test, request);
  const last = frame.statement.at(-1);
  if (last?.image === '.') return afterDot(frame.statement.at(-2)?.image ?? '', request);
  const completed = partial !== undefined && isNumber(partial);
  if (completed)
    return frame.kind === 'top' && !isValuePlace(frame.statement)
      ? []
      : unitProposals(partial.image, request);
  switch (frame.kind) {
    case 'top':
      return frame.statement.length === 0 ? declarations(request) : inHead(request);
    case 'imports':
      return importedProposals(request);
    case 'block':
      return inBlock(request);
    case 'record':
      return frame.statement.length === 0
        ? keyProposals(request)
        : [...afterSign(request), ...keysOnNewLine(request)];
    case 'call':
      return frame.statement.length === 0
        ? [...keyProposals(request), ...withoutName(request)]
        : afterSign(request);
    default:
      return isValuePlace(frame.statement) || frame.statement.length === 0 ? anyValue(request) : [];
  }
}

/** Values of the argument that may be here without its name. */
const withoutName = (request: Request): Proposals =>
  isSets(request.cursor.next) || expectedIn(request.cursor.frames) === undefined
    ? []
    : valueProposals(request);

/** A line further on the next key begins; the comma between them is added. */
function keysOnNewLine(request: Request): Proposals {
  const { frame, view, cursor } = request;
  const last = frame.statement.at(-1);
  if (last === undefined || !isOperand(last)) return [];
  const end = endOf(last);
  const start = cursor.partial?.startOffset ?? cursor.offset;
  if (!view.source.text.slice(end, start).includes('\n')) return [];
  const comma: TextEdit = { range: toRange(view.source, { start: end, end }), newText: ',' };
  return keyProposals(request).map((proposal) => ({ ...proposal, also: [comma] }));
}

function inBlock(request: Request): Proposals {
  const { statement } = request.frame;
  const [first, second] = statement;
  if (first === undefined)
    return [
      ...keyProposals(request),
      propose('Keyword', 'require', { insert: 'require $1', detail: 'a condition', sort: 'c' }),
    ];
  if (first.image === 'require')
    return isOperand(statement.at(-1)) && statement.length > 1
      ? JOINING
      : [...anyValue(request), ...NEGATION];
  return isSets(second) ? afterSign(request) : [];
}

/** After `key =`, unless a value is there already. */
const afterSign = (request: Request): Proposals =>
  isValuePlace(request.frame.statement) ? anyValue(request) : [];

/** Does a value come next? */
function isValuePlace(statement: readonly IToken[]): boolean {
  const last = statement.at(-1);
  return (
    last === undefined || isSets(last) || isOperator(last) || last.image === '?' || last.image === 'require'
  );
}

function anyValue(request: Request): Proposals {
  const condition = conditionIn(request);
  return [
    ...(condition === undefined ? [] : metricProposals(condition, request)),
    ...valueProposals(request),
  ];
}
