/** What one side pushes and the other takes, each when it likes. */
export class PieceQueue<T> implements AsyncIterable<T> {
  private readonly pieces: T[] = [];
  private over: { readonly error?: unknown } | undefined;
  private wake: (() => void) | undefined;

  push(piece: T): void {
    if (this.over !== undefined) return;
    this.pieces.push(piece);
    this.wake?.();
  }

  /** Nothing follows what was pushed; the side that takes then gets the error, if there is one. */
  end(failure: { readonly error?: unknown } = {}): void {
    this.over ??= failure;
    this.wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      const piece = this.pieces.shift();
      if (piece !== undefined) yield piece;
      else if (this.over === undefined) await new Promise<void>((resolve) => (this.wake = resolve));
      else if ('error' in this.over) throw this.over.error;
      else return;
    }
  }
}
