import { expect } from 'chai';
import { largestOf, peakOf, sharedPeak } from '../../../../src/pipeline/planner/memory/peaks.js';

const SPREAD = { below: 1, above: 1 };
const peak = (bytes: number) => peakOf({ weights: bytes }, SPREAD);

describe('the largest of peaks that follow one another', () => {
  it('is the one that takes most', () => {
    expect(largestOf([peak(2), peak(5), peak(3)])).to.deep.equal(peak(5));
  });

  it('has the most that any of them takes on a device, and the largest tensor that a device refuses', () => {
    const onDevice = (process: number, device: number) => sharedPeak(peak(process), peak(device).parts);
    const refused = { name: 'head', bytes: 9, largest: 8 };
    const most = largestOf([onDevice(5, 1), { ...onDevice(2, 7), refused }, onDevice(3, 4)]);
    expect(most.bytes).to.equal(5);
    expect(most.device?.bytes).to.equal(7);
    expect(most.refused).to.equal(refused);
  });
});
