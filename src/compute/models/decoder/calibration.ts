/**
 * What a process holds besides the tensors that the plan counts, measured with ONNX Runtime 1.30 and Node 20 on
 * Linux (growth of the peak resident memory over a process that had run a graph of one node; models of hidden 576
 * and 192, 6 layers, 1,024 and 2,048 tokens; adapter and full; kept, half and fully recomputed; decoded or not;
 * with and without dropout). Buffers and scratch came out to the byte; the rest was 7 to 10 MB with 5 compiled
 * graphs and 9 to 12 MB with 7.
 */
const MIB = 2 ** 20;

/** A compiled graph: the session, its wrapped tensors and its description. */
export const SESSION_BYTES = 1.4 * MIB;

/** Growth of the JavaScript heap. */
export const DRIVER_BYTES = 2 * MIB;
