/** Running out of memory is one type of error, whoever runs out: a runtime on its device, or an array of the host. */
import type { Diagnostic } from '../../language/diagnostics/types.js';
import { HostError } from '../../language/host/host.js';

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

/** V8 and Node have no class of error for an array or a buffer that found no memory: only these messages and codes. */
const MESSAGES = /array buffer allocation failed|could not allocate memory|invalid typed array length/i;
const CODES: ReadonlySet<unknown> = new Set(['ENOMEM', 'ERR_MEMORY_ALLOCATION_FAILED']);

const isRefusal = (error: Error): boolean =>
  error instanceof HostError
    ? error.code === 'no_memory'
    : MESSAGES.test(error.message) || CODES.has((error as NodeJS.ErrnoException).code);

/**
 * A refusal of the host's memory, or an error that was caused by one, as an {@link OutOfMemoryError}; any other error as
 * it is. `bytes`: those asked for.
 */
export function translateHostError(error: unknown, bytes?: number): unknown {
  if (!(error instanceof Error) || error instanceof OutOfMemoryError) return error;
  const isRefused = isRefusal(error) || (error.cause instanceof Error && isRefusal(error.cause));
  return isRefused ? new OutOfMemoryError(error.message, { memory: 'host', bytes, cause: error }) : error;
}

/** What `allocate` makes of so many bytes. */
export function allocateOnHost<T>(bytes: number, allocate: (bytes: number) => T): T {
  try {
    return allocate(bytes);
  } catch (error) {
    throw translateHostError(error, bytes);
  }
}
