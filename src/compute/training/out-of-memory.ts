import { DeviceFull } from '../tensor/device-full.js';

/** How native code, V8 and the runtimes say that an allocation failed. */
const PATTERNS =
  /bad_alloc|failed to allocate memory|array buffer allocation failed|could not allocate memory|invalid typed array length|out of memory|ENOMEM/i;

/** A step that found no memory. The parameters are those of the step before it, so training can continue from there. */
export class OutOfMemory extends Error {
  override readonly name = 'OutOfMemory';
  constructor(
    /** The optimiser step that was being computed, from 1. */
    readonly step: number,
    override readonly cause: unknown,
  ) {
    super(`out of memory in step ${step}: ${messageOf(cause)}`);
  }
}

export function isOutOfMemory(error: unknown): boolean {
  return error instanceof DeviceFull || (error instanceof Error && PATTERNS.test(error.message));
}

function messageOf(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).split('\n')[0] ?? '';
}
