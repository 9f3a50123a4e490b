/** Source files of the user, rewritten whole or not at all, and never over an edit that was made in between. */
import { accessSync, chmodSync, constants, readFileSync, realpathSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { notText } from '../../../language/diagnostics/catalogue/files.js';
import { error, wholeFile } from '../../../language/diagnostics/make.js';
import { type Diagnostic, UserError } from '../../../language/diagnostics/types.js';
import { discard } from '../../../language/host/own-files.js';
import { markOf } from '../../../language/host/process-identity.js';
import { syncFolder, writeWhole } from '../../../pipeline/store/index.js';

interface Rewrite {
  /** As diagnostics name it. */
  readonly file: string;
  readonly path: string;
  /** What was read, and what is to be there. */
  readonly before: string;
  readonly after: string;
}

interface Replacement {
  readonly rewrite: Rewrite;
  /** Target of symbolic links, which stay. */
  readonly target: string;
  readonly temporary: string;
}

/** Every file, or none of them; what is in the way. Throws a `UserError` if the disk fails. */
export function rewriteAll(files: readonly Rewrite[]): Diagnostic | undefined {
  const prepared: Replacement[] = [];
  let at = '';
  try {
    for (const rewrite of files) {
      at = rewrite.file;
      const target = realpathSync(rewrite.path);
      const problem = obstacle(rewrite, target);
      if (problem !== undefined) return problem;
      const temporary = `${target}.${markOf()}.tmp`;
      prepared.push({ rewrite, target, temporary });
      writeWhole(temporary, rewrite.after, { sync: true, named: rewrite.file });
      chmodSync(temporary, statSync(target).mode);
    }
    for (const { rewrite, target } of prepared) {
      const problem = obstacle(rewrite, target);
      if (problem !== undefined) return problem;
    }
    for (const { rewrite, target, temporary } of prepared) {
      at = rewrite.file;
      renameSync(temporary, target);
    }
    for (const { target } of prepared) syncFolder(dirname(target));
    return undefined;
  } catch (error) {
    if (error instanceof UserError) throw error;
    const { code = '', message } = error as NodeJS.ErrnoException;
    return notWritable(at, code === '' ? message : `${code}: ${message}`);
  } finally {
    for (const { temporary } of prepared) discard(temporary);
  }
}

/** A rename does not ask whether the file may be written, and sees no edit that another program made. */
function obstacle({ file, before }: Rewrite, target: string): Diagnostic | undefined {
  if (!isWritable(target)) return notWritable(file, 'it is read-only');
  const bytes = readFileSync(target);
  if (bytes.equals(Buffer.from(before))) return undefined;
  // Bytes that are no text were read as replacement signs, and must not be written back as such.
  return bytes.toString('utf8') === before ? notRewritten(file) : changedMeanwhile(file);
}

function isWritable(path: string): boolean {
  // The superuser may write everything; a file that is marked read-only is meant so all the same.
  if ((statSync(path).mode & ANYONE_WRITES) === 0) return false;
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

const ANYONE_WRITES = 0o222;

const notWritable = (file: string, why: string): Diagnostic =>
  error('FTP1060', wholeFile(file), `\`${file}\` cannot be written: ${why}`, {
    help: 'nothing was changed; `--diff` shows what would change',
  });

const changedMeanwhile = (file: string): Diagnostic =>
  error('FTP1061', wholeFile(file), `\`${file}\` was changed while it was checked`, {
    help: 'nothing was changed; run the command again',
  });

export const notRewritten = (file: string): Diagnostic =>
  notText(wholeFile(file), file, { help: 'nothing was changed; save the file as UTF-8 first' });
