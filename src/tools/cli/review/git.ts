/** Git, as a comparison needs it: a process for what changed, and one for each object that is read; no network. */
import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { execaSync } from 'execa';
import {
  gitFailed,
  gitMissing,
  noRepository,
  objectMissing,
  shallowClone,
  unknownRef,
} from '../../../language/diagnostics/catalogue/review.js';
import { nearest } from '../../../language/diagnostics/did-you-mean.js';
import { UserError } from '../../../language/diagnostics/types.js';
import { childEnvironment, type Needs, startingWith } from '../../../language/host/child-environment.js';
import type { EarlierEntry, Repository } from '../../review/repository.js';

/** Opens the repository that `file` is in, at `ref`. Throws a `UserError`. */
export function openRepository(file: string, ref: string, shown: string): Repository {
  const folder = realPath(dirname(file));
  const top = git(folder, ['rev-parse', '--show-toplevel', '--git-common-dir']);
  if (top.code !== 0) throw new UserError(noRepository(shown, said(top)));
  const [root = '', common = ''] = top.text.split('\n');
  const commit = commitOf(root, ref);
  const inside = (...args: readonly string[]): GitAnswer => git(root, args);
  return {
    root,
    changed: changesSince(root, commit),
    read(id) {
      const answer = inside('cat-file', 'blob', id);
      if (answer.code !== 0)
        throw new UserError(objectMissing(`the content of object \`${id}\``, said(answer)));
      return answer.bytes;
    },
    realPath,
    tracked: (paths) => trackedIn(root, commit, paths),
    renamedFrom(path) {
      const answer = inside('diff', '--name-status', '-z', '-M', '--diff-filter=R', commit, '--');
      const fields = answer.text.split('\0');
      const at = fields.findIndex((field, index) => field === path && /^R\d*$/.test(fields[index - 2] ?? ''));
      return at < 0 ? undefined : fields[at - 1];
    },
    largeObject(sha256) {
      const path = join(
        resolve(folder, common),
        'lfs/objects',
        sha256.slice(0, 2),
        sha256.slice(2, 4),
        sha256,
      );
      return existsSync(path) ? path : undefined;
    },
  };
}

/** What is checked out in the repository of `files`, and whether one of them differs from it; `undefined` without one. */
export function checkedOut(
  files: readonly [string, ...string[]],
): { readonly id: string; readonly changed: boolean } | undefined {
  try {
    const answer = git(realPath(dirname(files[0])), ['rev-parse', '--show-toplevel', 'HEAD']);
    if (answer.code !== 0) return undefined;
    const [root = '', id = ''] = answer.text.split('\n');
    const inside = files.map(realPath).filter((path) => !relative(root, path).startsWith('..'));
    return { id, changed: git(root, ['status', '--porcelain', '--', ...inside]).text !== '' };
  } catch {
    return undefined;
  }
}

/** Paths that one command line is given. */
const MOST_ARGUMENTS = 500;

function trackedIn(root: string, commit: string, paths: readonly string[]): ReadonlySet<string> {
  const known = chunks(paths, MOST_ARGUMENTS).flatMap((some) => {
    const answer = git(root, ['ls-tree', '-z', '--name-only', '--full-tree', commit, '--', ...some]);
    if (answer.code !== 0) throw new UserError(gitFailed('list the files of the commit', said(answer)));
    return answer.text.split('\0');
  });
  return new Set(known.filter((path) => path !== ''));
}

interface GitAnswer {
  readonly code: number;
  readonly bytes: Uint8Array;
  readonly text: string;
  readonly err: string;
}

const VARIABLES = {
  GIT_OPTIONAL_LOCKS: '0',
  GIT_LITERAL_PATHSPECS: '1',
  GIT_TERMINAL_PROMPT: '0',
  LC_ALL: 'C',
} as const;

const isOfGit: Needs = (name) =>
  startingWith(['GIT_'])(name) && !/^GIT_(DIR|WORK_TREE|INDEX_FILE|PREFIX|COMMON_DIR)$/.test(name);

/**
 * No lock is taken, no transport is allowed (a partial clone would fetch), and the variables by which a hook names its
 * own repository do not count: the one that the pipeline is in does.
 */
function git(folder: string, args: readonly string[]): GitAnswer {
  const result = execaSync(
    'git',
    ['-C', folder, '-c', 'protocol.allow=never', '-c', 'core.fsmonitor=false', ...args],
    {
      env: childEnvironment(VARIABLES, isOfGit),
      extendEnv: false,
      reject: false,
      encoding: 'buffer',
      stripFinalNewline: false,
      maxBuffer: MOST_BYTES,
    },
  );
  if (result.code === 'ENOENT') throw new UserError(gitMissing());
  const bytes = result.stdout;
  return {
    code: result.exitCode ?? 1,
    bytes,
    text: new TextDecoder().decode(bytes),
    err: new TextDecoder().decode(result.stderr),
  };
}

/** The largest object that is read: Node holds no longer text, and a longer file is better kept by Git LFS. */
const MOST_BYTES = 2 ** 31 - 1;

/** The last line of what git complained of, without `fatal:`. */
const said = ({ err }: GitAnswer): string =>
  err
    .trim()
    .split('\n')[0]
    ?.replace(/^(?:fatal|error): /, '') ?? '';

function commitOf(root: string, ref: string): string {
  // git takes no ref that begins with a dash, and would take it for an option
  const answer = ref.startsWith('-')
    ? undefined
    : git(root, ['rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`]);
  const commit = answer?.text.trim().split('\n').at(-1) ?? '';
  if (answer?.code === 0 && commit !== '') return commit;
  const isShallow = git(root, ['rev-parse', '--is-shallow-repository']).text.trim() === 'true';
  if (isShallow) throw new UserError(shallowClone(ref));
  const refs = git(root, ['for-each-ref', '--format=%(refname:short)']).text.split('\n').filter(Boolean);
  throw new UserError(unknownRef(ref, nearest(ref, refs)));
}

/** `:100644 100755 ID ID M\0path\0` for every path at which commit and working tree differ. */
function changesSince(root: string, commit: string): ReadonlyMap<string, EarlierEntry> {
  const answer = git(root, [
    'diff',
    '--raw',
    '-z',
    '--no-renames',
    '--no-abbrev',
    '--no-relative',
    '--no-ext-diff',
    '--ignore-submodules=dirty',
    commit,
    '--',
  ]);
  if (answer.code !== 0)
    throw new UserError(gitFailed('compare the working tree with the commit', said(answer)));
  const fields = answer.text.split('\0');
  const changed = new Map<string, EarlierEntry>();
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const [mode = '', , id = ''] = fields[at]?.slice(1).split(' ') ?? [];
    const path = fields[at + 1] ?? '';
    // a conflict has two lines; the one that says what the commit has counts
    if (!(changed.has(path) && mode === NO_MODE)) changed.set(path, earlierOf(mode, id));
  }
  return changed;
}

const NO_MODE = '000000';

function earlierOf(mode: string, id: string): EarlierEntry {
  if (mode === NO_MODE) return { kind: 'nothing' };
  if (mode === '160000') return { kind: 'submodule' };
  return { kind: mode === '120000' ? 'link' : 'file', id };
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const above = dirname(path);
    return above === path ? path : join(realPath(above), basename(path));
  }
}

const chunks = <T>(items: readonly T[], size: number): readonly (readonly T[])[] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
