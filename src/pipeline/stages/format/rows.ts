/**
 * The hand-over from format to train and eval: three files for each of the splits `train`, `valid`, `test` and `all`.
 *
 * `<split>.tokens.bin`: int32 pairs, little endian: id, label (-100: not supervised), rows one after another.
 * `<split>.rows.bin`: {@link ROW_FIELDS} float64 a row: offset of the first token, tokens, supervised tokens,
 *   prompt tokens (those before the last answer; 0 where no prompt is left whole), index of the source file, line.
 * `<split>.text.jsonl`: one object a row: `{ "prompt", "answer", "file", "line", "kind"? }`; prompt is the text before
 *   the last answer, answer the reference for generation, without the end token. Of a row that is split, the first piece
 *   has them, and the others are empty.
 * Of labelled rows, a label of a token is the class of its text, at the last token; prompt is the text, answer the label.
 * `format.json`: see {@link FormatInfo}.
 */
export const ROW_FIELDS = 6;

/** Width of a bar of {@link SplitInfo.histogram} in tokens. */
export const LENGTH_BUCKET = 16;

export interface SplitInfo {
  readonly rows: number;
  readonly tokens: number;
  readonly supervised: number;
  readonly longest: number;
  /** Rows by length: `histogram[i]` rows have at most `16 · (i + 1)` tokens (and more than `16 · i`). */
  readonly histogram: readonly number[];
}

export interface FormatInfo {
  readonly version: 1;
  /** Model folder or GGUF file whose tokenizer was used, and digests of tokenizer.json and chat template. */
  readonly tokenizer: { readonly folder: string; readonly sha256: string };
  readonly template: {
    readonly sha256: string;
    /** Of a style that is not the model's own: whoever is trained on these rows takes it along. */
    readonly source?: string;
  };
  readonly files: readonly string[];
  readonly splits: Readonly<Record<string, SplitInfo>>;
  /** Of labelled rows: what their classes are called, by their numbers. */
  readonly labels?: readonly string[];
  /** Ids that end an answer. */
  readonly stopIds: readonly number[];
  readonly padId: number;
}
