/** Files of a release that is published elsewhere: on the disk, or texts that are made for it. */
import { basename, dirname, join } from 'node:path';
import { digestFile } from '../../compute/packaging/manifest.js';
import type { Host } from '../../language/host/host.js';
import { FileSealer, type SealedFile } from '../../language/host/sealed-file.js';

/** A file of a release; its bytes are read when they are sent. */
export interface ReleaseFile {
  /** `/` between folders. */
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
  /** As manifests have it. */
  readonly sealed: SealedFile;
  /** Bytes `from` up to but without `to`. */
  read(from: number, to: number): Iterable<Uint8Array>;
}

const WINDOW = 1 << 20;

export const fileOnDisk = (host: Host, folder: string, name: string, sealed: SealedFile): ReleaseFile => ({
  name,
  bytes: sealed.bytes,
  sha256: sealed.sha256,
  sealed,
  *read(from, to) {
    for (let at = from; at < to; at += WINDOW)
      yield host.readBytes(join(folder, name), at, Math.min(WINDOW, to - at));
  },
});

/** A file that is somewhere else, under its name in the release. */
export const fileAt = (host: Host, name: string, path: string): ReleaseFile => ({
  ...fileOnDisk(host, dirname(path), basename(path), digestFile(host, path)),
  name,
});

export function textFile(name: string, text: string): ReleaseFile {
  const bytes = Buffer.from(text, 'utf8');
  const sealer = new FileSealer();
  sealer.add(bytes);
  const sealed = sealer.seal();
  const read = (from: number, to: number): readonly Uint8Array[] => [bytes.subarray(from, to)];
  return { name, bytes: bytes.length, sha256: sealed.sha256, sealed, read };
}
