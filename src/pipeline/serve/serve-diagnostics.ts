/** FTP2040…: what keeps `ftpc serve` from serving. */
import { userError, wholeFile } from '../../language/diagnostics/make.js';

export const modelNotStarted = (label: string, why: string) =>
  userError(
    'FTP2040',
    wholeFile(label),
    `the process that answers with \`${label}\` could not be started: ${why}`,
    {
      help: 'free what is short, or raise the limit, and start the server again',
    },
  );

/** `how`: a signal or an exit code; `tail`: the last lines that it printed. */
export const modelCrashed = (label: string, how: string, tail: readonly string[]) =>
  userError('FTP2041', wholeFile(label), `the process that answers with \`${label}\` ended (${how})`, {
    notes: tail,
    help:
      how === 'SIGKILL'
        ? 'memory may have run out: a smaller `--max-model-len` or `--max-num-seqs` takes less'
        : '`ftpc doctor` checks the native libraries',
  });

const WHY: Readonly<Record<string, readonly [why: string, help: string]>> = {
  EADDRINUSE: ['something else listens there', 'end that program, or choose another `--port`'],
  EACCES: ['the system does not allow it', 'choose a `--port` of at least 1024'],
  EADDRNOTAVAIL: ['this machine has no such address', 'choose a `--host` of this machine, such as 127.0.0.1'],
  ENOTFOUND: ['this name has no address', 'choose a `--host` of this machine, such as 127.0.0.1'],
  EAI_AGAIN: ['this name has no address', 'choose a `--host` of this machine, such as 127.0.0.1'],
};

/** `undefined` for what is no error of listening. */
export function cannotListen(address: string, port: number, error: unknown) {
  const code = error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? '') : '';
  const known = Object.hasOwn(WHY, code) ? WHY[code] : undefined;
  if (known === undefined) return undefined;
  const [why, help] = known;
  return userError('FTP2042', undefined, `cannot listen on ${address}, port ${port}: ${why}`, { help });
}

export const openToAll = (address: string) =>
  userError('FTP2043', undefined, `\`--host ${address}\` lets other machines ask, and no key is needed`, {
    help: 'name a variable that holds a key with `--key-from NAME`, or add `--allow-anyone`',
  });

export const keyNotSet = (name: string) =>
  userError('FTP2044', undefined, `the variable \`${name}\` of \`--key-from\` is not set`, {
    help: `set it: \`${name}=$(openssl rand -hex 32)\`, and export it`,
  });

export const keyTooShort = (name: string, least: number) =>
  userError('FTP2045', undefined, `the key in \`${name}\` has fewer than ${least} characters`, {
    help: `a key that nobody guesses: \`${name}=$(openssl rand -hex 32)\``,
  });
