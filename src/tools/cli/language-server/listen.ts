/** Starts the server in a thread of its own, and carries messages between it and standard input and output. */
import { Worker } from 'node:worker_threads';
import type { Message } from 'vscode-languageserver/node.js';

/**
 * A thread, because of its memory: every keystroke makes a tree and throws the last one away, and with room for a few
 * of them young objects are collected in two thirds of the time. The size of that room can be chosen for a thread.
 */
const YOUNG_MEGABYTES = 96;

const GOODBYE: Message & { readonly method: string } = { jsonrpc: '2.0', method: 'exit' };

/** Ends with the editor's `exit`, or when the editor is gone; `editor` is its process, where it says so. */
export async function listen(cwd: string, editor: string | undefined): Promise<number> {
  const worker = new Worker(new URL('./server-thread.js', import.meta.url), {
    workerData: { cwd },
    argv: editor === undefined ? [] : [`--clientProcessId=${editor}`],
    stdout: true,
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MEGABYTES },
  });
  // What is printed by mistake must not appear between messages.
  worker.stdout.pipe(process.stderr);
  const ended = new Promise<number>((resolve, reject) => worker.on('error', reject).on('exit', resolve));
  // The thread loads while this does.
  const { StreamMessageReader, StreamMessageWriter } = await import('vscode-languageserver/node.js');
  const writer = new StreamMessageWriter(process.stdout);
  let written: Promise<void> = Promise.resolve();
  worker.on('message', (message: Message) => {
    written = writer.write(message);
  });
  const reader = new StreamMessageReader(process.stdin);
  reader.onError((error) => console.error(`a message from the editor cannot be read: ${error.message}`));
  reader.listen((message) => worker.postMessage(message));
  process.stdin.once('end', () => worker.postMessage(GOODBYE));
  const code = await ended;
  await written;
  process.stdin.destroy();
  return code;
}
