/** A worker without Python: answers each request as `FAKE_WORKER` says for what it asks to be done, and notes what it was told. */
import { appendFileSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** Lines to say, with the request's id; or what to do instead. */
export type FakeAnswer = readonly (object | { readonly kill: NodeJS.Signals } | { readonly exit: number })[];

const answers = JSON.parse(process.env['FAKE_WORKER'] ?? '{}') as Record<string, FakeAnswer>;
const log = process.env['FAKE_LOG'];
const say = (line: object): void => void writeSync(1, `${JSON.stringify(line)}\n`);

say({ ready: true });
const lines = createInterface({ input: process.stdin });
lines.on('line', (text) => {
  if (log !== undefined) appendFileSync(log, `${text}\n`);
  const request = JSON.parse(text) as { readonly id: number; readonly do: string };
  for (const act of answers[request.do] ?? []) {
    if ('kill' in act) process.kill(process.pid, act.kill as NodeJS.Signals);
    else if ('exit' in act) process.exit(act.exit as number);
    else say({ id: request.id, ...act });
  }
});
lines.on('close', () => {
  if (log !== undefined) appendFileSync(log, 'end\n');
  process.exit(0);
});
