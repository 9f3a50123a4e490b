/** What a user can cause in a merge, as diagnostics. */
import { userError } from '../../../language/diagnostics/make.js';
import type { Span } from '../../../language/source/span.js';
import type { GgufType } from '../gguf/types.js';

const error = (code: string, message: string, help: string, at?: Span, notes?: readonly string[]) =>
  userError(code, at, message, { notes, help });

export const overflows = (tensor: string, value: number, dtype: GgufType, at?: Span) =>
  error(
    'FTP0721',
    `\`${tensor}\` has the value ${value.toPrecision(4)}, which overflows in ${dtype}`,
    dtype === 'bf16' ? 'use `dtype = f32`' : 'use `dtype = bf16` or `dtype = f32`',
    at,
  );

export const notFinite = (tensor: string, at?: Span) =>
  error(
    'FTP0722',
    `\`${tensor}\` would have values that are not finite`,
    'the base or the adapter is damaged, or training diverged: check its loss and gradient norm',
    at,
  );

const HALVES: ReadonlySet<GgufType> = new Set(['f16', 'bf16']);

export interface LogitDifferences {
  /** Root mean square of merged − (base with adapter), relative to that of base with adapter. */
  readonly relative: number;
  /** Largest |merged − (base with adapter)| of a logit. */
  readonly logit: number;
  /** Largest |(base with adapter) − base|. */
  readonly effect: number;
  /** Largest |logit| of base with adapter. */
  readonly scale: number;
}

const percent = (share: number): string => `${Number((100 * share).toPrecision(3))} %`;

export const mergeDiffers = (
  { relative }: LogitDifferences,
  { dtype, tolerance }: { readonly dtype: GgufType; readonly tolerance: number },
  at?: Span,
) =>
  error(
    'FTP0723',
    `the merged model does not match the base with its adapter: its logits are off by ${percent(relative)}`,
    dtype === 'f32'
      ? 'the base or the adapter has values of very different magnitudes: check its loss and gradient norm'
      : `this \`dtype\` is too coarse for this base: use ${HALVES.has(dtype) ? '`dtype = f32`' : 'one of more bits'}`,
    at,
    [
      `rounding to ${dtype} may move them by ${percent(tolerance)}: root mean square, relative to that of the logits`,
    ],
  );

export const adapterWithoutEffect = (at?: Span) =>
  error(
    'FTP0724',
    'the adapter has no effect: the merged model would equal the base',
    'train it first, or merge the adapter that was trained',
    at,
  );

export const effectLost = ({ logit, effect }: LogitDifferences, dtype: GgufType, at?: Span) =>
  error(
    'FTP0725',
    `rounding to ${dtype} hides the adapter: the adapter changes a logit by at most ${effect.toPrecision(3)}, rounding by ${logit.toPrecision(3)}`,
    `use \`dtype = ${HALVES.has(dtype) ? 'f32' : 'f16'}\`, or train the adapter further`,
    at,
  );
