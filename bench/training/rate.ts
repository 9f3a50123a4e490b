/** Float32 products of square matrices through ONNX Runtime: prints `{ flopsPerSecond }` as JSON. */

import { nodeHost } from '../../src/language/host/node-host.js';
import { measureSpeed } from '../../src/pipeline/planner/speed.js';

const { threads } = JSON.parse(process.argv[2] ?? '') as { threads: number };
console.log(JSON.stringify(await measureSpeed(nodeHost(), 'onnx', threads)));
