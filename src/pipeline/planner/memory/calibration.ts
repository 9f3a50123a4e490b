/**
 * What a stage's process holds besides the tensors that the graphs account for: VmHWM of real runs less the counted
 * parts, on Linux x64 with Node 20 and onnxruntime-node 1.30. `npm run bench -- plans` runs whole pipelines and compares
 * each stage with its plan; `ftpc run FILE --json` prints the same figures.
 *
 * Measured with `npm run bench -- plans`: trainings of two bases of 8 and 44 blocks by every method, of two steps, and the
 * templates of `ftpc init`, of 190 to 380. The figures hold where the stage's process exposes `gc`, so that buffers that were
 * outgrown and objects of earlier steps are freed (`tensor/garbage.ts`), has little room for young objects
 * (`run/stage-process.ts`), and where threads share two arenas of glibc (`run/stage-environment.ts`); elsewhere a training of
 * 380 steps ended 30 MiB higher.
 */
import { nodeBytes } from './node-process.js';

const MIB = 2 ** 20;

/** Of this Node, beyond the one that all was measured with. */
const NEWER_NODE = {
  tensors: nodeBytes(process.versions.node, 'tensors'),
  rows: nodeBytes(process.versions.node, 'rows'),
} as const;

/** Node, this program, its thread that writes checkpoints, the tensor runtime with its thread pool and its compiled graphs. */
export const DECODER_PROCESS = 105 * MIB + NEWER_NODE.tensors;

/**
 * For each tensor that is trained, and its gradient and state: what the process keeps of it besides its bytes. Measured with 88, 352 and 616
 * low-rank factors over 44 blocks, trained by AdamW, and 616 by SGD.
 */
export const TRAINED_TENSOR = 2.5 * 1024;

/**
 * What the heaps of V8 and of glibc grow by over the steps of a training. Measured in one of 240, which also validates and writes a
 * checkpoint every 50: 155.6 MiB after 2 steps, 156.9 after 12, 164.4, 165.7 and 166.8 after 60, 120 and 240.
 */
export const GROWN = { bytes: 9 * MIB, steps: 60 } as const;

/** An evaluation or a merge, which also loads the tokenizer and keeps rows and answers. */
export const READER_PROCESS = 98 * MIB + NEWER_NODE.tensors;

/** Bytes of a token of a vocabulary in a GGUF file, with its merges. */
export const TOKEN_IN_FILE = 115;

/** A stage that streams rows: its process, and what stays of a row in tables. */
export interface RowProcess {
  readonly process: number;
  readonly row: number;
}
/** What waits for the collector after so much, both in MiB: between two figures on a line, and from the last one on as there. */
export interface WaitingFigure {
  readonly after: number;
  readonly waiting: number;
}
/**
 * V8 gives young objects 4 MiB as the stage begins, twice that once 4 MiB have outlived a collection, and again after 8 MiB more, each
 * time in two halves. `filled`: what is used of the first by what rows and their bytes `allocate`. `grown`: what is used beyond it by how
 * much has `survived`, as `--trace-gc-nvp` has it: 500 to 580 bytes of a row, of 150 or of 7,000, twice as it is copied twice. `read`: the
 * pieces of files that rows are read from, which are buffers that wait with what refers to them. `near`: the search for near duplicates, or
 * for what leaks from one split into another, after `begun` rows, and of each row whose word triples it remembers. `splits`: records of
 * training rows, a MiB at a time, and the filter of hashes that are held out. Measured with 8 to 98,000 rows of `alpaca`, texts and chats,
 * 74 stages; `mostRows`: of more, what is held does not grow.
 */
export const DATA_PROCESS = {
  process: 57 * MIB + NEWER_NODE.rows,
  allocated: { row: 5000, byte: 14 },
  filled: [
    { after: 0, waiting: 0 },
    { after: 1, waiting: 2.5 },
    { after: 2.7, waiting: 5 },
    { after: 4, waiting: 7 },
    { after: 8, waiting: 9.5 },
    { after: 20, waiting: 10.5 },
    { after: 50, waiting: 11.5 },
  ],
  survived: { row: 545, remembered: 330, split: 75 },
  grown: [
    { after: 4, waiting: 0 },
    { after: 4.2, waiting: 8.5 },
    { after: 11, waiting: 9.5 },
    { after: 15, waiting: 18 },
    { after: 20, waiting: 25 },
  ],
  read: { byte: 1.2, most: 22 * MIB },
  near: { begun: 80, bytes: 4 * MIB, row: 1300, byte: 0.65 },
  splits: { row: 270, most: 4 * MIB },
  row: 580,
  mostRows: 180_000,
} as const;
/**
 * Besides that, where rows come from Parquet. Measured in all: 102 MiB for 200 rows, 237 for 20,000 of 1 kB, and 239 for
 * 100,000 of 250 bytes.
 */
export const PARQUET = { library: 50 * MIB, perByte: 4, most: 40 * MIB } as const;
/**
 * What waits for the collector of rows that are formatted cannot be more than V8 gives young objects room for, and the buffers that hang on
 * these: 8 MiB as the stage begins, twice that when 4 MiB have outlived a collection, those of the program's start among them, and
 * again after 8 MiB more. `survived`: how much does of a row, of each of its tokens, and of each message that a chat template writes, as
 * `--trace-gc-nvp` has it: 1.6 and 2.5 kB of rows of 95 and 190 tokens, 2.8 and 3 to 3.7 of chats. `garbage`: what then waits in all, in
 * MiB, beyond the process; measured with 50 to 18,000 rows of chats and of `alpaca`, 52 stages. `mostRows`: after so many, nothing grows.
 */
export const FORMAT_PROCESS = {
  process: 67.5 * MIB + NEWER_NODE.rows,
  survived: { row: 550, token: 9, message: 850 },
  garbage: [
    { after: 0, waiting: 1 },
    { after: 0.1, waiting: 3.5 },
    { after: 0.3, waiting: 5 },
    { after: 2, waiting: 12 },
    { after: 4, waiting: 23 },
    { after: 8, waiting: 26 },
    { after: 11, waiting: 44 },
    { after: 20, waiting: 52 },
  ],
  row: 700,
  mostRows: 150_000,
} as const;

/** What a thread that quantised a base leaves in its process, and one that dequantises it has. */
export const QUANTISING_THREAD = 20 * MIB;
export const DEQUANTISING_THREAD = 10 * MIB;

/**
 * A thread that encodes rows next to a format stage, besides its tokenizer. Measured with one, of 49,152 tokens: 284, 290 and 318 MiB
 * after 20,000, 64,000 and 157,000 rows.
 */
export const ENCODER = { process: 44 * MIB } as const;

/** How far the figure of a decoder's process may be from what is measured, as a share, either way. */
export const SPREAD = { below: 0.06, above: 0.05 } as const;
/**
 * The same of a stage that streams rows; `collected`: the share of what may wait for the collector that need not. On a machine that
 * is idle nearly all of it waits; where other programs kept the cores busy, the same stages had collected 30 to 75 % of it.
 */
export const ROW_SPREAD = { below: 0.12, above: 0.15, collected: 0.75 } as const;

/** A context on a device: kernels, libraries, handles. NVIDIA's take 0.5 to 1.5 GiB. */
export const DEVICE_CONTEXT = { expected: 1024 * MIB, spread: 512 * MIB } as const;

/** A process with TensorFlow's CUDA libraries, beyond that for the CPU: assumed, and not measured yet. */
export const CUDA_PROCESS = { expected: 2048 * MIB, spread: 1024 * MIB } as const;
