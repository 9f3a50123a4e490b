import { createTwoFilesPatch } from 'diff';

/** As `patch -p1` takes it. */
export const unifiedDiff = (changed: {
  readonly file: string;
  readonly before: string;
  readonly after: string;
}): string =>
  createTwoFilesPatch(
    `a/${changed.file}`,
    `b/${changed.file}`,
    changed.before,
    changed.after,
    undefined,
    undefined,
    { context: 3 },
  ).replace(/^=+\n/, '');
