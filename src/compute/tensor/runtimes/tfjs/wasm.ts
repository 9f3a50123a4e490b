/**
 * The heap of the WebAssembly backend. It ends at 4 GiB, and what was in it is lost when it is exceeded: tensors are
 * counted, refused before that, and an abort is the end.
 */
import { deviceFull, wasmAborted } from '../../../../language/diagnostics/catalogue/runtimes.js';
import { UserError } from '../../../../language/diagnostics/types.js';
import { outOfMemory } from '../../out-of-memory.js';
import type { Backend, Core, OpenBackend } from './library.js';

export const MOST_HEAP = 3 * 2 ** 30;

/** Emscripten's allocator, by its own names. */
interface Heap {
  _malloc(bytes: number): number;
  _free(place: number): void;
}

/** Refuses tensors beyond `memory` bytes, of which there are at most 3 GiB. */
export function limitHeap(core: Core, memory = MOST_HEAP): Pick<OpenBackend, 'check' | 'guarded'> {
  const { wasm } = core.engine().backend as Backend & { readonly wasm: Heap };
  const most = Math.min(memory, MOST_HEAP);
  // at first these are stubs, which put the allocator's own functions in their place, and ours away, when they are called
  wasm._free(wasm._malloc(1));
  const sizes = new Map<number, number>();
  let taken = 0;
  let ended: UserError | undefined;
  const refused = (bytes: number) =>
    outOfMemory(deviceFull(bytes, taken, most), { runtime: 'wasm', memory: 'host', bytes });
  const allocate = wasm._malloc.bind(wasm);
  const free = wasm._free.bind(wasm);
  wasm._malloc = (bytes) => {
    if (taken + bytes > most) throw refused(bytes);
    const place = allocate(bytes);
    if (place === 0 && bytes > 0) throw refused(bytes);
    sizes.set(place, bytes);
    taken += bytes;
    return place;
  };
  wasm._free = (place) => {
    taken -= sizes.get(place) ?? 0;
    sizes.delete(place);
    free(place);
  };
  return {
    check() {
      if (ended !== undefined) throw ended;
    },
    guarded(use) {
      try {
        return use();
      } catch (error) {
        if (!(error instanceof Error && error.name === 'RuntimeError')) throw error;
        ended = new UserError(wasmAborted(error.message));
        throw ended;
      }
    },
  };
}
