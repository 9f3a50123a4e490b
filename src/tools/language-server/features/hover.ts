/** What the word under the cursor is: type, unit, default, range, and its value in this pipeline. */
import type { Hover } from 'vscode-languageserver';
import { MarkupKind } from 'vscode-languageserver/node.js';
import { cursorAt } from '../cursor/frames.js';
import { isString } from '../cursor/tokens.js';
import { describeTarget, paragraphs } from '../describe.js';
import { pageText } from '../package-files.js';
import { toOffset, toRange } from '../positions.js';
import { type Feature, onSpot, type Session, type Spot } from '../session.js';
import { describeWord } from '../word-text.js';
import { findingsByFile, rangeOf } from './diagnostics.js';

export const hover: Feature = {
  capabilities: { hoverProvider: true },
  register: (session) => session.connection.onHover(onSpot(session, null, (spot) => hoverAt(spot, session))),
};

function hoverAt(spot: Spot, session: Session): Hover | null {
  const { view, offset, occurrence } = spot;
  const named = codeNamed(spot);
  if (named !== undefined) {
    const page = pageText(session.projects, named);
    return page === undefined ? null : { contents: { kind: MarkupKind.Markdown, value: page } };
  }
  const word = occurrence === undefined ? describeWord(view.source, offset) : undefined;
  const text = occurrence === undefined ? word?.text : describeTarget(occurrence.target, spot, session);
  const value = paragraphs(text, pagesText(codesAt(view.module.path, offset, session), session));
  if (value === '') return null;
  const span = occurrence?.span ?? word;
  return {
    contents: { kind: MarkupKind.Markdown, value },
    ...(span === undefined ? {} : { range: toRange(view.source, span) }),
  };
}

/** A code that a comment or a text names. */
function codeNamed({ view: { source }, offset }: Spot): string | undefined {
  const { inComment, partial } = cursorAt(source, offset);
  if (inComment === undefined && (partial === undefined || !isString(partial))) return undefined;
  const start = source.text.slice(0, offset).search(/[A-Z0-9]*$/);
  return /^FTP\d{4}/.exec(source.text.slice(start))?.[0];
}

/** Codes of the mistakes that are marked here. */
function codesAt(path: string, offset: number, session: Session): readonly string[] {
  const source = session.projects.view(path)?.source;
  if (source === undefined) return [];
  const here = (findingsByFile(session).get(path) ?? []).filter((found) => {
    const { start, end } = rangeOf(found);
    return (
      toOffset(source, start) <= offset &&
      offset <= toOffset(source, end) &&
      found.diagnostic.at !== undefined
    );
  });
  return [...new Set(here.map(({ diagnostic }) => diagnostic.code))];
}

const pagesText = (codes: readonly string[], { projects }: Session): string =>
  codes.flatMap((code) => pageText(projects, code) ?? []).join('\n\n---\n\n');
