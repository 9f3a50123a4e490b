import { hostError } from '../../../language/diagnostics/catalogue/files.js';
import type { Diagnostic } from '../../../language/diagnostics/types.js';
import { formatText } from '../../../language/formatter/index.js';
import { type Host, HostError } from '../../../language/host/host.js';
import { type SourceText, sourceText } from '../../../language/source/text.js';
import { notText, rewriteAll } from '../fix/rewrite.js';
import type { NamedFile } from '../named-files.js';

/** What became of one file. */
export interface FormatOutcome {
  readonly file: string;
  readonly status: 'changed' | 'unchanged' | 'failed';
  readonly before?: SourceText;
  readonly after?: string;
  readonly diagnostics: readonly Diagnostic[];
}

/** Formats bytes that came from `file`. */
export function formatBytes(bytes: Uint8Array, file: string): FormatOutcome {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return { file, status: 'failed', diagnostics: [notText(file)] };
  }
  const before = sourceText(file, text);
  const { text: after, diagnostics = [] } = formatText(text, file);
  const status = after === undefined ? 'failed' : after === text ? 'unchanged' : 'changed';
  return { file, status, before, after, diagnostics };
}

/** Formats a file and, with `write`, puts the result in its place. */
export function formatFile(host: Host, { name, path }: NamedFile, write: boolean): FormatOutcome {
  try {
    const outcome = formatBytes(host.readBytes(path), name);
    const { before, after } = outcome;
    if (!write || outcome.status !== 'changed' || before === undefined || after === undefined) return outcome;
    const obstacle = rewriteAll([{ file: name, path, before: before.text, after }]);
    return obstacle === undefined ? outcome : { ...outcome, status: 'failed', diagnostics: [obstacle] };
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    return { file: name, status: 'failed', diagnostics: [hostError({ ...error, path: name })] };
  }
}
