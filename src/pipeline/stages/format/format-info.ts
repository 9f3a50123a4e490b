/**
 * The hand-over from format to train and eval: three files for each of the splits `train`, `valid`, `test` and `all`.
 *
 * `<split>.tokens.bin`: int32 pairs, little endian: id, label (-100: not supervised), rows one after another.
 * `<split>.rows.bin`: {@link ROW_FIELDS} float64 a row: offset of the first token, tokens, supervised tokens,
 *   prompt tokens (those before the last answer; 0 if no prompt is left whole), index of the source file, line.
 * `<split>.text.jsonl`: one object a row: `{ "prompt", "answer", "file", "line", "kind"? }`; prompt is the text before
 *   the last answer, answer the reference for generation, without the end token. Of a row that is split, the first piece
 *   has them, and the others are empty.
 * Of labelled rows, a label of a token is the class of its text, at the last token; prompt is the text, answer the label.
 * `format.json`: see {@link FormatInfo}.
 */
import * as v from 'valibot';
import { type Checked, count, record, version } from '../../../language/host/json.js';

export const ROW_FIELDS = 6;

/** Width of a bar of {@link SplitInfo.histogram} in tokens. */
export const LENGTH_BUCKET = 16;

const SPLIT = v.object({
  rows: count,
  tokens: count,
  supervised: count,
  longest: count,
  /** Rows by length: `histogram[i]` rows have at most `16 · (i + 1)` tokens (and more than `16 · i`). */
  histogram: v.array(count),
});
export type SplitInfo = Checked<typeof SPLIT>;

export const FORMAT_INFO = v.object({
  version: version(1),
  /** Model folder or GGUF file whose tokenizer was used, and digests of tokenizer.json and chat template. */
  tokenizer: v.object({ folder: v.string(), sha256: v.string() }),
  template: v.object({
    sha256: v.string(),
    /** Of a style that is not the model's own: whoever is trained on these rows takes it along. */
    source: v.optional(v.string()),
  }),
  files: v.array(v.string()),
  splits: record(SPLIT),
  /** Of labelled rows: what their classes are called, by their numbers. */
  labels: v.optional(v.array(v.string())),
  /** Ids that end an answer. */
  stopIds: v.array(v.number()),
  padId: v.number(),
});
export type FormatInfo = Checked<typeof FORMAT_INFO>;
