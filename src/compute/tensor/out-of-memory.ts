/** Running out of memory is one type of error, whoever runs out: a runtime on its device, or an array of the host. */
import type { Diagnostic } from '../../language/diagnostics/types.js';

interface RefusedMemory {
  /** The runtime that asked; left out for arrays of ftpc itself. */
  readonly runtime?: string;
  /** Whose memory it is. */
  readonly memory: 'host' | 'device';
  /** Bytes that were asked for, where they are known. */
  readonly bytes?: number;
  /** What tells a user more than that a stage ran out of memory. */
  readonly diagnostic?: Diagnostic;
  readonly cause?: unknown;
}

/** Memory was asked for and refused. What was held before is still held. */
export class OutOfMemoryError extends Error {
  override readonly name: string = 'OutOfMemoryError';
  constructor(
    message: string,
    readonly refused: RefusedMemory,
  ) {
    super(message, { cause: refused.cause });
  }
}

/** Of a refusal that has a diagnostic of its own. */
export const outOfMemory = (
  diagnostic: Diagnostic,
  refused: Omit<RefusedMemory, 'diagnostic'>,
): OutOfMemoryError => new OutOfMemoryError(diagnostic.message, { ...refused, diagnostic });
