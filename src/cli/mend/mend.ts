/** `ftpc check --fix` and `--diff`. */

import type { Mended } from '../../lint/index.js';
import { diagnosticsPrinter } from '../diagnostics.js';
import { EXIT } from '../exit-codes.js';
import { verdict } from '../verdict.js';
import type { World } from '../world.js';
import { printedDiff, unifiedDiff } from './diff.js';
import { rewriteAll } from './rewrite.js';

export interface MendRequest {
  readonly file: string;
  readonly params: Readonly<Record<string, string>>;
  readonly guesses: boolean;
  /** Only show what would change. */
  readonly diff: boolean;
  readonly json: boolean;
}

export async function mendFiles(world: World, request: MendRequest): Promise<number> {
  const { mend } = await import('../../lint/index.js');
  const { file, params, guesses, diff } = request;
  const mended = mend(world.host, file, { params, guesses });
  const obstacle = diff ? undefined : rewriteAll(mended.files);
  // What could not be written has not been mended.
  const stands = diff || obstacle !== undefined ? mended.before : mended.after;
  const left = [...(diff ? mended.after : stands).diagnostics, ...(obstacle === undefined ? [] : [obstacle])];
  const printer = await diagnosticsPrinter(world, (diff ? mended.after : stands).sources);
  const patch = mended.files.map((changed) => unifiedDiff(changed));
  if (request.json) {
    const fixes = obstacle === undefined ? mended.fixed : [];
    world.out(
      JSON.stringify(
        {
          ...JSON.parse(printer.json(left)),
          mended: fixes.map(({ diagnostic, fix }) => ({
            code: diagnostic.code,
            message: diagnostic.message,
            title: fix.title,
          })),
          changed: mended.files.map((changed) => changed.file),
          ...(diff ? { diff: patch.join('') } : {}),
        },
        null,
        2,
      ),
    );
  } else {
    if (diff) for (const text of patch) world.out(printedDiff(text, world));
    for (const text of printer.pretty(left)) world.err(text);
    if (obstacle === undefined) await report(mended, diff, world);
    world.err(await verdict(left, file, world));
  }
  return [...stands.diagnostics, ...(obstacle === undefined ? [] : [obstacle])].some(
    ({ severity }) => severity === 'error',
  )
    ? EXIT.error
    : EXIT.done;
}

/** `mended FTP0112: write `=`` for each, and the files. */
async function report({ fixed, files, before }: Mended, diff: boolean, world: World): Promise<void> {
  const { locate } = await import('../../diagnostics/render/index.js');
  const { green } = world.colours.err;
  for (const { diagnostic, fix } of fixed) {
    // Places move with every fix; those of the text as it was are of use.
    const { line, file } = locate(diagnostic, before.sources);
    const verb = diff ? 'would mend' : 'mended';
    world.err(`${green(verb)} ${diagnostic.code} near ${file}:${line}: ${fix.title}`);
  }
  const names = files.map(({ file }) => file).join(', ');
  if (!diff && files.length > 0) world.err(`${green('wrote')} ${names}`);
  if (fixed.length === 0) world.err('nothing that can be mended without being asked');
}
