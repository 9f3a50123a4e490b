/** Where `ftpc` is: the setting, the folder's own, the search path. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { workspace } from 'vscode';

export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  /** Only a shell starts it: a `.cmd` of Windows. */
  readonly shell: boolean;
}

export function locate(): Program {
  const path = workspace.getConfiguration('ftpc').get<string>('path')?.trim() ?? '';
  if (path !== '') return program(path);
  // What a stranger's folder brings is not started before the user trusts it.
  for (const folder of workspace.isTrusted ? (workspace.workspaceFolders ?? []) : []) {
    const own = join(folder.uri.fsPath, 'node_modules', '.bin', binary);
    if (existsSync(own)) return program(own);
  }
  return program(binary);
}

const binary = process.platform === 'win32' ? 'ftpc.cmd' : 'ftpc';

/** A script is run by `node` of the search path. */
const program = (path: string): Program =>
  /\.[cm]?js$/.test(path)
    ? { command: 'node', args: [path], shell: false }
    : { command: path, args: [], shell: /\.(cmd|bat)$/i.test(path) };
