/** What a decoder gives, against what was recorded of another library. */
import { expect } from 'chai';
import type { Decoder, LossResult } from '../../../../src/compute/models/decoder/types.js';
import { type Packed, relativeError, unpack } from './fixture.js';

/** The loss of each row is within `limit` of the recorded one, relative to it. */
export function expectRowLosses({ rows }: LossResult, recorded: readonly number[], limit: number): void {
  rows.forEach(({ sum }, row) => {
    expect(Math.abs(sum / (recorded[row] ?? 0) - 1)).to.be.at.most(limit);
  });
}

/** There are the gradients that were recorded and no others, each within `limit`. */
export function expectGradients(
  { gradients }: Pick<Decoder, 'gradients'>,
  recorded: Readonly<Record<string, Packed>>,
  limit: number,
): void {
  expect([...gradients.keys()].sort()).to.deep.equal(Object.keys(recorded).sort());
  for (const [key, packed] of Object.entries(recorded))
    expect(relativeError(gradients.get(key) ?? [], unpack(packed)), key).to.be.at.most(limit);
}
