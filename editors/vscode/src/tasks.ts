/** `check`, `plan` and `run` of the pipeline in sight: as tasks with a problem matcher, and in a terminal. */
import {
  ShellExecution,
  ShellQuoting,
  Task,
  TaskPanelKind,
  TaskScope,
  type Terminal,
  tasks,
  Uri,
  window,
  workspace,
} from 'vscode';
import { locate } from './locate';

const VERBS = ['check', 'plan', 'run'] as const;
type Verb = (typeof VERBS)[number];

export function pipelineTasks(): Task[] {
  const file = current();
  return file === undefined ? [] : VERBS.map((verb) => taskOf(verb, file));
}

export async function runTask(verb: Verb): Promise<void> {
  const file = await saved();
  if (file !== undefined) await tasks.executeTask(taskOf(verb, file));
}

let terminal: Terminal | undefined;

/** In a terminal of its own, where it can be interrupted and asked again. */
export async function openRun(): Promise<void> {
  const file = await saved();
  if (file === undefined) return;
  if (terminal?.exitStatus !== undefined) terminal = undefined;
  terminal ??= window.createTerminal({ name: 'ftpc', cwd: folderOf(file) });
  terminal.show(true);
  const { command, args } = locate();
  terminal.sendText([command, ...args, 'run', workspace.asRelativePath(file, false)].map(quoted).join(' '));
}

function taskOf(verb: Verb, file: Uri): Task {
  const { command, args } = locate();
  const path = workspace.asRelativePath(file, false);
  const words = [...args, verb, path].map((value) => ({ value, quoting: ShellQuoting.Strong }));
  const task = new Task(
    { type: 'ftpc', command: verb, file: path },
    workspace.getWorkspaceFolder(file) ?? TaskScope.Workspace,
    `${verb} ${path}`,
    'ftpc',
    new ShellExecution({ value: command, quoting: ShellQuoting.Strong }, words, { cwd: folderOf(file) }),
    '$ftpc',
  );
  task.presentationOptions = { panel: TaskPanelKind.Dedicated, clear: true };
  return task;
}

const folderOf = (file: Uri): string =>
  workspace.getWorkspaceFolder(file)?.uri.fsPath ?? Uri.joinPath(file, '..').fsPath;

function current(): Uri | undefined {
  const document = window.activeTextEditor?.document;
  return document?.languageId === 'ftp' && document.uri.scheme === 'file' ? document.uri : undefined;
}

/** What runs is what is in sight. */
async function saved(): Promise<Uri | undefined> {
  await window.activeTextEditor?.document.save();
  const file = current();
  if (file === undefined) void window.showWarningMessage('Save the pipeline as a file first.');
  return file;
}

const quoted = (word: string): string =>
  /^[\w./@:+-]+$/.test(word)
    ? word
    : process.platform === 'win32'
      ? `"${word}"`
      : `'${word.replaceAll("'", `'\\''`)}'`;
