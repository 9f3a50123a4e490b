/** What a model's process is told and what it says. Sent with structured clone, so that NaN survives. */
import type {
  CompletionPiece,
  CompletionPrompt,
  CompletionRequest,
  ServingInfo,
  ServingLoad,
} from '../../compute/serving/types.js';
import type { Diagnostic } from '../../language/diagnostics/types.js';
import type { OpenServingOptions } from '../deploy/open-serving.js';

/** What a model is opened from. */
export interface ModelSource extends Omit<OpenServingOptions, 'warn'> {
  /** What names of folders are relative to. */
  readonly cwd: string;
  /** Variables that the process does not get, whatever they are called. */
  readonly withheld?: readonly string[];
}

export type ToModel =
  | { readonly type: 'open'; readonly source: ModelSource }
  | { readonly type: 'complete'; readonly id: number; readonly request: CompletionRequest }
  | { readonly type: 'cancel'; readonly id: number }
  | { readonly type: 'tokens'; readonly id: number; readonly prompt: CompletionPrompt }
  | { readonly type: 'close' };

/** Of a request: what is wrong with it, or the message of a bug. */
export type Failure = { readonly diagnostic: Diagnostic } | { readonly bug: string };

export type FromModel =
  | { readonly type: 'opened'; readonly info: ServingInfo }
  | { readonly type: 'failed'; readonly failure: Failure }
  | { readonly type: 'warning'; readonly diagnostic: Diagnostic }
  | { readonly type: 'load'; readonly load: ServingLoad }
  | { readonly type: 'piece'; readonly id: number; readonly piece: CompletionPiece }
  | { readonly type: 'tokens'; readonly id: number; readonly tokens: readonly number[] }
  /** There are no more pieces. */
  | { readonly type: 'done'; readonly id: number }
  | { readonly type: 'wrong'; readonly id: number; readonly failure: Failure };

/** What was said at once. */
export type FromModelBatch = readonly FromModel[];
