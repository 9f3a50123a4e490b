import { UserError } from '../../diagnostics/types.js';
import { checkSpecialTokens } from '../../models/chat-template.js';
import { readJsonFile } from '../../models/json-file.js';
import type { ModelFolder } from '../../models/load.js';
import type { Tokenizer } from '../../models/types.js';
import type { Host } from '../../source/host.js';
import type { DropReason } from '../row-report.js';
import { cut, type EncodedRow, encodeRow, pieces } from './encode.js';
import { needsChatTemplate, type RenderContext, type Rendered, RowProblem, renderRow } from './render.js';
import type { FormatSettings } from './schema.js';

/** What became of a row: what is kept of it (more than one piece under `overflow = split`), or why nothing is. */
export type Outcome =
  | {
      readonly rendered: Rendered;
      readonly kept: readonly EncodedRow[];
      /** Tokens before it was cut. */
      readonly tokens: number;
    }
  | { readonly reason: DropReason; readonly detail: string };

export interface RowEncoder {
  readonly tokenizer: Tokenizer;
  /** The chat template's source, `''` where none is used: a part of what the rows depend on. */
  readonly templateSource: string;
  /** Ids that end an answer. */
  readonly stopIds: readonly number[];
  readonly padId: number;
  encode(row: Readonly<Record<string, unknown>>): Outcome;
}

/**
 * Opens tokenizer and template of a model for the rows of a format stage. Throws a `ModelError` when one is broken, or
 * when the template writes special tokens that the tokenizer lacks.
 */
export async function openEncoder(
  host: Host,
  model: ModelFolder,
  settings: FormatSettings,
): Promise<RowEncoder> {
  const tokenizer = await model.tokenizer();
  const chat = needsChatTemplate(settings.template) ? model.template() : undefined;
  if (needsChatTemplate(settings.template) && chat === undefined) throw noChatTemplate(model.path);
  if (chat !== undefined) checkSpecialTokens(tokenizer, chat);
  const endId = model.config.eosTokenIds[0];
  const endToken = endId === undefined ? '' : (tokenizer.tokenOf(endId) ?? '');
  const context: RenderContext = {
    ...(chat === undefined ? {} : { chat }),
    beginToken: beginToken(host, model, tokenizer),
    endToken,
  };
  return {
    tokenizer,
    templateSource: chat?.source ?? '',
    stopIds: model.config.eosTokenIds,
    padId: model.config.padTokenId ?? endId ?? 0,
    encode: (row) => outcome(row, settings, context, tokenizer),
  };
}

function outcome(
  row: Readonly<Record<string, unknown>>,
  settings: FormatSettings,
  context: RenderContext,
  tokenizer: Tokenizer,
): Outcome {
  const limit = settings.max_length;
  try {
    const rendered = renderRow(settings.template, row, context);
    const whole = encodeRow(tokenizer, rendered, settings.loss_on);
    const tokens = whole.ids.length;
    if (whole.supervised === 0)
      return { reason: 'no_supervised_token', detail: 'no token of the row is supervised' };
    if (tokens <= limit) return { rendered, kept: [whole], tokens };
    if (settings.overflow === 'drop')
      return { reason: 'too_long', detail: `${tokens} tokens, at most ${limit} are allowed` };
    const kept = settings.overflow === 'split' ? pieces(whole, limit) : [cut(whole, limit)];
    if (kept.every((piece) => piece.supervised === 0))
      return {
        reason: 'no_supervised_token',
        detail: `its answer lies behind the first ${limit} of ${tokens} tokens`,
      };
    return { rendered, kept, tokens };
  } catch (error) {
    if (error instanceof RowProblem) return { reason: error.reason, detail: error.detail };
    throw error;
  }
}

/** The token that the tokenizer puts before a text of its own accord; a chat template writes its own. */
function beginToken(host: Host, model: ModelFolder, tokenizer: Tokenizer): string {
  const path = `${model.path}/tokenizer_config.json`;
  if (host.stat(path) === undefined || model.config.bosTokenId === null) return '';
  const config = readJsonFile(host, path, { code: 'model_tokenizer', maxBytes: 5_000_000 });
  return config['add_bos_token'] === true ? (tokenizer.tokenOf(model.config.bosTokenId) ?? '') : '';
}

function noChatTemplate(folder: string): UserError {
  return new UserError({
    code: 'FTP0620',
    severity: 'error',
    message: `the model in \`${folder}\` has no chat template`,
    help: 'use `alpaca()` or `completion()`, or put a chat_template.jinja into the folder',
  });
}
