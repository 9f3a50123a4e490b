import { buffer } from 'node:stream/consumers';
import pc from 'picocolors';
import type { Host } from '../../language/host/host.js';

export type Colours = ReturnType<typeof pc.createColors>;

/** What a command sees of the outside. */
export interface CliContext {
  readonly host: Host;
  /** Data: standard output, one line each. */
  out(line: string): void;
  /** Words for people: standard error while standard output carries data. */
  err(line: string): void;
  /** All of standard input as it is. */
  input(): Promise<Uint8Array>;
  /** Standard output or error is a terminal. */
  readonly terminal: { readonly out: boolean; readonly err: boolean };
  /** Of the stream that people read. */
  readonly colours: { readonly out: Colours; readonly err: Colours };
  /** Columns of the terminal. */
  readonly width: number;
}

export function processContext(host: Host): CliContext {
  return {
    host,
    out: (line) => void process.stdout.write(`${line}\n`),
    err: (line) => void process.stderr.write(`${line}\n`),
    input: () => buffer(process.stdin),
    terminal: { out: process.stdout.isTTY === true, err: process.stderr.isTTY === true },
    colours: { out: coloursOf(host, process.stdout), err: coloursOf(host, process.stderr) },
    // A terminal that does not know its size says 0.
    width: process.stderr.columns || process.stdout.columns || 100,
  };
}

/** `error[FTP0801]: cannot write …` */
export function errorLine({ colours }: CliContext, message: string, code?: string): string {
  const { red, bold } = colours.err;
  return `${bold(red(code === undefined ? 'error' : `error[${code}]`))}: ${message}`;
}

/** Columns that a line may take on this stream; no limit where it goes into a file or another program. */
export const lineWidth = ({ terminal, width }: CliContext, stream: 'out' | 'err'): number | undefined =>
  terminal[stream] ? width : undefined;

/** Whether lines can be written over: a terminal may be one that knows no escapes. */
export const canOverwrite = ({ terminal, host }: CliContext): boolean =>
  terminal.err && host.env('TERM') !== 'dumb';

/** Goes to the start of the line on a terminal that can, and empties it: of a bar, or of the `^C` of who pressed it. */
export const LINE_START = '\r\x1b[2K';

/** What begins a line of standard error that something may be in already. */
export const lineStart = (context: CliContext): string =>
  canOverwrite(context) ? LINE_START : context.terminal.err ? '\n' : '';

/** NO_COLOR wins (https://no-color.org), then FORCE_COLOR, then whether anyone is looking. */
function coloursOf(host: Host, stream: NodeJS.WriteStream): Colours {
  const set = (name: string): boolean => (host.env(name) ?? '') !== '';
  if (set('NO_COLOR')) return pc.createColors(false);
  if (set('FORCE_COLOR')) return pc.createColors(host.env('FORCE_COLOR') !== '0');
  return pc.createColors(stream.isTTY === true && host.env('TERM') !== 'dumb');
}
