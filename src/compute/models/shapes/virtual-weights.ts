/** A safetensors file as it would begin: what a plan reads of weights that are not there. */
import type { Json } from '../../../language/host/json.js';
import type { NamedShape } from '../architectures/blueprint.js';

interface VirtualWeights {
  /** Size of the whole file. */
  readonly bytes: number;
  /** Its length and its header, and no data. */
  readonly head: Uint8Array;
}

const DTYPES = { float32: ['F32', 4], float16: ['F16', 2], bfloat16: ['BF16', 2] } as const;

/** `dtype` of transformers 5, or `torch_dtype` of 4; the Hub's usual one where a config says nothing. */
function dtypeOf(config: Json): readonly [name: string, bytes: number] {
  const name = String(config['dtype'] ?? config['torch_dtype']);
  return Object.entries(DTYPES).find(([one]) => one === name)?.[1] ?? DTYPES.bfloat16;
}

export function virtualWeights(config: Json, tensors: readonly NamedShape[]): VirtualWeights {
  const [dtype, width] = dtypeOf(config);
  let end = 0;
  const entries = tensors.map(({ name, shape }) => {
    const begin = end;
    end += width * shape.reduce((product, size) => product * size, 1);
    return [name, { dtype, shape, data_offsets: [begin, end] }];
  });
  const header = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const head = new Uint8Array(8 + header.length);
  new DataView(head.buffer).setBigUint64(0, BigInt(header.length), true);
  head.set(header, 8);
  return { bytes: head.length + end, head };
}
