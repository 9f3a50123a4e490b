/** Packages of npm as the user's npm fetches them: its registry, its proxies, its credentials; no script is run. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { fetchedOther, fetchFailed, toolMissing } from '../../language/diagnostics/catalogue/runtimes.js';
import { type Diagnostic, UserError } from '../../language/diagnostics/types.js';
import { tryJson } from '../../language/host/json.js';
import { makeFolders } from '../../language/host/node-folders.js';
import type { NpmPackage } from './packages.js';
import { runTool, type ToolResult } from './tool.js';

/** Unpacks a package into a folder. Throws a `UserError`. */
export async function unpackNpm(wanted: NpmPackage, folder: string, signal: AbortSignal): Promise<void> {
  const spec = `${wanted.name}@${wanted.version}`;
  makeFolders(folder);
  const packed = await runTool(
    'npm',
    ['pack', spec, '--json', '--ignore-scripts', '--pack-destination', folder],
    { cwd: folder, signal },
  );
  if (packed.missing)
    throw new UserError(toolMissing('npm', `fetch \`${spec}\``, 'install npm, which comes with Node.js'));
  if (packed.failed) throw new UserError(problemOf(spec, packed));
  const archive = join(folder, fileName(packed.stdout, spec));
  const integrity = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
  if (integrity !== wanted.integrity)
    throw new UserError(
      fetchedOther(spec, `${integrity.slice(0, 20)}… and not ${wanted.integrity.slice(0, 20)}…`),
    );
  const unpacked = await runTool('tar', ['-xzf', archive, '--strip-components=1'], { cwd: folder, signal });
  if (unpacked.missing)
    throw new UserError(toolMissing('tar', `unpack \`${spec}\``, 'install tar with your system’s packages'));
  if (unpacked.failed) throw new UserError(fetchedOther(spec, lastLine(unpacked.output)));
}

const PACKED = v.looseTuple([v.object({ filename: v.string() })]);

/** npm prints a list with the archive's name, which has a folder's separator in it for scoped names of old releases. */
function fileName(stdout: string, spec: string): string {
  const packed = tryJson(PACKED, stdout.slice(stdout.indexOf('[')));
  if (packed === undefined)
    throw new UserError(fetchFailed(spec, '`npm pack --json` gave no list of what it packed'));
  return packed[0].filename.replace(/^@/, '').replaceAll('/', '-');
}

const FAILURE = v.object({
  error: v.object({ code: v.optional(v.string()), summary: v.optional(v.string()) }),
});

/** What npm says in JSON, without a password in an address; the last line of another npm. */
function problemOf(spec: string, { stdout, output }: ToolResult): Diagnostic {
  const failure = tryJson(FAILURE, stdout.slice(stdout.indexOf('{')))?.error;
  if (failure?.code === 'EINTEGRITY')
    return fetchedOther(spec, 'npm computed a different digest for the download');
  const [line] = failure?.summary?.split('\n') ?? [];
  return fetchFailed(spec, line?.replaceAll(/\/\/[^/@\s]*@/g, '//') || lastLine(output));
}

const lastLine = (lines: readonly string[]): string => lines.at(-1) ?? 'it said nothing';
