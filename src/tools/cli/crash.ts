import { diagnosticsPrinter } from './diagnostics.js';
import { errorLine } from './say.js';
import type { World } from './world.js';

/** The last resort: a user's mistake is a sentence, a bug of ours is one line and a file. */
export async function reportBug(error: unknown, world: World): Promise<void> {
  if (isOutOfFiles(error)) {
    world.err(
      errorLine(world, 'too many files are open for the limit of this shell: raise it with `ulimit -n 1024`'),
    );
    return;
  }
  const { userProblem } = await import('../../compute/models/user-problem.js');
  const diagnostic = userProblem(error);
  if (diagnostic !== undefined) {
    const printer = await diagnosticsPrinter(world, new Map());
    for (const text of printer.pretty([diagnostic])) world.err(text);
    return;
  }
  const message = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
  const trace = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const where = (world.host.env('FTPC_DEBUG') ?? '') === '' ? await keep(trace, world) : undefined;
  world.err(
    errorLine(world, `this is a bug in ftpc: ${message}${where === undefined ? '' : ` (trace: ${where})`}`),
  );
  if (where === undefined) world.err(trace);
}

/** Under such a limit, not even what would report a bug can be loaded. */
const isOutOfFiles = (error: unknown): boolean =>
  error instanceof Error && /^E[MN]FILE$/.test((error as NodeJS.ErrnoException).code ?? '');

/** Where the trace was written; `undefined` if it could not be. */
async function keep(trace: string, { host }: World): Promise<string | undefined> {
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
