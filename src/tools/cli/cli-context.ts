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
  /** Columns of the terminal; without one, what COLUMNS asks for, or 80. */
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
    width: process.stderr.columns || process.stdout.columns || askedWidth(host) || 80,
  };
}

/** `error[FTP0801]: cannot write …` */
export function errorLine({ colours }: CliContext, message: string, code?: string): string {
  const { red, bold } = colours.err;
  return `${bold(red(code === undefined ? 'error' : `error[${code}]`))}: ${message}`;
}

/** `COLUMNS=120 ftpc …`; `undefined` if it says nothing. */
function askedWidth(host: Host): number | undefined {
  const columns = Number(host.env('COLUMNS'));
  return Number.isInteger(columns) && columns > 0 ? columns : undefined;
}

/** Columns of a diagnostic. Without a terminal, and unless COLUMNS limits it, a message is one line, as programs look for it. */
export const messageWidth = ({ terminal, width, host }: CliContext): number | undefined =>
  terminal.err ? width : askedWidth(host);

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
