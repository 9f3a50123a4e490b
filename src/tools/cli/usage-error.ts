import { nearest } from '../../language/diagnostics/did-you-mean.js';

/** A command line that cannot be understood: printed as it is, with where to read on. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  constructor(
    message: string,
    /** The command whose help is pointed at. */
    readonly command?: string,
  ) {
    super(message);
  }
}

/** `unknown option \`--jsn\`: did you mean \`--json\`?` */
export const unknown = (
  what: string,
  name: string,
  known: readonly string[],
  command?: { readonly name: string },
): UsageError => new UsageError(`unknown ${what} \`${name}\`${didYouMean(name, known)}`, command?.name);

export function didYouMean(name: string, known: readonly string[]): string {
  const near = nearest(name, known);
  return near === undefined ? '' : `: did you mean \`${near}\`?`;
}
