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
const MIB = 2 ** 20;

/** Node, this program, its thread that writes checkpoints, the tensor runtime with its thread pool and its compiled graphs. */
export const DECODER_PROCESS = 105 * MIB;

/**
 * For each tensor that is trained, and its gradient and state: what the process keeps of it besides its bytes. Measured with 88, 352 and 616
 * low-rank factors over 44 blocks, trained by AdamW, and 616 by SGD.
 */
export const TRAINED_TENSOR = 2.5 * 1024;

/**
 * What the heaps of V8 and of glibc grow by over the steps of a training. Measured in three that also validate and write a checkpoint every
 * 50: 151.9, 152.0 and 164.7 MiB after 2 steps, 158.5, 155.5 and 169.5 after 60, 159.0, 158.2 and 172.2 after 240.
 */
export const GROWN = { bytes: 7.5 * MIB, steps: 60 } as const;

/** An evaluation or a merge, which also loads the tokenizer and keeps rows and answers. */
export const READER_PROCESS = 98 * MIB;
/** Of these, pages of the library that cuts texts into tokens, for which a merge has no use whose probes are rows of its training. */
export const TOKENIZER_LIBRARY = 3.2 * MIB;

/** Bytes of a token of a vocabulary in a GGUF file, with its merges. */
export const TOKEN_IN_FILE = 115;

/** Code is compiled, and holds more, the more often it runs, until all of it is: so much for each doubling, within these. */
export interface Warming {
  readonly from: number;
  readonly to: number;
  readonly doubling: number;
}

/**
 * A data stage by its rows, beyond its tables. `compilers`: what they work in, which they give back. Taken from each part of the work of
 * 64 stages of 10 to 200,000 rows of `alpaca`, texts and chats. The figures hold where young objects have little room
 * (`run/stage-process.ts`): next to nothing of a row outlives a collection, and pieces of files are read into the same memory.
 */
export const DATA_PROCESS = {
  process: 57.4 * MIB,
  reading: { from: 64, to: 2500, doubling: 0.46 * MIB },
  compilers: { from: 64, to: 2500, doubling: 0.34 * MIB, until: 8000 },
  writing: { from: 64, to: 3000, doubling: 1.25 * MIB },
} as const;
/**
 * Where rows are compared: WebAssembly and the code that cuts texts into words; of each set of word triples that is remembered its places
 * in tables, and 4 bytes a word.
 */
export const COMPARING = {
  ...{ begun: 3.2 * MIB, from: 800, to: 4500, doubling: 2.2 * MIB },
  ...{ set: 36, byte: 0.55 },
} as const;
/**
 * Besides that, where rows come from Parquet: DuckDB, what it holds of the bytes of a file, in whatever groups its rows are, and chunks of
 * rows on their way out of it, as vectors, as JSON and as strings. Taken from 12 stages of 200 to 800,000 rows of 230 to 1,820 bytes,
 * which took 106 to 218 MiB.
 */
export const PARQUET = {
  duckdb: 46.5 * MIB,
  ofFile: { byte: 1.1, most: 64 * MIB },
  chunks: { byte: 7.2, rows: 2 * 2048 },
} as const;
/**
 * A format stage beyond its tokenizer: the process, also where a template in Jinja writes rows, and its code by the tokens that it has made.
 * Taken from 46 stages of 20 to 10,000 rows and 1,000 to 1,900,000 tokens, of `alpaca`, chats and questions with choices, of prose and of 36
 * words again and again. A batch and what it becomes lie where the stage began.
 */
export const FORMAT_PROCESS = {
  ...{ plain: 65.4 * MIB, inJinja: 66.5 * MIB },
  ...{ from: 1000, to: 300_000, doubling: 0.66 * MIB },
} as const;

/** What a thread that quantised a base leaves in its process, and one that dequantises it has. */
export const QUANTISING_THREAD = 20 * MIB;
export const DEQUANTISING_THREAD = 10 * MIB;

/** A thread that encodes rows next to a format stage, besides its tokenizer, and one of V8's that compiles for it. */
export const ENCODER_PROCESS = 22.5 * MIB;

/** How far the figure of a decoder's process may be from what is measured, as a share, either way. */
export const SPREAD = { below: 0.06, above: 0.05 } as const;
/**
 * The same of a stage that streams rows; `fromParquet`: a file of many small groups of rows took 1.19 times what is planned, as
 * DuckDB holds more of each.
 */
export const ROW_SPREAD = { below: 0.1, above: 0.15, fromParquet: 0.22 } as const;

/** A context on a device: kernels, libraries, handles. NVIDIA's take 0.5 to 1.5 GiB. */
export const DEVICE_CONTEXT = { expected: 1024 * MIB, spread: 512 * MIB } as const;

/** A process with TensorFlow's CUDA libraries, beyond that for the CPU: assumed, and not measured yet. */
export const CUDA_PROCESS = { expected: 2048 * MIB, spread: 1024 * MIB } as const;
