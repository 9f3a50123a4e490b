import { type Host, HostError } from '../../../language/host/host.js';
import { refusePointer } from '../git-lfs.js';
import { ModelError } from '../types.js';
import { HeaderError, MAX_HEADER_BYTES, parseHeader, type TensorEntry } from './header.js';

/** An open file: its header is in memory, its data is read on demand. */
export interface SafetensorsFile {
  readonly path: string;
  readonly metadata: ReadonlyMap<string, string>;
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  /** `length` bytes of a tensor's data from `start` on (default: all of it), 8-byte aligned in memory. */
  read(entry: TensorEntry, start?: number, length?: number): Uint8Array;
}

const HELP = 'Download or write the file again; it is damaged or not a safetensors file.';

/** Opens and checks a file. Throws a {@link ModelError} `model_weights` for anything that breaks the format's rules. */
export function openSafetensors(host: Host, path: string): SafetensorsFile {
  const stat = host.stat(path);
  if (stat === undefined || stat.isFolder) {
    throw new ModelError('model_not_found', path, 'There is no such file.', 'Give a safetensors file.');
  }
  refusePointer(host, path, stat.size, 'model_weights');
  const bad = (detail: string): ModelError => new ModelError('model_weights', path, detail, HELP);
  if (stat.size < 8) throw bad(`The file has ${stat.size} bytes, too few for a header.`);
  const lead = readAligned(host, path, 0, 8);
  const announced = new DataView(lead.buffer, lead.byteOffset, 8).getBigUint64(0, true);
  if (announced > BigInt(MAX_HEADER_BYTES)) {
    throw bad(`The header announces ${announced} bytes; at most ${MAX_HEADER_BYTES} are allowed.`);
  }
  const headerBytes = Number(announced);
  if (8 + headerBytes > stat.size) {
    throw bad(`The header announces ${headerBytes} bytes and the file has ${stat.size}.`);
  }
  const dataStart = 8 + headerBytes;
  try {
    const header = parseHeader(readAligned(host, path, 8, headerBytes), stat.size - dataStart);
    return {
      path,
      metadata: header.metadata,
      tensors: header.tensors,
      read(entry, start = 0, length = entry.end - entry.begin - start) {
        if (start < 0 || length < 0 || entry.begin + start + length > entry.end) {
          throw new RangeError(`${entry.name}: bytes ${start} to ${start + length} are outside the tensor`);
        }
        return readAligned(host, path, dataStart + entry.begin + start, length);
      },
    };
  } catch (error) {
    if (error instanceof HeaderError) throw bad(error.message);
    throw error;
  }
}

/** Typed arrays can be laid over the result, so it must start at a multiple of 8. */
function readAligned(host: Host, path: string, start: number, length: number): Uint8Array {
  if (length === 0) return new Uint8Array(0);
  try {
    const bytes = host.readBytes(path, start, length);
    if (bytes.byteLength !== length) {
      throw new ModelError(
        'model_weights',
        path,
        `${bytes.byteLength} of ${length} bytes could be read at ${start}.`,
        HELP,
      );
    }
    return bytes.byteOffset % 8 === 0 ? bytes : new Uint8Array(bytes);
  } catch (error) {
    if (error instanceof HostError)
      throw new ModelError(
        'model_weights',
        path,
        `The file could not be read: ${error.detail}.`,
        error.code === 'no_access' ? 'Check its permissions.' : HELP,
        { cause: error },
      );
    throw error;
  }
}
