/**
 * Limits of the system that may be reached at any moment, even while the first files of ftpc are loaded: what says so
 * imports nothing and opens nothing.
 */
const OUT_OF_FILES: readonly unknown[] = ['EMFILE', 'ENFILE'];

/** Whether an error of the system says that no more files can be opened. */
export const isOutOfFiles = (error: unknown): boolean =>
  error instanceof Error && OUT_OF_FILES.includes((error as NodeJS.ErrnoException).code);

export const OPEN_FILES = {
  code: 'FTP0896',
  message: 'more files are open than the system allows',
  help: 'raise the limit and run again: `ulimit -n 1024`, in a new shell if this one refuses',
} as const;

/** `ulimit -n` of this process, asked without opening anything; nothing where the system does not say. */
function openFilesLimit(): string {
  const limit = /"open_files":\s*\{\s*"soft":\s*(\d+)/.exec(JSON.stringify(process.report.getReport()))?.[1];
  return limit === undefined ? '' : ` (\`ulimit -n\` is ${limit})`;
}

/** What is said where ftpc could not be loaded, in lines; `undefined` if it is no failure of the system. */
export function loadFailure(error: unknown): string | undefined {
  if (isOutOfFiles(error)) {
    const { code, message, help } = OPEN_FILES;
    return `error[${code}]: ${message}${openFilesLimit()}\n  = help: ${help}\n`;
  }
  if (!(error instanceof Error)) return undefined;
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (syscall === undefined && code !== 'ERR_MODULE_NOT_FOUND') return undefined;
  return `error: a file of ftpc itself cannot be loaded: ${error.message}\n  = help: install ftpc again\n`;
}
