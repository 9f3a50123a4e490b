import type { Decoder, DecodeSession } from '../../../src/compute/models/decoder/types.js';
import type { ModelConfig } from '../../../src/compute/models/types.js';

export const tinyConfig: ModelConfig = {
  architecture: 'llama',
  vocabSize: 24,
  hiddenSize: 32,
  intermediateSize: 64,
  layers: 2,
  heads: 4,
  keyValueHeads: 2,
  headDim: 8,
  maxPositions: 40,
  ropeTheta: 10_000,
  normEpsilon: 1e-5,
  tieEmbeddings: true,
  bosTokenId: null,
  eosTokenIds: [0],
  padTokenId: null,
};

export interface FakeDecoder extends Pick<Decoder, 'session' | 'options'> {
  /** `[vocab]` after a whole prefix, computed again: what a cache must agree with. */
  after(prefix: readonly number[]): Float32Array;
  /** Rows of every call of `append`. */
  readonly calls: number[];
  /** Tokens of the longest row of each. */
  readonly lengths: number[];
  readonly open: number;
}

/** Logits are a hash of the whole prefix: any slip in what a row has seen changes all that follows. */
export function fakeDecoder(): FakeDecoder {
  const [calls, lengths]: [number[], number[]] = [[], []];
  let open = 0;
  const after = (prefix: readonly number[]): Float32Array => {
    let state = 2166136261;
    for (const id of prefix) state = Math.imul(state ^ (id + 1), 16777619) >>> 0;
    return Float32Array.from({ length: tinyConfig.vocabSize }, (_, i) => {
      const mixed = Math.imul(state ^ Math.imul(i + 1, 0x9e3779b1), 0x85ebca6b) >>> 0;
      return ((mixed ^ (mixed >>> 15)) % 4096) / 512 - 4;
    });
  };
  const opened = new WeakMap<DecodeSession, number[][]>();
  const session = async (rows: number, capacity: number): Promise<DecodeSession> => {
    open++;
    const prefixes: number[][] = Array.from({ length: rows }, () => []);
    let written = new Float32Array(0);
    const own: DecodeSession = {
      extends: true,
      async append(ids, wanted = 'last') {
        // a call writes over the logits of the one before
        written.fill(Number.NaN);
        if (ids.length !== prefixes.length)
          throw new Error(`${ids.length} rows given, ${prefixes.length} held`);
        calls.push(ids.length);
        lengths.push(Math.max(...ids.map(({ length }) => length)));
        const found: Float32Array[] = [];
        for (const [i, more] of ids.entries()) {
          const prefix = prefixes[i] as number[];
          for (const id of more) {
            prefix.push(id);
            if (wanted === 'every') found.push(after(prefix));
          }
          if (prefix.length > capacity) throw new Error('beyond capacity');
          if (wanted === 'last') found.push(after(prefix));
        }
        const logits = Float32Array.from(found.flatMap((row) => [...row]));
        if (wanted === 'last') written = logits;
        return logits;
      },
      async keep(kept) {
        prefixes.splice(0, prefixes.length, ...kept.map((row) => prefixes[row] as number[]));
      },
      async join(other) {
        prefixes.push(...(opened.get(other) ?? []));
        await other.release();
      },
      read: (row, start, end) => Float32Array.from(prefixes[row]?.slice(start, end) ?? []),
      async restore(rows) {
        for (const [row, pieces] of rows.entries())
          for (const { data } of pieces) prefixes[row]?.push(...data);
      },
      async release() {
        open--;
      },
    };
    opened.set(own, prefixes);
    return own;
  };
  return {
    options: { config: tinyConfig } as Decoder['options'],
    session,
    after,
    ...{ calls, lengths },
    get open() {
      return open;
    },
  };
}
