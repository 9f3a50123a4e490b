/** Preferences: a row for each answer, with the same prompt. */
import type { Tokenizer } from '../../../compute/models/types.js';
import { joinedLength } from '../../../compute/training/objectives/joined.js';
import type { Json } from '../../../language/host/json.js';
import type { Call } from '../../../language/ir/program.js';
import { PREFERENCE_TOKENS } from '../../../language/schemas/functions/template.js';
import { RowFault } from '../data/parse-row.js';
import { type Preference, preferenceOf, type Said, tokenPreferenceOf } from '../data/preferences.js';
import { type EncodedRow, encodeRow, IGNORED, type PreferenceSide, supervisedIn } from './encode-row.js';
import { renderRow } from './render-row.js';
import { type RenderContext, type RenderedRow, type Row, RowProblem } from './rendered-row.js';
import { shownTokens } from './tokenized-rows.js';

interface PreferenceOptions {
  readonly tokenizer: Tokenizer;
  readonly vocabulary: number;
  readonly context: RenderContext;
}

/** The rows of a preference: chosen before rejected. Throws a {@link RowProblem}. */
export function preferenceRows(
  template: Call,
  row: Row,
  options: PreferenceOptions,
): { readonly rendered: RenderedRow; readonly rows: readonly EncodedRow[] } {
  const told =
    template.call === PREFERENCE_TOKENS ? tokenRows(row, options) : textRows(template, row, options);
  const [first, second] = told;
  if (first === undefined) throw new Error('a preference without an answer');
  if (second !== undefined) checkPair(first.encoded, second.encoded);
  return {
    rendered: { ...first.rendered, given: told.flatMap(({ rendered }) => rendered.given) },
    rows: told.map(({ encoded, rendered, side }) => ({
      ...encoded,
      preference: { side, answer: rendered.answer },
    })),
  };
}

interface Told {
  readonly side: PreferenceSide;
  readonly rendered: RenderedRow;
  readonly encoded: EncodedRow;
}

/** Answers by their sides. */
const answersOf = <T>(found: { chosen: T; rejected: T } | { completion: T; isGood: boolean }) =>
  'chosen' in found
    ? ([
        ['chosen', found.chosen],
        ['rejected', found.rejected],
      ] as const)
    : ([[found.isGood ? 'chosen' : 'rejected', found.completion]] as const);

function textRows(template: Call, row: Row, { tokenizer, context }: PreferenceOptions): readonly Told[] {
  const found = preferenceOf(row, context.own);
  if (found instanceof RowFault) throw new RowProblem(found.reason, found.detail);
  return answersOf<Said>(found).map(([side, answer]) => {
    const rendered = renderRow(...asRow(template, row, found, answer), { ...context, lossOn: 'assistant' });
    return { side, rendered, encoded: encodeRow(tokenizer, rendered, 'assistant') };
  });
}

/** The prompt with an answer, as a row of another template: nothing of a prompt is learned. */
function asRow(template: Call, row: Row, { prompt }: Preference, answer: Said): readonly [Call, Row] {
  if (typeof prompt === 'string')
    return [
      { ...template, call: 'completion', args: {} },
      { prompt, completion: answer },
    ];
  const asked = prompt.map(
    (message): Json => (message['role'] === 'assistant' ? { ...message, weight: 0 } : message),
  );
  return [
    { ...template, call: 'chat' },
    { messages: [...asked, ...answer], tools: row['tools'] },
  ];
}

function tokenRows(row: Row, { tokenizer, vocabulary, context }: PreferenceOptions): readonly Told[] {
  const found = tokenPreferenceOf(row, vocabulary, context.own);
  if (found instanceof RowFault) throw new RowProblem(found.reason, found.detail);
  const { prompt } = found;
  return answersOf(found).map(([side, answer]) => {
    const ids = Int32Array.from([...prompt, ...answer]);
    const labels = ids.slice().fill(IGNORED, 0, prompt.length);
    const encoded = { ids, labels, supervised: supervisedIn(labels), promptTokens: prompt.length };
    return { side, encoded, rendered: shownTokens(encoded, tokenizer) };
  });
}

/** Both answers are to the same prompt, and are two. */
function checkPair(chosen: EncodedRow, rejected: EncodedRow): void {
  const [asked, other] = [promptOf(chosen), promptOf(rejected)];
  if (asked.length !== other.length || asked.some((id, at) => id !== other[at]))
    throw new RowProblem('wrong_type', 'the template writes another prompt before the rejected answer');
  if (chosen.ids.length === rejected.ids.length && chosen.ids.every((id, at) => id === rejected.ids[at]))
    throw new RowProblem('wrong_type', 'the chosen and the rejected answer are the same');
}

const promptOf = ({ ids, labels }: EncodedRow): Int32Array =>
  ids.subarray(
    0,
    labels.findIndex((label) => label !== IGNORED),
  );

/** Tokens of a pair of answers where those of their prompt count once; `undefined` for other rows. */
export const joinedTokens = ([chosen, rejected]: readonly EncodedRow[]): number | undefined =>
  chosen?.preference === undefined || rejected === undefined ? undefined : joinedLength([chosen, rejected]);

/** How long answers are: of a pair, the better one may be the longer one more often than not. */
export interface AnswerLengths {
  readonly pairs: number;
  /** Tokens, on average. */
  readonly chosen: number;
  readonly rejected: number;
  /** Share of the pairs whose chosen answer has more tokens; of two as long, a half. */
  readonly chosenLonger: number;
}

/** Lengths of the answers of pairs. */
export class LengthTally {
  private pairs = 0;
  private longer = 0;
  private readonly tokens = { chosen: 0, rejected: 0 };

  /** Supervised tokens of the answers of a row. */
  add([better, worse]: readonly number[]): void {
    if (better === undefined || worse === undefined) return;
    this.pairs += 1;
    this.longer += better === worse ? 0.5 : better > worse ? 1 : 0;
    this.tokens.chosen += better;
    this.tokens.rejected += worse;
  }

  /** `undefined` where there are no pairs. */
  get lengths(): AnswerLengths | undefined {
    const { pairs, longer, tokens } = this;
    if (pairs === 0) return undefined;
    return {
      pairs,
      chosen: tokens.chosen / pairs,
      rejected: tokens.rejected / pairs,
      chosenLonger: longer / pairs,
    };
  }
}

/** From so many pairs on, a share says something; from this share on, and means that differ so much, it is a bias. */
const BIASED = { pairs: 20, share: 0.7, ratio: 1.25 } as const;

/** Which answers are longer, where that tells chosen from rejected about as well as what they say. */
export function longerSide({
  pairs,
  chosen,
  rejected,
  chosenLonger,
}: AnswerLengths): PreferenceSide | undefined {
  if (pairs < BIASED.pairs) return undefined;
  if (chosenLonger >= BIASED.share && chosen >= BIASED.ratio * rejected) return 'chosen';
  return 1 - chosenLonger >= BIASED.share && rejected >= BIASED.ratio * chosen ? 'rejected' : undefined;
}
