/** The table of ops. A new op is one definition here, a kernel in each runtime and a case in the shared suite. */
import * as broadcasting from './broadcasting.js';
import type { OpDefinition } from './definition.js';
import * as gather from './gather.js';
import * as layout from './layout.js';
import * as matmul from './matmul.js';
import type { OpName } from './names.js';
import * as reduce from './reduce.js';
import * as transformer from './transformer.js';
import * as unary from './unary.js';

export const OPS: Readonly<Record<OpName, OpDefinition>> = {
  ...broadcasting,
  ...unary,
  ...matmul,
  ...reduce,
  ...transformer,
  ...layout,
  ...gather,
};
