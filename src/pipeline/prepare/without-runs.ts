import { join, sep } from 'node:path';
import { type Host, HostError } from '../../language/host/host.js';

/** Without what earlier runs left, but with the digests of large files: they save time and change nothing. */
export function withoutRuns(host: Host): Host {
  const work = join(host.cwd, '.ftp');
  const kept = join(work, 'digests.json');
  const isHidden = (path: string): boolean => path === work || (path.startsWith(work + sep) && path !== kept);
  const shown = <T>(path: string, read: () => T): T => {
    if (isHidden(path)) throw new HostError('not_found', path, 'left out of comparisons');
    return read();
  };
  return {
    ...host,
    stat: (path) => (isHidden(path) ? undefined : host.stat(path)),
    readText: (path) => shown(path, () => host.readText(path)),
    readBytes: (path, start, length) => shown(path, () => host.readBytes(path, start, length)),
    list: (folder) => shown(folder, () => host.list(folder)),
  };
}
