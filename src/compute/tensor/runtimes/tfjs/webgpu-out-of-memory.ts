/** What a GPU refuses: tensors beyond its limits before they are made, and what only Dawn's words tell. */
import { deviceFailed, tensorTooLarge } from '../../../../language/diagnostics/catalogue/runtimes.js';
import { UserError } from '../../../../language/diagnostics/types.js';
import { type OutOfMemoryError, outOfMemory } from '../../out-of-memory.js';

const ON_GPU = { runtime: 'webgpu', memory: 'device' } as const;

/** A tensor of so many bytes, where the GPU takes `most` in one piece. */
export const tooLargeForGpu = (bytes: number, most: number): OutOfMemoryError =>
  outOfMemory(tensorTooLarge(bytes, most), { ...ON_GPU, bytes });

/** What Dawn reported: its class of error tells a lack of memory, or its words alone. */
export const translateDawnError = (error: Error): OutOfMemoryError | UserError =>
  /out ?of ?memory/i.test(`${error.constructor.name} ${error.message}`)
    ? outOfMemory(deviceFailed(`out of memory: ${error.message}`), { ...ON_GPU, cause: error })
    : new UserError(deviceFailed(error.message));
