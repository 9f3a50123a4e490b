/** Cases that need no command line: many of them are tried one after another in one process. */
import type { TortureOptions } from '../kind.js';

export interface Cases {
  readonly count: number;
  /** What is wrong with how a case ended; `undefined` if nothing is. */
  attempt(number: number): Promise<string | undefined>;
}

/** What a module exports whose cases are tried in processes of their own. */
export interface CasesModule {
  open(options: TortureOptions): Promise<Cases>;
}

export interface Range {
  readonly from: number;
  readonly to: number;
}

/** What such a process says: that a case begins, what is wrong with one, and that all that it was asked for are done. */
export type Said =
  | { readonly type: 'begins'; readonly number: number }
  | { readonly type: 'wrong'; readonly number: number; readonly what: string }
  | { readonly type: 'done' };
