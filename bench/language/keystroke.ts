/**
 * What a keystroke costs in the language server, over its real connection: from the change that the editor sends to
 * the diagnostics of the new text, and to the answer of a completion asked right after it. Plans are off: they are
 * made elsewhere, after typing has stopped.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import {
  createProtocolConnection,
  type ProtocolConnection,
  type PublishDiagnosticsParams,
  StreamMessageReader,
  StreamMessageWriter,
} from 'vscode-languageserver-protocol/node';
import { nodeHost } from '../../src/language/host/node-host.js';
import { chains } from './texts.js';

interface KeystrokeTimes {
  readonly lines: number;
  readonly keystrokes: number;
  /** Milliseconds. */
  readonly diagnostics: Times;
  readonly completion: Times;
}

interface Times {
  readonly median: number;
  readonly p95: number;
}

/** Typed again and again in the middle of the file; half of the time it does not parse. */
const TYPED = '  stop = { epochs: 2, patience: 3 }';
const WARM = 60;

export async function keystrokes(lines: number, count = 200): Promise<KeystrokeTimes> {
  const main = fileURLToPath(new URL('../../bin/main.js', import.meta.url));
  const child = spawn(process.execPath, [main, 'language-server', '--stdio'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const connection = createProtocolConnection(
    new StreamMessageReader(child.stdout),
    new StreamMessageWriter(child.stdin),
  );
  connection.listen();
  try {
    return await measure(connection, lines, count);
  } finally {
    connection.dispose();
    child.kill();
  }
}

async function measure(
  connection: ProtocolConnection,
  lines: number,
  count: number,
): Promise<KeystrokeTimes> {
  const root = nodeHost().packageFolder;
  await connection.sendRequest('initialize', {
    processId: process.pid,
    rootUri: pathToFileURL(root).href,
    capabilities: {},
    initializationOptions: { plan: false },
  });
  await connection.sendNotification('initialized', {});
  // Next to the repository's own rows, which the text names; it is never written.
  const uri = pathToFileURL(join(root, 'pipelines', 'keystrokes.ftp')).href;
  const text = chains(lines);
  const line = Math.floor(text.split('\n').length / 2);
  const start = text.split('\n').findIndex((words, index) => index > line && words.startsWith('train ')) + 1;
  const heard = listener(connection, uri);
  let version = 1;
  const first = heard(version);
  await connection.sendNotification('textDocument/didOpen', {
    textDocument: { uri, languageId: 'ftp', version, text },
  });
  await first;
  const change = (range: object, inserted: string): Promise<void> =>
    connection.sendNotification('textDocument/didChange', {
      textDocument: { uri, version: ++version },
      contentChanges: [{ range, text: inserted }],
    });
  await change(rangeAt(start, 0, 0), '\n');
  const times: { diagnostics: number[]; completion: number[] } = { diagnostics: [], completion: [] };
  for (let key = 0; key < WARM + count; key++) {
    const at = key % TYPED.length;
    if (at === 0) {
      const cleared = heard(version + 1);
      await change(rangeAt(start, 0, key === 0 ? 0 : TYPED.length), '');
      await cleared;
    }
    const began = performance.now();
    const diagnostics = heard(version + 1).then(() => performance.now() - began);
    await change(rangeAt(start, at, at), TYPED.charAt(at));
    const completion = connection
      .sendRequest('textDocument/completion', {
        textDocument: { uri },
        position: { line: start, character: at + 1 },
      })
      .then(() => performance.now() - began);
    const [told, answered] = [await diagnostics, await completion];
    if (key < WARM) continue;
    times.diagnostics.push(told);
    times.completion.push(answered);
  }
  return {
    lines: text.split('\n').length - 1,
    keystrokes: count,
    diagnostics: summary(times.diagnostics),
    completion: summary(times.completion),
  };
}

const rangeAt = (line: number, from: number, to: number): object => ({
  start: { line, character: from },
  end: { line, character: to },
});

/** Waits for the diagnostics of a version. */
function listener(connection: ProtocolConnection, uri: string): (version: number) => Promise<void> {
  let latest = 0;
  let waiting: { readonly version: number; readonly tell: () => void } | undefined;
  connection.onNotification('textDocument/publishDiagnostics', (params: PublishDiagnosticsParams) => {
    if (params.uri !== uri) return;
    latest = params.version ?? 0;
    if (waiting !== undefined && latest >= waiting.version) waiting.tell();
  });
  return (version) =>
    new Promise((tell) => {
      if (latest >= version) tell();
      else waiting = { version, tell };
    });
}

function summary(values: readonly number[]): Times {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN;
  return { median: at(0.5), p95: at(0.95) };
}
