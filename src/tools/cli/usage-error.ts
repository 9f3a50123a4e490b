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
