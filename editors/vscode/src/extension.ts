/** Starts the language server of ftpc, and the commands that VS Code shows for pipelines. */
import { commands, type ExtensionContext, tasks, window, workspace } from 'vscode';
import { LanguageClient, type LanguageClientOptions, TransportKind } from 'vscode-languageclient/node';
import { locate } from './locate';
import { openRun, pipelineTasks, runTask } from './tasks';

let client: LanguageClient | undefined;

const SECTION = 'ftpc';

export async function activate(context: ExtensionContext): Promise<void> {
  context.subscriptions.push(
    commands.registerCommand('ftpc.restart', restart),
    commands.registerCommand('ftpc.plan', () => runTask('plan')),
    commands.registerCommand('ftpc.check', () => runTask('check')),
    commands.registerCommand('ftpc.run', openRun),
    tasks.registerTaskProvider(SECTION, { provideTasks: pipelineTasks, resolveTask: () => undefined }),
    workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration('ftpc.path')) void restart();
    }),
  );
  await start();
}

export async function deactivate(): Promise<void> {
  await client?.stop();
}

async function restart(): Promise<void> {
  await client?.dispose();
  client = undefined;
  await start();
}

async function start(): Promise<void> {
  const { command, args, shell } = locate();
  const options: LanguageClientOptions = {
    documentSelector: [{ language: 'ftp' }],
    initializationOptions: workspace.getConfiguration(SECTION),
    synchronize: { configurationSection: SECTION },
  };
  client = new LanguageClient(
    SECTION,
    'ftpc',
    // The transport adds `--stdio`.
    {
      command: shell ? `"${command}"` : command,
      args: [...args, 'language-server'],
      options: { shell },
      transport: TransportKind.stdio,
    },
    options,
  );
  try {
    await client.start();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const choice = await window.showErrorMessage(
      `ftpc could not be started as \`${[command, ...args].join(' ')}\`: ${message}`,
      'Set its path',
    );
    if (choice !== undefined) await commands.executeCommand('workbench.action.openSettings', 'ftpc.path');
  }
}
