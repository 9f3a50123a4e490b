/** What a run says of its adapter. */
export interface AdapterRun {
  /** Names of linear layers as a shape has them; `head` is the head. */
  readonly targets?: readonly string[];
  readonly rank?: number;
  readonly dropout?: number;
  /** Embeddings and head are trained whole, each in a copy. */
  readonly isEmbeddingTrained?: boolean;
}
