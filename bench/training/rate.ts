/** Float32 products of square matrices through ONNX Runtime: prints `{ flopsPerSecond }` as JSON. */

import { measureSpeed } from '../../src/planner/speed.js';
import { nodeHost } from '../../src/source/node-host.js';

const { threads } = JSON.parse(process.argv[2] ?? '') as { threads: number };
console.log(JSON.stringify(await measureSpeed(nodeHost(), 'onnx', threads)));
