import { packageVersion } from '../version.js';
import { type Check, firstLine } from './finding.js';
import { worstDifference } from './self-test.js';

/** Two implementations of the same float32 graph may differ by rounding, and no more. */
const TOLERANCE = 1e-5;

/** ONNX Runtime loads, and what it computes is what the plain reference computes. */
export const onnx: Check = async (host) => {
  const name = 'onnxruntime';
  const version = packageVersion(host, 'onnxruntime-node');
  if (version === undefined)
    return { name, state: 'failed', detail: 'not installed', help: 'run `npm ci` in the folder of ftpc' };
  try {
    const difference = await worstDifference();
    return difference <= TOLERANCE
      ? {
          name,
          state: 'ok',
          detail: `${version}; a product, a softmax and their gradients agree with the reference to ${difference.toExponential(0)}`,
        }
      : {
          name,
          state: 'failed',
          detail: `${version} computes wrongly: off by ${difference.toExponential(1)}`,
          help: 'reinstall with `npm ci`; if it stays, this processor is not supported',
        };
  } catch (error) {
    return {
      name,
      state: 'failed',
      detail: `${version} does not run: ${firstLine(error)}`,
      help: 'reinstall with `npm ci`; it needs glibc 2.28 or newer on Linux',
    };
  }
};
