/** Programs of the system that an installation needs. */
import { execa } from 'execa';

export interface ToolResult {
  readonly missing: boolean;
  readonly failed: boolean;
  readonly stdout: string;
  /** The last lines that it wrote, on either stream. */
  readonly output: readonly string[];
}

interface ToolOptions {
  readonly cwd: string;
  readonly signal: AbortSignal;
  readonly env?: Readonly<Record<string, string>>;
}

const LINES = 8;

/** Throws only the signal's reason. */
export async function runTool(
  program: string,
  words: readonly string[],
  { cwd, signal, env = {} }: ToolOptions,
): Promise<ToolResult> {
  const result = await execa(program, [...words], {
    cwd,
    env: { ...env, LC_ALL: 'C' },
    cancelSignal: signal,
    stdin: 'ignore',
    reject: false,
    all: true,
  });
  if (signal.aborted) throw signal.reason;
  return {
    missing: result.code === 'ENOENT' || result.code === 'EACCES',
    failed: result.failed,
    stdout: result.stdout,
    output: (result.all ?? '')
      .split('\n')
      .filter((line) => line.trim() !== '')
      .slice(-LINES),
  };
}
