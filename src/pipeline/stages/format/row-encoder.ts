import { alpacaTemplate } from '../../../compute/models/chat-template/alpaca.js';
import {
  checkSpecialTokens,
  compileChatTemplate,
  type LoadedTemplate,
} from '../../../compute/models/chat-template/index.js';
import { padIdOf } from '../../../compute/models/labels.js';
import type { ModelFolder } from '../../../compute/models/load.js';
import { isSpecial, turnEnd } from '../../../compute/models/turn-end.js';
import type { Tokenizer } from '../../../compute/models/types.js';
import type { Call, Stage } from '../../../language/ir/program.js';
import { isReadFile } from '../../../language/ir/values.js';
import { CHOICES, LABELLED, PREFERENCE, rowKind } from '../../../language/schemas/functions/template.js';
import type { FormatSettings } from '../../../language/schemas/stages/format.js';
import type { OwnName } from '../data/column-names.js';
import { choiceRows } from './choice-rows.js';
import { encodeRow } from './encode-row.js';
import { type EncodingResult, fitted, fittedChoices, fittedPreference, specialRemarks } from './fit-row.js';
import { noChatTemplate } from './format-diagnostics.js';
import { labelledColumns, labelledRow, labelledText, labelOf } from './labelled-rows.js';
import { preferenceRows } from './preference-rows.js';
import { needsChatTemplate, renderRow, TOKENS } from './render-row.js';
import { type Examples, type RenderContext, type Row, RowProblem, text } from './rendered-row.js';
import { patternsOf } from './row-patterns.js';
import { shownTokens, takeTokens } from './tokenized-rows.js';

export interface RowEncoder {
  readonly tokenizer: Tokenizer;
  /** The chat template's source, `''` if none is used: a part of what the rows depend on. */
  readonly templateSource: string;
  /** The chat template that goes with what is trained on the rows, where it is not the model's own. */
  readonly ownTemplate?: string;
  /** Token that ends an answer, `''` if neither model nor template has one. */
  readonly endToken: string;
  /** Ids that end an answer. */
  readonly stopIds: readonly number[];
  readonly padId: number;
  encode(row: Readonly<Record<string, unknown>>): EncodingResult;
}

/** Labels by their numbers are known once all rows were seen; a survey, which has not, takes them all for the first. */
type LabelNumbers = ReadonlyMap<string, number>;

interface EncoderOptions {
  /** Of questions. */
  readonly examples?: Examples;
  readonly numbers?: LabelNumbers;
  /** What the source calls a column. */
  readonly own?: OwnName;
}

/**
 * Opens tokenizer and template of a model for the rows of a format stage. Throws a `ModelError` when one is broken, or
 * when the template writes special tokens that the tokenizer lacks, and a `UserError` if there is no template.
 */
export async function openEncoder(
  model: ModelFolder,
  settings: FormatSettings,
  stage: Pick<Stage, 'name' | 'span'>,
  { numbers, examples = { rows: [] }, own = (usual) => usual }: EncoderOptions = {},
): Promise<RowEncoder> {
  const tokenizer = await model.tokenizer();
  // Texts cannot be read without a tokenizer: better said before the first row.
  if (tokenizer.idsOnly === true && settings.template.call !== TOKENS) tokenizer.encode('');
  const takesChat = needsChatTemplate(settings.template) || settings.template.call === PREFERENCE;
  const chat = takesChat ? chatTemplate(model, settings.template) : undefined;
  if (needsChatTemplate(settings.template) && chat === undefined) throw noChatTemplate(model.path, stage);
  if (chat !== undefined) checkSpecialTokens(tokenizer, chat);
  const { eosTokenIds } = model.config;
  const padId = padIdOf(model.config);
  const turn = chat === undefined ? undefined : turnEnd(chat, tokenizer);
  const endTokens = eosTokenIds.flatMap((id) => tokenizer.tokenOf(id) ?? []);
  const patterns = patternsOf(settings.template, () => model.specialTokens(), own);
  const context: RenderContext = {
    ...(chat === undefined ? {} : { chat }),
    ...(patterns && { patterns }),
    endToken: endTokens[0] ?? '',
    turnEnds: turn === undefined ? endTokens : [turn.token, ...endTokens],
    lossOn: settings.loss_on,
    shown: (written) => tokenizer.decode(tokenizer.encode(written), { skipSpecial: true }),
    own,
    examples,
  };
  const findSpecial = specialFinder(tokenizer, model.addedTokens);
  const mostCharacters = settings.max_length * longestToken(tokenizer) * NORMALISED;
  return {
    tokenizer,
    templateSource: chat?.source ?? '',
    ...ownTemplate(settings.template, chat, context, tokenizer),
    endToken: turn?.token ?? context.endToken,
    stopIds: [...new Set([...eosTokenIds, ...(turn === undefined ? [] : [turn.id])])],
    padId,
    encode(row) {
      try {
        if (settings.template.call === TOKENS) {
          const taken = takeTokens(row, model.config.vocabSize, settings.loss_on, own);
          return fitted(shownTokens(taken, tokenizer), taken, settings, []);
        }
        if (settings.template.call === CHOICES) {
          const { rendered, rows } = choiceRows(settings.template, row, { tokenizer, own, examples });
          return fittedChoices(rendered, rows, settings, findSpecial(rendered.given));
        }
        if (rowKind(settings.template.call) === 'preferences') {
          const options = { tokenizer, vocabulary: model.config.vocabSize, context };
          const { rendered, rows } = preferenceRows(settings.template, row, options);
          return fittedPreference(rendered, rows, settings, findSpecial(rendered.given));
        }
        if (settings.template.call === LABELLED)
          return classified(row, settings, { tokenizer, padId, numbers, own, findSpecial });
        const rendered = renderRow(settings.template, row, context);
        if (settings.overflow === 'drop' && rendered.text.length > mostCharacters) {
          const detail = `${rendered.text.length} characters, at most ${settings.max_length} tokens are allowed`;
          return { reason: 'too_long', detail };
        }
        const whole = encodeRow(tokenizer, rendered, settings.loss_on);
        return fitted(rendered, whole, settings, findSpecial(rendered.given));
      } catch (error) {
        if (error instanceof RowProblem) return { reason: error.reason, detail: error.detail };
        throw error;
      }
    },
  };
}

interface ClassifierOptions extends Pick<RowEncoder, 'tokenizer' | 'padId'> {
  readonly numbers: LabelNumbers | undefined;
  readonly own: OwnName;
  findSpecial(texts: readonly string[]): readonly string[];
}

/** A text and its label. What is cut off its end is not read, and the class is at the last token that is left. */
function classified(
  row: Row,
  settings: FormatSettings,
  { tokenizer, padId, numbers, own, findSpecial }: ClassifierOptions,
): EncodingResult {
  const columns = labelledColumns(settings.template);
  const label = labelOf(row, columns, own);
  const whole = text(row, columns.text, own);
  const ids = labelledText(whole, tokenizer);
  const { max_length: limit, overflow } = settings;
  const tooLong = `${ids.length} tokens, at most ${limit} are allowed`;
  if (ids.length > limit && overflow === 'drop') return { reason: 'too_long', detail: tooLong };
  const rendered = { text: whole, answers: [], prompt: whole, answer: label, begins: true, given: [whole] };
  return {
    rendered,
    kept: [labelledRow(ids, { padId, label: numbers?.get(label) ?? 0, limit })],
    remarks: [
      ...specialRemarks(findSpecial([whole])),
      ...(ids.length > limit ? [{ reason: 'too_long', detail: `cut: ${tooLong}` } as const] : []),
    ],
  };
}

/** The style that the template names, or the model's own. */
function chatTemplate(model: ModelFolder, { args }: Call): LoadedTemplate | undefined {
  const style = args['style'];
  return isReadFile(style)
    ? compileChatTemplate(style.text, model.specialTokens(), style.file)
    : model.template();
}

/** A style of the rows' own, or Alpaca's layout, which no model has. */
function ownTemplate(
  { call, args }: Call,
  chat: LoadedTemplate | undefined,
  { endToken }: RenderContext,
  { beginId, tokenOf }: Tokenizer,
): Pick<RowEncoder, 'ownTemplate'> {
  if (chat !== undefined && args['style'] !== undefined) return { ownTemplate: chat.source };
  if (call !== 'alpaca') return {};
  const begin = beginId === undefined ? '' : (tokenOf(beginId) ?? '');
  return { ownTemplate: alpacaTemplate({ begin, end: endToken, preamble: args['preamble'] === true }) };
}

/** A normaliser may leave out characters, but no real text loses three quarters of its own. */
const NORMALISED = 4;

/** Characters that one token covers at most: a text of many more has too many tokens, and need not be cut to know it. */
function longestToken(tokenizer: Tokenizer): number {
  let longest = 1;
  for (let id = 0; id < tokenizer.vocabSize; id++)
    longest = Math.max(longest, tokenizer.tokenOf(id)?.length ?? 0);
  return longest;
}

/** How special tokens look: `<|im_end|>`, `</s>`, `[INST]`. */
const LOOKS_SPECIAL = /<[^<>\s]{1,64}>|\[[^[\]\s]{1,64}\]/g;

/**
 * Finds the special tokens that are in texts of a row, where they would open or end turns. Those that the pipeline adds are in
 * texts on purpose.
 */
function specialFinder(
  tokenizer: Tokenizer,
  meant: readonly string[] = [],
): (texts: readonly string[]) => readonly string[] {
  const known = new Map(meant.map((token) => [token, false]));
  const isToken = (text: string): boolean => {
    const id = tokenizer.idOf(text);
    if (id === undefined) return false;
    const found = known.get(text) ?? isSpecial(tokenizer, id);
    known.set(text, found);
    return found;
  };
  return (texts) => [...new Set(texts.flatMap((text) => text.match(LOOKS_SPECIAL) ?? []).filter(isToken))];
}
