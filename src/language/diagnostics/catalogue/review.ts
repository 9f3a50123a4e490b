/** FTP130x: comparing with a commit. FTP131x: snapshots. */
import { error, warning, wholeFile } from '../make.js';
import type { Place } from '../types.js';

export const gitMissing = () =>
  error('FTP1301', undefined, 'git is not installed, or not on the PATH', {
    help: '`--against` reads the earlier pipeline from git: install it, or compare with a snapshot (`ftpc snapshot`)',
  });

export const noRepository = (file: string, said: string) =>
  error('FTP1302', wholeFile(file), `\`${file}\` is not in a git repository`, {
    notes: said === '' ? [] : [said],
    help: 'run `ftpc plan --against` where the pipeline is under version control, or compare with a snapshot',
  });

export const unknownRef = (ref: string, near: string | undefined) =>
  error('FTP1303', undefined, `the repository has no commit \`${ref}\``, {
    help:
      near === undefined
        ? 'give a branch, a tag or a commit; a remote branch must be fetched, and includes the name of the remote: `origin/main`'
        : `did you mean \`${near}\`?`,
  });

export const shallowClone = (ref: string) =>
  error('FTP1304', undefined, `the commit \`${ref}\` is not in this shallow clone`, {
    help: 'fetch it: `git fetch --depth=1 origin BRANCH`, or `fetch-depth: 0` at `actions/checkout`',
  });

export const brokenAtRef = (file: string, ref: string, mistakes: number, first: string) =>
  warning('FTP1305', wholeFile(file), {
    message: `at \`${ref}\` the pipeline has ${mistakes === 1 ? 'an error' : `${mistakes} errors`}, so there is nothing to compare with`,
    notes: [`the first: ${first}`],
    help: 'everything counts as new; compare with a commit whose pipeline has no errors',
  });

export const objectMissing = (what: string, said: string) =>
  error('FTP1306', undefined, `git does not have ${what}`, {
    notes: said === '' ? [] : [said],
    help: 'a partial clone leaves it out: `git fetch --refetch --no-filter`; otherwise, check with `git fsck`',
  });

export const largeObjectMissing = (file: string, ref: string) =>
  warning('FTP1307', wholeFile(file), {
    message: `\`${file}\` as of \`${ref}\` is stored in Git LFS and has not been fetched`,
    notes: ['its rows are taken from the working tree; the fact that it changed is still detected'],
    help: `fetch it: \`git lfs fetch origin ${ref}\``,
  });

export const submoduleChanged = (path: string, ref: string) =>
  warning('FTP1308', wholeFile(path), {
    message: `the submodule \`${path}\` is at a different commit than at \`${ref}\``,
    notes: ['its files are taken from the working tree on both sides'],
    help: 'compare inside the submodule to see what changed in it',
  });

export const gitFailed = (doing: string, said: string) =>
  error('FTP1309', undefined, `git could not ${doing}`, {
    notes: said === '' ? [] : [said],
    help: 'run git in the same folder to see more',
  });

const UPDATE = '`ftpc snapshot --mode update` writes it';

export const snapshotMissing = (file: string) =>
  error('FTP1310', wholeFile(file), `there is no snapshot \`${file}\``, {
    help: `${UPDATE}; commit it with the pipeline`,
  });

export const snapshotMalformed = (place: Place, why: string) =>
  error('FTP1311', place, `\`${place.file}\` is not a snapshot: ${why}`, {
    help: `${UPDATE} again; it is not meant to be edited by hand`,
  });

export const snapshotVersion = (file: string, found: number, known: number) =>
  error('FTP1312', wholeFile(file), {
    message: `the snapshot is of version ${found}, and this ftpc reads version ${known}`,
    help: found > known ? 'use the ftpc that wrote it, or a newer one' : `${UPDATE} in this version`,
  });

export const snapshotParams = (file: string, kept: Readonly<Record<string, string>>) => {
  const words = Object.entries(kept).map(([name, value]) => `\`-p ${name}=${value}\``);
  return error('FTP1313', wholeFile(file), 'the snapshot was made with other parameters', {
    notes: [words.length === 0 ? 'it was made without parameters' : `it was made with ${words.join(' ')}`],
    help: 'leave `-p` out to use those, or update the snapshot with `--mode update`',
  });
};

export const snapshotMachine = (file: string, kept: string) =>
  error('FTP1314', wholeFile(file), 'the snapshot was made for another machine', {
    notes: [`it was made for ${kept}`],
    help: 'leave out `--machine` and `--memory` to use that one, or update the snapshot with `--mode update`',
  });
