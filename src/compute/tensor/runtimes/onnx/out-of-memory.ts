/** How ONNX Runtime says that it found no memory: in the message of a plain error. */
import { OutOfMemoryError } from '../../out-of-memory.js';

const REFUSED = /bad_alloc|failed to allocate memory(?: for requested buffer of size (\d+))?|out of memory/i;

/** As an {@link OutOfMemoryError}; any other error as it is. */
export function translateOnnxError(error: unknown): unknown {
  const refused = error instanceof Error ? REFUSED.exec(error.message) : null;
  if (refused === null) return error;
  const bytes = refused[1] === undefined ? undefined : Number(refused[1]);
  return new OutOfMemoryError((error as Error).message, {
    runtime: 'onnx',
    memory: 'host',
    bytes,
    cause: error,
  });
}
