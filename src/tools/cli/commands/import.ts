import { dirname, resolve } from 'node:path';
import type { Diagnostic } from '../../../language/diagnostics/types.js';
import type { Host } from '../../../language/host/host.js';
import { shellWord } from '../../../language/source/shell-word.js';
import type { Imported } from '../../import/import-file.js';
import type { ToolName } from '../../import/tools.js';
import type { CliContext } from '../cli-context.js';
import { type Command, EXIT, option, UsageError } from '../command.js';

const STANDARD_INPUT = '-';

/** Every name: the room itself is loaded only when something is imported. */
const NAMES = { axolotl: true, 'llama-factory': true, trl: true, accelerate: true } satisfies Record<
  ToolName,
  true
>;
const TOOLS = Object.keys(NAMES) as readonly ToolName[];

export const importCommand: Command = {
  name: 'import',
  doc: 'Makes a pipeline of a file for Axolotl, LLaMA-Factory or TRL, or a budget of one for accelerate: every key is translated, or listed with the reason.',
  positionals: [{ name: 'file', doc: 'YAML or JSON for one of these tools, or `-` for standard input.' }],
  options: {
    out: option.text('FILE', 'Write the pipeline to this file; default: standard output.', { short: 'o' }),
    force: option.flag('Overwrite the file.'),
    from: option.choice(TOOLS, 'The tool that the file is for; default: the one whose keys it has.'),
    devices: option.number(
      'N',
      'Devices that the file is for, of all machines: they multiply the rows of a step; default: as the file says, or else 1.',
    ),
    accelerate: option.text(
      'FILE',
      'What `accelerate launch --config_file` got: how many devices, and what they share.',
    ),
    json: option.flag('Print `{ version, tool, pipeline, keys, diagnostics }` as JSON.'),
  },
  examples: [
    ['ftpc import lora.yml -o lora.ftp', 'a pipeline next to it; `ftpc check lora.ftp` is next'],
    ['ftpc import lora.yml --devices 8', 'made for eight devices: steps of as many rows'],
    ['ftpc import lora.yaml --accelerate fsdp.yaml', 'with the devices of `accelerate launch`'],
    ['ftpc import arguments.json --from trl', 'arguments of `trl sft` as JSON'],
  ],
  run: async (args, context) => {
    const { importFile } = await import('../../import/import-file.js');
    const { host } = context;
    const [file, out, json] = [args.positional('file'), args.text('out'), args.flag('json')];
    const devices = args.number('devices');
    if (devices !== undefined && (!Number.isInteger(devices) || devices < 1 || devices > 1_000_000))
      throw new UsageError('`--devices` needs a whole number of at least 1');
    const from = TOOLS.find((name) => name === args.text('from'));
    const bytes = file === STANDARD_INPUT ? await context.input() : await bytesOf(host, file);
    const obstacle = bytes instanceof Uint8Array ? await standing(host, out, args.flag('force')) : bytes;
    if (obstacle !== undefined || !(bytes instanceof Uint8Array))
      return failure(context, json, obstacle === undefined ? [] : [obstacle]);
    const accelerate = await secondFile(host, args.text('accelerate'));
    if (accelerate !== undefined && 'code' in accelerate) return failure(context, json, [accelerate]);
    const imported = await importFile(host, {
      file: file === STANDARD_INPUT ? '<standard input>' : file,
      bytes,
      fileFolder: dirname(resolve(host.cwd, file)),
      outputFolder: dirname(resolve(host.cwd, out ?? 'imported.ftp')),
      ...(from === undefined ? {} : { from }),
      ...(devices === undefined ? {} : { devices }),
      ...(accelerate === undefined ? {} : { accelerate }),
    });
    return finish(context, imported, json, out);
  },
};

async function secondFile(host: Host, file: string | undefined) {
  if (file === undefined) return undefined;
  const bytes = await bytesOf(host, file);
  return bytes instanceof Uint8Array ? { file, bytes } : bytes;
}

async function bytesOf(host: Host, file: string): Promise<Uint8Array | Diagnostic> {
  const { hostError } = await import('../../../language/diagnostics/catalogue/files.js');
  const { HostError } = await import('../../../language/host/host.js');
  try {
    return host.readBytes(resolve(host.cwd, file));
  } catch (error) {
    if (error instanceof HostError) return hostError({ ...error, path: file });
    throw error;
  }
}

async function standing(
  host: Host,
  out: string | undefined,
  force: boolean,
): Promise<Diagnostic | undefined> {
  if (out === undefined || force || host.stat(resolve(host.cwd, out)) === undefined) return undefined;
  const { outputExists } = await import('../../import/import-diagnostics.js');
  return outputExists(out);
}

async function failure(
  context: CliContext,
  json: boolean,
  diagnostics: readonly Diagnostic[],
): Promise<number> {
  const { printFailure } = await import('../diagnostics-printer.js');
  return printFailure(context, json, diagnostics);
}

async function finish(
  context: CliContext,
  { text, tool, keys, diagnostics, sources }: Imported,
  json: boolean,
  out: string | undefined,
): Promise<number> {
  const { diagnosticsPrinter } = await import('../diagnostics-printer.js');
  const printer = await diagnosticsPrinter(context, sources);
  if (text !== undefined && out !== undefined) {
    const { writeFile } = await import('../write-file.js');
    writeFile(context.host, out, text);
  }
  if (json) {
    const found = { tool: tool?.name ?? null, pipeline: text ?? null, keys };
    context.out(
      JSON.stringify({ version: 1, ...found, diagnostics: diagnostics.map(printer.fields) }, null, 2),
    );
  } else {
    if (text !== undefined && out === undefined) context.out(text.replace(/\n$/, ''));
    for (const line of printer.pretty(diagnostics)) context.err(`${line}\n`);
    if (text !== undefined) context.err(summary(keys, out));
  }
  return text === undefined ? EXIT.error : EXIT.done;
}

/** `34 keys: 20 translated, 12 need nothing, 2 not translated` */
function summary(keys: Imported['keys'], out: string | undefined): string {
  const count = (...statuses: readonly string[]): number =>
    keys.filter(({ status }) => statuses.includes(status)).length;
  const counts = [
    `${count('translated')} translated`,
    `${count('automatic', 'unset')} need nothing`,
    `${count('left', 'unknown')} not translated`,
  ];
  const said = `${keys.length} keys: ${counts.join(', ')}`;
  return out === undefined ? said : `wrote ${out}; ${said}\nnow: ftpc check ${shellWord(out)}`;
}
