/** Files that a pipeline names: they must be there when it is compiled. */

import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import { adapterFolderMissing } from '../diagnostics/catalogue/adapters.js';
import { ggufMissing, patternTooWide } from '../diagnostics/catalogue/files.js';
import * as errors from '../diagnostics/catalogue/values.js';
import { replace } from '../diagnostics/make.js';
import { HostError } from '../host/host.js';
import type { FileLibrary } from '../schemas/schema.js';
import { quoted } from '../source/quoted.js';
import type { Span } from '../source/span.js';
import type { Expression } from '../syntax/ast.js';
import { checkForm } from './coerce.js';
import { constant } from './constants.js';
import type { Context, Evaluate } from './context.js';
import { nearPath, nearPattern } from './near-paths.js';
import { expressionNoun, typeNoun, wrongType } from './nouns.js';
import { isValue } from './scope.js';
import { strayedSecret } from './secrets.js';

/** A prompt or a schema; nothing that belongs into a setting is larger. */
const MOST_BYTES = 4_000_000;

/** `file("prompts/legal.md")`, with its text and digest. */
export const evaluateFile: Evaluate<'file'> = (expression, type, context) => {
  if (type.library !== undefined && expression.kind === 'reference')
    return libraryFile(expression, type.library, context);
  if (expression.kind === 'string')
    return context.report(
      type.library?.names.includes(expression.value) === true
        ? errors.quotedChoice(expression.span, expression.value)
        : errors.typeMismatch(expression.span, typeNoun(type), 'a string', {
            help: 'name a file with `file("…")`',
            fixes: [
              replace(
                'write `file(…)`',
                expression.span,
                `file(${quoted(expression.value)})`,
                'maybe_incorrect',
              ),
            ],
          }),
    );
  if (expression.kind !== 'call' || expression.callee.text !== 'file')
    return wrongType(expression, type, context);
  const [argument, more] = expression.args;
  if (argument === undefined)
    return context.report(errors.missingArgument(expression.callee.span, 'file', 'path', 'The file.'));
  if (more !== undefined) return context.report(errors.tooManyArguments(more.value.span, 'file', ['path']));
  const { value } = argument;
  if (value.kind === 'missing') return undefined;
  const strayed = strayedSecret(value, type, context);
  if (strayed !== undefined) return context.report(strayed);
  if (value.kind !== 'string')
    return context.report(errors.typeMismatch(value.span, 'a string', expressionNoun(value)));
  if (checkForm(value.value, 'filled', value.span, context) === undefined) return undefined;
  return readFile(value.value, value.span, context);
};

/** A file that comes with ftpc, by its name or by a parameter that holds it. */
function libraryFile(
  expression: Extract<Expression, { kind: 'reference' }>,
  { folder, ending, names }: FileLibrary,
  context: Context,
) {
  const written = expression.path.map(({ text }) => text).join('.');
  const isName = names.includes(written);
  const found = isName
    ? written
    : isValue(context.scope.lookup(written))
      ? constant(expression, context)?.value
      : written;
  if (found === undefined) return undefined;
  if (typeof found !== 'string' || !names.includes(found))
    return context.report(errors.unknownChoice(expression.span, String(found), names));
  const file = `${folder}/${found}.${ending}`;
  const path = join(context.access.host.packageFolder, 'stdlib', file);
  return readFile(`std/${file}`, expression.span, context, path);
}

function readFile(file: string, span: Span, context: Context, at?: string) {
  const { host, folder } = context.access;
  const path = at ?? resolve(folder, file);
  const near = () => (at === undefined ? nearPath(file, folder, host) : undefined);
  const fail = (why: string, meant?: string) => context.report(errors.fileMissing(span, file, why, meant));
  const stat = host.stat(path);
  if (stat === undefined) return fail('no such file', near());
  if (stat.isFolder) return fail('this is a folder');
  if (stat.size > MOST_BYTES) return fail(`larger than ${MOST_BYTES / 1e6} MB`);
  try {
    const bytes = host.readBytes(path);
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return { file, sha256: createHash('sha256').update(bytes).digest('hex'), text };
  } catch (error) {
    if (error instanceof HostError) return fail(REASONS[error.code] ?? 'cannot be read');
    if (error instanceof TypeError) return fail('not UTF-8 text');
    throw error;
  }
}

const REASONS: Readonly<Record<string, string>> = {
  not_found: 'no such file',
  is_folder: 'this is a folder',
  no_file: 'this is a pipe or a device',
  no_access: 'no permission to read it',
  open_files: 'more files are open than `ulimit -n` allows',
};

/** The path as written, where something is there. */
export function checkPath(
  path: string,
  names: 'files' | 'gguf' | 'model' | 'adapter',
  span: Span,
  context: Context,
): string | undefined {
  const { host, folder } = context.access;
  const stat = host.stat(resolve(folder, path));
  if (names === 'files') {
    if (stat !== undefined && !stat.isFolder) return path;
    const found = stat === undefined && /[*?[{]/.test(path) ? matching(path, context) : 0;
    if (typeof found === 'string') return context.report(patternTooWide(span, path, found));
    if (found > 0) return path;
    const params = context.scope.declared('param', 'matrix');
    if (stat !== undefined) {
      const within = `${path.replace(/\/+$/, '')}/*`;
      const meant = nearPattern(`${within}.jsonl`, folder, host) ?? within;
      return context.report(errors.noFilesMatch(span, path, 'this is a folder', meant, params));
    }
    const meant = nearPath(path, folder, host) ?? nearPattern(path, folder, host);
    return context.report(errors.noFilesMatch(span, path, 'matches nothing', meant, params));
  }
  const near = () => (stat === undefined ? nearPath(path, folder, host) : undefined);
  if (names === 'gguf') {
    if (stat?.isFolder === false) return path;
    const why = stat === undefined ? 'no such file' : 'this is a folder';
    return context.report(ggufMissing(span, path, why, near()));
  }
  const { marker, missing } = FOLDERS[names];
  if (stat === undefined) return context.report(missing(span, path, 'no such folder', near()));
  if (!stat.isFolder) return context.report(missing(span, path, 'this is a file'));
  if (host.stat(resolve(folder, path, marker)) === undefined)
    return context.report(missing(span, path, `holds no \`${marker}\``));
  return path;
}

/** How many files match, or why nobody looks. */
function matching(pattern: string, { access: { host, folder } }: Context): number | string {
  try {
    return host.glob(pattern, folder).length;
  } catch (error) {
    if (error instanceof HostError) return error.detail;
    throw error;
  }
}

/** The file without which a folder is no such thing. */
const FOLDERS = {
  model: { marker: 'config.json', missing: errors.modelFolderMissing },
  adapter: { marker: 'adapter_config.json', missing: adapterFolderMissing },
} as const;
