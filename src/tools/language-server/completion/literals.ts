/** In strings, comments and numbers: modules of imports, files and folders, rules of the linter, units. */
import { dirname, resolve } from 'node:path';
import { UNITS, type UnitSuffix } from '../../../../grammar/units.js';
import { suffixesOf, unitNoun } from '../../../language/check/units.js';
import { HostError } from '../../../language/host/host.js';
import type { Unit } from '../../../language/ir/program.js';
import { rules } from '../../../language/lint/rules.js';
import { alternative, alternatives } from '../../../language/schemas/setting-paths.js';
import { lookUp } from '../../../language/source/look-up.js';
import { expectedIn } from '../cursor/expected.js';
import type { Frame } from '../cursor/frames.js';
import { contentEnd, type IToken } from '../cursor/tokens.js';
import { ownMetrics } from '../names/block-schemas.js';
import type { PathNames } from '../names/targets.js';
import { libraryModules } from '../package-files.js';
import { conditionIn, metricsAfter } from './conditions.js';
import { testBlock, unitsInTest } from './expectations.js';
import { type Proposal, type Proposals, propose, type Request } from './request.js';

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
  libraryModules(request.session).map(({ name, tree }) =>
    propose('Module', name, { detail: tree.doc?.split('\n')[0], sort: 'a' }),
  );

function modules(typed: string, replace: Extent, request: Request): Proposals {
  const library = libraryNames(request).map((one) => ({ ...one, replace }));
  if (/^\.\.?\//.test(typed)) return paths(typed, replace, 'module', request);
  const relative = ['./', '..'].map(
    (label): Proposal => propose('Folder', label, { detail: 'a file next to this one', replace, sort: 'b' }),
  );
  return [...library, ...relative];
}

type Names = PathNames | 'module';

/** Files that a string may name; of a model and an adapter it names the folder. */
const ENDINGS: Readonly<Record<Names, RegExp>> = {
  module: /\.ftp$/,
  files: /\.(jsonl?|csv|tsv|parquet|txt|md)(\.(gz|zst))?$/,
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
      if (isFolder) return [propose('Folder', `${name}/`, { replace, sort: 'b' })];
      const isSelf = resolve(folder, name) === view.module.path;
      return ending.test(name) && !isSelf ? [propose('File', name, { replace, sort: 'a' })] : [];
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
  return rules.map(({ id, doc, reason }) => propose('EnumMember', id, { detail: doc, doc: reason, replace }));
}

export function unitProposals(number: string, request: Request): Proposals {
  const digits = /^[\d.]+(?:[eE][+-]?\d+)?/.exec(number)?.[0] ?? number;
  return suffixesOf(unitsAt(request)).map((suffix) =>
    propose('Unit', `${digits}${suffix}`, {
      detail: unitNoun(UNITS[suffix as UnitSuffix].measure),
      sort: 'a',
    }),
  );
}

const ANY: readonly Unit[] = ['bytes', 'seconds', 'tokens', 'steps', 'ratio'];

/** Units that the place takes: of the setting, or of the metric that the number is compared with. */
function unitsAt(request: Request): readonly Unit[] {
  const test = testBlock(request);
  if (test !== undefined) return unitsInTest(test, request) ?? ANY;
  const type = expectedIn(request.cursor.frames);
  if (type !== undefined)
    return alternatives(type).flatMap((one) =>
      one.kind === 'quantity' ? one.units : one.kind === 'number' ? (['ratio'] as const) : [],
    );
  const condition = conditionIn(request);
  if (condition === undefined) return ANY;
  const { statement } = request.cursor.frames.find(({ kind }) => kind === 'block') ?? request.frame;
  const units = statement.flatMap(({ image }, at): readonly Unit[] => {
    const before = statement[at - 1]?.image === '.' ? statement[at - 2] : undefined;
    const metrics =
      before === undefined ? ownMetrics(condition) : metricsAfter(before.image, condition, request);
    const unit = lookUp(metrics, image)?.unit;
    return unit === undefined || unit === 'number' || unit === 'boolean' ? [] : [unit];
  });
  return [...new Set(units)];
}
