import { canOverwrite, type World } from '../world.js';
import type { RunView } from './watch.js';

/** Events for programs, bars for a terminal, lines for everything else. */
export async function runView(world: World, json: boolean): Promise<RunView> {
  if (json) return (await import('./json.js')).jsonView(world);
  if (canOverwrite(world)) return (await import('./bars.js')).barsView(world, world.err);
  return (await import('./lines.js')).linesView(world, world.err);
}

export type { RunView } from './watch.js';
