interface TextStream {
  /** The whole text so far; gives what can be shown now and never has to be taken back. */
  push(text: string): string;
  /** What was held back. */
  end(): string;
}

/**
 * Cuts a growing text into pieces to show: characters that are not complete yet (U+FFFD at the end) and what may be
 * the beginning of a stop string are held back.
 */
export function textStream(stopStrings: readonly string[] = []): TextStream {
  let shown = 0;
  let whole = '';
  return {
    push(text) {
      whole = text;
      const safe = text.length - heldBack(text, stopStrings);
      if (safe <= shown) return '';
      const piece = text.slice(shown, safe);
      shown = safe;
      return piece;
    },
    end() {
      const piece = whole.slice(shown);
      shown = whole.length;
      return piece;
    },
  };
}

function heldBack(text: string, stopStrings: readonly string[]): number {
  const incomplete = /\uFFFD+$/.exec(text)?.[0].length ?? 0;
  const complete = text.slice(0, text.length - incomplete);
  for (let length = Math.max(0, ...stopStrings.map((stop) => stop.length - 1)); length > 0; length--) {
    const end = complete.slice(-length);
    if (end.length === length && stopStrings.some((stop) => stop.startsWith(end))) return incomplete + length;
  }
  return incomplete;
}
