/**
 * What a process holds beside the tensors that the plan counts, measured with ONNX Runtime 1.30 and Node 20 on
 * Linux (growth of the peak resident memory over a process that had run a graph of one node; models of hidden 576
 * and 192, 6 layers, 1,024 and 2,048 tokens; adapter and full; kept, half and fully recomputed; decoded or not;
 * with and without dropout). Buffers and scratch came out to the byte; the rest was 7.8 MB with 3 compiled graphs,
 * 11.1–13.1 MB with 5, 16.5 MB with 7.
 */
const MIB = 2 ** 20;

/** A compiled graph: the session, its wrapped tensors and its description. */
export const SESSION_BYTES = 2.2 * MIB;

/** Growth of the JavaScript heap. */
export const DRIVER_BYTES = 2 * MIB;

/** A process that has loaded ONNX Runtime and run one graph; three quarters of it are mapped files. */
export const RUNTIME_BYTES = 86 * MIB;
