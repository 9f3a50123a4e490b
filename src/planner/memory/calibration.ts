/**
 * What a stage's process holds beside the tensors that the graphs account for. Measured on Linux x64 with Node 20 and
 * onnxruntime-node 1.30 as VmHWM less the counted parts; `test/planner/measure/train-child.ts` prints such a figure
 * for a workload, and `test/planner/calibration.test.ts` compares it with the plan.
 */
const MIB = 2 ** 20;

/** Node, this program, the tensor runtime with its thread pool, and its compiled graphs. */
const DECODER_PROCESS = 112 * MIB;

/** What starting up and loading leave free in the heaps … */
const START_UP = 44 * MIB;
/** … and how much of it the tensors that come later fill, a byte of theirs. */
const FILLED = 0.11;

/** A process that runs a decoder whose tensors take `tensors` bytes, beside those. */
export const decoderProcess = (tensors: number): number =>
  DECODER_PROCESS + Math.max(0, START_UP - FILLED * tensors);

/** The same with a tokenizer loaded, beside what its file takes. */
export const TOKENIZER_SHARE = 6;

/** A process without a tensor runtime: Node, this program, and strings on their way to the collector. */
export const ROW_PROCESS = 90 * MIB;

/** A deploy without a smoke prompt: copies files through a window. */
export const COPY_PROCESS = 70 * MIB;

/** How far a count of tensors is from what is measured, either way. */
export const SPREAD = { below: 0.06, above: 0.05 } as const;

/** A context on a device: kernels, libraries, handles. NVIDIA's take 0.5 to 1.5 GiB. */
export const DEVICE_CONTEXT = { expected: 1024 * MIB, spread: 512 * MIB } as const;
