/** How TensorFlow says that a device is full, RESOURCE_EXHAUSTED: the binding passes its message on, and no code. */
import { OutOfMemoryError } from '../../out-of-memory.js';
import type { Binding } from './binding.js';

const REFUSED = /TF_Status: 8\b|OOM when allocating|RESOURCE_EXHAUSTED|bad_alloc|out of memory/i;

/** What a call of the binding gives; its errors of other kinds stay as they are. */
export function translating<T>(binding: Pick<Binding, 'isUsingGpuDevice'>, call: () => T): T {
  try {
    return call();
  } catch (error) {
    if (!(error instanceof Error) || !REFUSED.test(error.message)) throw error;
    throw new OutOfMemoryError(`TensorFlow is out of memory: ${error.message}`, {
      runtime: 'tensorflow',
      memory: binding.isUsingGpuDevice() ? 'device' : 'host',
      cause: error,
    });
  }
}
