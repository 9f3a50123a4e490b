const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such interpreter',
  EACCES: 'its file may not be executed',
  EAGAIN: 'no more processes are allowed (`ulimit -u`)',
  ENOMEM: 'there is no memory for another process',
  EMFILE: 'too many files are open (`ulimit -n`)',
};

/** Why the system started no Python process, and what to do. */
export const notStartedBecause = ({ code, message }: NodeJS.ErrnoException, python: string) => ({
  why: REASONS[code ?? ''] ?? message,
  advice: {
    notes: [`the interpreter is \`${python}\``],
    help: 'name another with `--python` or `FTPC_PYTHON`, or `ftpc runtime install accelerate`',
  },
});
