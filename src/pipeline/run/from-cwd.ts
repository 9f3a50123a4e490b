import { isAbsolute, relative } from 'node:path';

/** Relative to the working directory, where it lies inside. */
export function fromCwd(cwd: string, path: string): string {
  if (!isAbsolute(path)) return path;
  const short = relative(cwd, path);
  return short.startsWith('..') ? path : short;
}
