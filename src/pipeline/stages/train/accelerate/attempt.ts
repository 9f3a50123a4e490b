/** What other machines are told of a training that they take part in: which specification, and which try of it. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import * as v from 'valibot';
import type { Host } from '../../../../language/host/host.js';
import { type JsonOf, tryJsonFile, version } from '../../../../language/host/json.js';
import type { OutputFolder } from '../../../../language/ir/outputs.js';

const ATTEMPT = v.object({
  version: version(1),
  /** Another for every try: after a failure, ranks are started again. */
  id: v.string(),
});
type Attempt = JsonOf<typeof ATTEMPT>;

const FILE = 'attempt.json';

/** Written last into the folder of a specification: whatever else it names is there. */
export function writeAttempt(output: OutputFolder): void {
  const attempt: Attempt = { version: 1, id: randomUUID() };
  output.write(FILE, JSON.stringify(attempt));
}

/** `undefined` while nothing can be joined. */
export const readAttempt = (host: Host, folder: string): Attempt | undefined =>
  tryJsonFile(ATTEMPT, host, join(folder, FILE));
