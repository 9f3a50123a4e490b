/** How V8 and Node say that an array or a buffer found no memory: by a message or a code, and by no class of error. */
import { HostError } from '../../language/host/host.js';
import { OutOfMemoryError } from './out-of-memory.js';

const MESSAGES = /array buffer allocation failed|could not allocate memory|invalid typed array length/i;
const CODES: ReadonlySet<unknown> = new Set(['ENOMEM', 'ERR_MEMORY_ALLOCATION_FAILED']);

const isRefusal = (error: Error): boolean =>
  error instanceof HostError
    ? error.code === 'no_memory'
    : MESSAGES.test(error.message) || CODES.has((error as NodeJS.ErrnoException).code);

/** A refusal of the host's memory as an {@link OutOfMemoryError}; any other error as it is. `bytes`: those asked for. */
export function translateHostError(error: unknown, bytes?: number): unknown {
  if (!(error instanceof Error) || error instanceof OutOfMemoryError || !isRefusal(error)) return error;
  return new OutOfMemoryError(error.message, { memory: 'host', bytes, cause: error });
}

/** What `allocate` makes of so many bytes. */
export function allocateOnHost<T>(bytes: number, allocate: (bytes: number) => T): T {
  try {
    return allocate(bytes);
  } catch (error) {
    throw translateHostError(error, bytes);
  }
}
