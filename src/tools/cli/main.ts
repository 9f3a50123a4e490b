#!/usr/bin/env node
/** Loads the command. Its many files may be more than the system lets it open, which has to end in a sentence, too. */
import { loadFailure } from '../../language/host/system-limit.js';

try {
  const { start } = await import('./start.js');
  await start();
} catch (error) {
  const said = loadFailure(error);
  if (said === undefined) throw error;
  process.stderr.write(said);
  process.exitCode = 1;
}
