/**
 * Memory that native libraries may take as it is. TensorFlow shares an array that begins at a multiple of 64 bytes and
 * copies any other; glibc begins a block that it maps by itself 16 bytes after a page. Elsewhere, and for small arrays,
 * nothing is lost but the copy.
 */
const LEAD = 48;

/** Bytes from which on a block is mapped by itself, in processes that are told so (`MALLOC_MMAP_THRESHOLD_`). */
export const MAPPED_BYTES = 2 ** 20;

/**
 * The same in the process of a stage, by the runtime. Left alone, glibc takes ever larger blocks from heaps once such a block was freed:
 * what longer rows outgrow then stays with the process, 10 MiB in a training of 56 steps.
 */
export const MAPPED_IN_STAGES: Readonly<Record<string, number>> = {
  onnx: 128 * 1024,
  // shares weights that are mapped, and copies others
  tensorflow: MAPPED_BYTES,
};

export const shareableBytes = (length: number): Uint8Array =>
  length < MAPPED_BYTES ? new Uint8Array(length) : new Uint8Array(new ArrayBuffer(LEAD + length), LEAD);

export function shareableFloats(length: number): Float32Array {
  const { buffer, byteOffset } = shareableBytes(4 * length);
  return new Float32Array(buffer, byteOffset, length);
}
