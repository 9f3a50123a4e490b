import type { World } from './world.js';

/** `error[FTP0801]: cannot write …` */
export function errorLine(world: World, message: string, code?: string): string {
  const { red, bold } = world.colours.err;
  return `${bold(red(code === undefined ? 'error' : `error[${code}]`))}: ${message}`;
}
