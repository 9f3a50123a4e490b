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
  data: nodeBytes(process.versions.node, 'data'),
  format: nodeBytes(process.versions.node, 'format'),
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

/** Code that rows pass through is compiled, and holds more, the more often it runs: so much for each doubling, beyond a few rows. */
export const WARMED = { from: 10, doubling: 1.1 * MIB } as const;
/**
 * `row`: what tables hold of one: 72 bytes of columns, 48 to tell it apart by, and places in one or two tables of hashes.
 * `compared`: rows whose near copies are looked for, or what leaks from one split into another: filters of hashes, what
 * is held of each row besides an index of its keys, and the word triples of those that are `remembered`, 4 bytes a word. The figures were
 * taken from 115 stages of 10 to 100,000 rows of `alpaca`, texts and chats. They hold where young objects have little room
 * (`run/stage-process.ts`): next to nothing of a row outlives a collection, and pieces of files are read into the same memory.
 */
export const DATA_PROCESS = {
  process: 56.6 * MIB + NEWER_NODE.data,
  row: 180,
  compared: { begun: 2.2 * MIB, row: 60, remembered: { row: 1300, byte: 0.65 } },
} as const;
/**
 * Besides that, where rows come from Parquet: DuckDB, what it holds of the bytes of a file, and chunks of rows on their way out of it, as
 * vectors, as JSON and as strings. Taken from 6 stages of 200 to 100,000 rows of 200 to 1,100 bytes, which took 100 to 192 MiB.
 */
export const PARQUET = {
  library: 41 * MIB,
  ofFile: { byte: 1.85, most: 40 * MIB },
  chunks: { byte: 9, rows: 2 * 2048 },
} as const;
/**
 * `jinja`: what writes rows by a template in Jinja. `token`: of each token of a batch, with its texts, in memory that the next batch takes.
 * Taken from 29 stages of 80 to 18,000 rows. Nothing grows with the rows.
 */
export const FORMAT_PROCESS = {
  process: 60.4 * MIB + NEWER_NODE.format,
  jinja: 4.6 * MIB,
  token: 48,
} as const;

/** What a thread that quantised a base leaves in its process, and one that dequantises it has. */
export const QUANTISING_THREAD = 20 * MIB;
export const DEQUANTISING_THREAD = 10 * MIB;

/**
 * A thread that encodes rows next to a format stage, besides its tokenizer; and the ids and labels that have passed from it to the
 * stage, which wait until V8 looks for what has grown old. Taken with one from 7 stages of 30,000 to 100,000 rows, of 35 to 233 tokens,
 * which took up to an eighth more in one run than in the next.
 */
export const ENCODER = { process: 28 * MIB, token: 8, mostWaiting: 22 * MIB } as const;

/** How far the figure of a decoder's process may be from what is measured, as a share, either way. */
export const SPREAD = { below: 0.06, above: 0.05 } as const;
/** The same of a stage that streams rows. */
export const ROW_SPREAD = { below: 0.1, above: 0.15 } as const;

/** A context on a device: kernels, libraries, handles. NVIDIA's take 0.5 to 1.5 GiB. */
export const DEVICE_CONTEXT = { expected: 1024 * MIB, spread: 512 * MIB } as const;

/** A process with TensorFlow's CUDA libraries, beyond that for the CPU: assumed, and not measured yet. */
export const CUDA_PROCESS = { expected: 2048 * MIB, spread: 1024 * MIB } as const;
