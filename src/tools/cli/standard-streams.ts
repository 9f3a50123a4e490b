/** Standard output and error: whatever cannot be written to them ends the command, with an exit code that says so. */
import { fstatSync, writeSync } from 'node:fs';
import { EXIT } from './command.js';

const NAMES = { 1: 'output', 2: 'error' } as const;
type Descriptor = keyof typeof NAMES;

const NOTHING = new Uint8Array(0);

/**
 * Watches both. A device that takes nothing at all, as `/dev/full`, is noticed before hours of work; a reader that has had
 * enough (`ftpc … | head`) ends the command as any other program, by SIGPIPE.
 */
export function guardStreams(): void {
  for (const [descriptor, stream] of [
    [1, process.stdout],
    [2, process.stderr],
  ] as const) {
    if (isFile(descriptor)) writeWholly(stream, descriptor);
    stream.on('error', (error: NodeJS.ErrnoException) => refuse(descriptor, error));
    try {
      writeSync(descriptor, NOTHING);
    } catch (error) {
      refuseIfFull(descriptor, error as NodeJS.ErrnoException);
    }
  }
}

/** A pipe that is full for now takes more later, and a closed one may not be needed. */
function refuseIfFull(descriptor: Descriptor, error: NodeJS.ErrnoException): void {
  if (error.code === 'ENOSPC' || error.code === 'EIO' || error.code === 'EDQUOT') refuse(descriptor, error);
}

const isFile = (descriptor: Descriptor): boolean => {
  try {
    return fstatSync(descriptor).isFile();
  } catch {
    return false;
  }
};

/** Node takes a short write to a file, as the last one before a disk is full or a limit reached, for a whole one. */
function writeWholly(stream: NodeJS.WriteStream, descriptor: Descriptor): void {
  stream._write = (chunk: string | Uint8Array, encoding, done) => {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk;
    try {
      for (let at = 0; at < bytes.byteLength; ) at += writeSync(descriptor, bytes, at);
      done();
    } catch (error) {
      done(error as Error);
    }
  };
}

const CODE = 'FTP0897';

const WHY: Readonly<Record<string, string>> = {
  ENOSPC: 'no space is left on its device',
  EDQUOT: 'the quota of its disk is used up',
  EFBIG: 'the file has reached its limit (`ulimit -f`)',
  EIO: 'its device reports an error',
};

function refuse(descriptor: Descriptor, { code = '', message }: NodeJS.ErrnoException): void {
  if (code === 'EPIPE') endByPipe();
  if (descriptor === 1)
    try {
      writeSync(
        2,
        `error[${CODE}]: standard ${NAMES[descriptor]} cannot be written: ${WHY[code] ?? message}\n  = help: write it to another place; a run goes on from where it was\n`,
      );
    } catch {
      // Standard error takes nothing either.
    }
  process.exit(EXIT.error);
}

/** Node ignores the signal until someone has listened to it. */
function endByPipe(): never {
  const listen = (): void => {};
  if (process.platform !== 'win32') {
    process.on('SIGPIPE', listen);
    process.removeListener('SIGPIPE', listen);
    process.kill(process.pid, 'SIGPIPE');
  }
  process.exit(128 + 13);
}
