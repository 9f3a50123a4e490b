/** What blocks take that glibc maps by themselves, besides their bytes. */
import { MAPPED_IN_STAGES } from '../../../language/host/shareable.js';
import { lookUp } from '../../../language/source/look-up.js';

/** Such a block begins 16 bytes after a page, and has a whole number of pages, as do the bytes of most tensors. */
const PAGE = 4096;

/** Buffers of so many bytes each. */
export interface BufferSizes {
  readonly bytes: number;
  readonly count: number;
}

export function mappedPages(runtime: string, buffers: readonly BufferSizes[]): number {
  const least = lookUp(MAPPED_IN_STAGES, runtime) ?? Number.POSITIVE_INFINITY;
  return buffers.reduce((sum, { bytes, count }) => (bytes >= least ? sum + PAGE * count : sum), 0);
}
