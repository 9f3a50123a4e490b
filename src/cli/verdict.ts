import type { Diagnostic } from '../diagnostics/types.js';
import type { World } from './world.js';

/** `2 errors, 1 warning (1 can be mended with --fix): FILE`, or `ok: FILE`. */
export async function verdict(
  diagnostics: readonly Diagnostic[],
  file: string,
  world: World,
): Promise<string> {
  const { countText } = await import('../diagnostics/render/index.js');
  const { green, red, yellow } = world.colours.err;
  const count = countText(diagnostics);
  if (count === '') return `${green('ok')}: ${file}`;
  const paint = diagnostics.some(({ severity }) => severity === 'error') ? red : yellow;
  const mendable = diagnostics.filter(({ fixes }) =>
    fixes?.some(({ applicability }) => applicability === 'safe'),
  ).length;
  return `${paint(count)}${mendable === 0 ? '' : ` (${mendable} can be mended with --fix)`}: ${file}`;
}
