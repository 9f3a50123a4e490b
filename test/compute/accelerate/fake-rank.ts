/** A rank without Python: does what `FAKE_RANKS` says for its number, one thing after another. */
import { writeSync } from 'node:fs';

export type FakeAct =
  | { readonly say: object }
  | { readonly print: string }
  | { readonly fail: string }
  | { readonly kill: NodeJS.Signals }
  | { readonly exit: number }
  /** Waits for the request to end, or for its parent to be gone. */
  | { readonly wait: 'stop' }
  | { readonly wait: 'forever' };

const acts = (JSON.parse(process.env['FAKE_RANKS'] ?? '{}') as Record<string, readonly FakeAct[]>)[
  process.env['RANK'] ?? ''
];

process.on('SIGTERM', () => {});
const asked = new Promise<void>((resolve) => {
  process.stdin.on('data', (chunk) => {
    if (String(chunk).includes('"stop":true')) resolve();
  });
});
process.stdin.on('end', () => process.exit(9));

for (const act of acts ?? []) {
  if ('say' in act) writeSync(1, `${JSON.stringify(act.say)}\n`);
  else if ('print' in act) writeSync(1, `${act.print}\n`);
  else if ('fail' in act) writeSync(2, `${act.fail}\n`);
  else if ('kill' in act) {
    process.kill(process.pid, act.kill);
    await new Promise((resolve) => setTimeout(resolve, 1e6));
  } else if ('exit' in act) process.exit(act.exit);
  else if (act.wait === 'stop') await asked;
  else await new Promise((resolve) => setTimeout(resolve, 1e6));
}
process.exit(0);
