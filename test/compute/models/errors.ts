import { expect } from 'chai';
import { ModelError } from '../../../src/compute/models/types.js';

/** The ModelError that `action` throws; fails for any other end. */
export function modelError(action: () => unknown): ModelError {
  try {
    action();
  } catch (error) {
    expect(error).to.be.instanceOf(ModelError);
    return error as ModelError;
  }
  return expect.fail('nothing was thrown');
}

/** Bytes of typed arrays one after the other. */
export function concat(chunks: Iterable<Uint8Array>): Uint8Array {
  return new Uint8Array(Buffer.concat([...chunks]));
}
