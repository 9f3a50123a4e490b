/** A path as a shell takes it for one word, in commands that messages name: to be copied. */
export const shellWord = (path: string): string =>
  /^[\w./\\:@%+,-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
