import { type CliContext, errorLine } from './cli-context.js';
import { diagnosticsPrinter } from './diagnostics-printer.js';

/** The last resort: a user's mistake is a sentence, a bug of ours is one line and a file. */
export async function reportBug(error: unknown, context: CliContext): Promise<void> {
  if (isOutOfFiles(error)) {
    context.err(
      errorLine(
        context,
        'too many files are open for the limit of this shell: raise it with `ulimit -n 1024`',
      ),
    );
    return;
  }
  const { userProblem } = await import('../../compute/models/user-problem.js');
  const diagnostic = userProblem(error);
  if (diagnostic !== undefined) {
    const printer = await diagnosticsPrinter(context, new Map());
    for (const text of printer.pretty([diagnostic])) context.err(text);
    return;
  }
  const message = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
  const trace = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const where = (context.host.env('FTPC_DEBUG') ?? '') === '' ? await keep(trace, context) : undefined;
  context.err(
    errorLine(context, `this is a bug in ftpc: ${message}${where === undefined ? '' : ` (trace: ${where})`}`),
  );
  if (where === undefined) context.err(trace);
}

/** Under such a limit, not even what would report a bug can be loaded. */
const isOutOfFiles = (error: unknown): boolean =>
  error instanceof Error && /^E[MN]FILE$/.test((error as NodeJS.ErrnoException).code ?? '');

/** Where the trace was written; `undefined` if it could not be. */
async function keep(trace: string, { host }: CliContext): Promise<string | undefined> {
  const { layoutIn, newRunId, runFolder, writeWhole } = await import('../../pipeline/store/index.js');
  const layout = layoutIn(host.cwd);
  const id = newRunId(host.now(), process.pid);
  try {
    writeWhole(`${runFolder(layout, id)}/crash.txt`, `${trace}\n`, { sync: false });
    return `.ftp/runs/${id}/crash.txt`;
  } catch {
    return undefined;
  }
}
