/** Files that were packed: what tells them, and their bytes as they were. */
import { Readable } from 'node:stream';
import { constants, createGunzip, gunzipSync } from 'node:zlib';
import { brokenFile, unpacksTooFar } from '../../../../language/diagnostics/catalogue/files.js';
import { UserError } from '../../../../language/diagnostics/types.js';
import { HostError } from '../../../../language/host/host.js';
import { begins } from './file-kinds.js';
import { UnpackError } from './unpack-error.js';

interface Packing {
  readonly name: string;
  /** Whether a file that begins so is packed like this. */
  readonly isIn: (start: Uint8Array) => boolean;
  readonly unpack: (pieces: Iterable<Uint8Array>) => AsyncIterable<Uint8Array>;
  /** What a file begins with, of its first bytes; `undefined` where they cannot be unpacked, or to too much. */
  readonly unpackStart?: (start: Uint8Array) => Uint8Array | undefined;
}

const PACKINGS: readonly Packing[] = [
  {
    name: 'gzip',
    isIn: (start) => begins(start, [0x1f, 0x8b]),
    unpack: gunzip,
    unpackStart: gunzipStart,
  },
  {
    name: 'zstd',
    // a frame, or one to be skipped, which `pzstd` begins with
    isIn: (start) =>
      begins(start, [0x28, 0xb5, 0x2f, 0xfd]) ||
      (((start[0] ?? 0) & 0xf0) === 0x50 && begins(start.subarray(1), [0x2a, 0x4d, 0x18])),
    async *unpack(pieces) {
      const { unpackZstd } = await import('./zstd.js');
      yield* unpackZstd(pieces);
    },
  },
];

/** How a file is packed that begins so; `undefined` where it is not. */
export const packingOf = (start: Uint8Array): Packing | undefined => PACKINGS.find(({ isIn }) => isIn(start));

/** Rows are seldom packed to a twentieth; gzip packs zeros to a thousandth, which wastes hours and fills disks. */
const MOST_UNPACKED = 200;
/** Small files may unpack to this in any case. */
const ALWAYS_UNPACKED = 1 << 28;

/**
 * A packed file of `size` bytes, as it was; `check` sees how that begins. Throws a `UserError` if it is broken or has
 * no end, and what `pieces` throw.
 */
export async function* unpacked(
  packing: Packing,
  pieces: Iterable<Uint8Array>,
  {
    name,
    size,
    check,
  }: { readonly name: string; readonly size: number; readonly check: (start: Uint8Array) => void },
): AsyncIterable<Uint8Array> {
  let total = 0;
  try {
    for await (const bytes of packing.unpack(pieces)) {
      if (total === 0) check(bytes);
      total += bytes.length;
      if (total > Math.max(ALWAYS_UNPACKED, MOST_UNPACKED * size))
        throw new UserError(unpacksTooFar(name, size, MOST_UNPACKED, packing.name));
      yield bytes;
    }
  } catch (error) {
    if (!(error instanceof UnpackError)) throw error;
    throw new UserError(
      brokenFile({ file: name, line: 0, column: 0 }, `cannot be unpacked: ${error.message}`),
    );
  }
}

function gunzipStart(start: Uint8Array): Uint8Array | undefined {
  try {
    const begun = gunzipSync(start, {
      finishFlush: constants.Z_SYNC_FLUSH,
      maxOutputLength: MOST_UNPACKED * start.length,
    });
    return begun.length === 0 ? undefined : begun;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined;
    throw error;
  }
}

/** Bytes that are unpacked at a time: so few that they are no longer needed when the young generation is collected next. */
const UNPACKED = 1 << 15;

async function* gunzip(pieces: Iterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const packed = Readable.from(pieces, { objectMode: false });
  const unzip = createGunzip({ chunkSize: UNPACKED });
  packed.on('error', (error) => unzip.destroy(error));
  try {
    for await (const piece of packed.pipe(unzip)) yield piece as Uint8Array;
  } catch (error) {
    if (error instanceof HostError || !(error instanceof Error) || !('code' in error)) throw error;
    throw new UnpackError(error.message);
  }
}
