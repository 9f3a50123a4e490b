/** What an answer's text is kept to. */
export interface AnswerConstraint {
  /** Makes every token impossible that the text cannot go on with; `[vocab]` logits. */
  mask(logits: Float32Array): void;
  /** Takes the token that was chosen. */
  accept(id: number): void;
  /** Nothing can follow: the answer ends, even for a model without an end token. */
  readonly complete: boolean;
}
