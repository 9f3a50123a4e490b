import type { World } from '../world.js';
import type { RunView } from './watch.js';

/** One JSON object a line, nothing else; diagnostics are events too. */
export const jsonView = (world: World): RunView => ({
  event: (event) => world.out(JSON.stringify(event)),
  diagnostic: () => {},
  printsDiagnostics: false,
  close: () => {},
});
