/** Inside of strings and comments: modules of imports, files and folders, rules of the linter. */
import { dirname, resolve } from 'node:path';
import { CompletionItemKind } from 'vscode-languageserver/node.js';
import { HostError } from '../../../language/host/host.js';
import { rules } from '../../../language/lint/rules.js';
import { alternative } from '../../../language/schemas/setting-paths.js';
import { expectedIn } from '../cursor/expected.js';
import type { Frame } from '../cursor/frames.js';
import { contentEnd, type IToken } from '../cursor/tokens.js';
import { libraryModules } from '../library.js';
import type { PathNames } from '../names/targets.js';
import { testBlock } from './expectations.js';
import type { Proposal, Proposals, Request } from './request.js';

export function stringProposals(token: IToken, request: Request): Proposals {
  const start = token.startOffset + 1;
  const end = Math.max(request.cursor.offset, contentEnd(token));
  const typed = request.view.source.text.slice(start, request.cursor.offset);
  const { frame } = request;
  if (frame.kind === 'top' && frame.statement[0]?.tokenType.name === 'Import')
    return modules(typed, { start, end }, request);
  const names =
    namesAt(frame, request) ??
    (testBlock(request)?.statement[0]?.image === 'pipeline' ? 'module' : undefined);
  return names === undefined ? [] : paths(typed, { start, end }, names, request);
}

interface Extent {
  readonly start: number;
  readonly end: number;
}

/** What a string here names; `undefined` if it is only a text. */
function namesAt(frame: Frame, { cursor }: Request): Names | undefined {
  if (frame.kind === 'call' && frame.callee.image === 'file') return 'file';
  return alternative(expectedIn(cursor.frames), 'string')?.names;
}

/** Modules that ftpc brings. */
export const libraryNames = (request: Request): Proposals =>
  libraryModules(request.session).map(({ name, tree }) => ({
    label: name,
    kind: CompletionItemKind.Module,
    detail: tree.doc?.split('\n')[0],
    sort: 'a',
  }));

function modules(typed: string, replace: Extent, request: Request): Proposals {
  const library = libraryNames(request).map((one) => ({ ...one, replace }));
  if (/^\.\.?\//.test(typed)) return paths(typed, replace, 'module', request);
  const relative = ['./', '../'].map(
    (label): Proposal => ({
      label,
      kind: CompletionItemKind.Folder,
      detail: 'a file next to this one',
      replace,
      sort: 'b',
    }),
  );
  return [...library, ...relative];
}

type Names = PathNames | 'module';

/** Files that a string may name; of a model and an adapter it names the folder. */
const ENDINGS: Readonly<Record<Names, RegExp>> = {
  module: /\.ftp$/,
  files: /\.(jsonl?|csv|tsv|parquet|txt|md)(\.gz)?$/,
  gguf: /\.gguf$/,
  model: /$^/,
  adapter: /$^/,
  file: /./,
};

/** Names in the folder that the string has so far. */
function paths(typed: string, content: Extent, names: Names, { view, session }: Request): Proposals {
  const ending = ENDINGS[names];
  const slash = typed.lastIndexOf('/') + 1;
  const base = names === 'module' ? dirname(view.module.path) : view.analysis.context.access.folder;
  const folder = resolve(base, typed.slice(0, slash));
  const replace = { start: content.start + slash, end: content.end };
  const host = session.projects.hostAt(view.compiled.root);
  try {
    return host.list(folder).flatMap((name): Proposals => {
      if (name.startsWith('.')) return [];
      const isFolder = host.stat(resolve(folder, name))?.isFolder === true;
      if (isFolder) return [{ label: `${name}/`, kind: CompletionItemKind.Folder, replace, sort: 'b' }];
      const isSelf = resolve(folder, name) === view.module.path;
      return ending.test(name) && !isSelf
        ? [{ label: name, kind: CompletionItemKind.File, replace, sort: 'a' }]
        : [];
    });
  } catch (error) {
    if (error instanceof HostError) return [];
    throw error;
  }
}

/** Rules of the linter in `// allow(…)`. */
export function ruleProposals({ image, startOffset }: IToken, { cursor }: Request): Proposals {
  const before = image.slice(0, cursor.offset - startOffset);
  const typed = /^\/\/\s*allow\s*\((?:[^()]*,)?\s*([\w-]*)$/.exec(before)?.[1];
  if (typed === undefined) return [];
  const rest = /^[\w-]*/.exec(image.slice(before.length))?.[0] ?? '';
  const replace = { start: cursor.offset - typed.length, end: cursor.offset + rest.length };
  return rules.map(({ id, doc, reason }) => ({
    label: id,
    kind: CompletionItemKind.EnumMember,
    detail: doc,
    doc: reason,
    replace,
  }));
}
