/** Help pages, laid out by yargs from the commands' own specs; loaded only when someone asks. */
import yargs from 'yargs';
import { wrapped } from '../../pipeline/planner/render/columns.js';
import { COMMON } from './arguments.js';
import { type Command, type OptionSpec, positionalText } from './command.js';
import { commands } from './commands/index.js';

const WIDTH = 100;

export async function helpOf(command: Command, width: number): Promise<string> {
  const page = base(width).usage(`ftpc ${usageOf(command)} [options]\n\n${command.doc}`);
  for (const [name, spec] of Object.entries({ ...command.options, ...COMMON }))
    page.option(withValue(name, spec), {
      description: spec.doc,
      ...(spec.short === undefined ? {} : { alias: spec.short }),
      ...(spec.choices === undefined || inline(spec.choices) ? {} : { choices: spec.choices }),
    });
  for (const [line, doc] of command.examples) page.example(line, doc);
  const options = '\n\nOptions:\n';
  return (await page.getHelp()).replace(
    options,
    () => positionalsOf(command, Math.min(WIDTH, width)) + options,
  );
}

const usageOf = ({ name, positionals }: Command): string =>
  [name, ...positionals.map(positionalText)].join(' ');

/** The arguments and what they mean. yargs lays out only those of a command that it parses itself. */
function positionalsOf({ positionals }: Command, width: number): string {
  if (positionals.length === 0) return '';
  const column = INDENT + Math.max(...positionals.map(({ name }) => name.length)) + GAP;
  const entries = positionals.map(({ name, doc }) => {
    const heading = `${' '.repeat(INDENT)}${name.toUpperCase()}`.padEnd(column);
    return heading + wrapped(doc, width - column).join(`\n${' '.repeat(column)}`);
  });
  return ['\n\nArguments:', ...entries].join('\n');
}

const INDENT = 2;
const GAP = 2;

/** `memory SIZE`, `format text|json`: yargs prints the name of an option as it is given. */
function withValue(name: string, { type, value, choices }: OptionSpec): string {
  if (type === 'boolean') return name;
  return `${name} ${value ?? (choices !== undefined && inline(choices) ? choices.join('|') : 'NAME')}`;
}

/** Few enough choices to show them in place of the value. */
const inline = (choices: readonly string[]): boolean => choices.join('|').length <= 24;

export async function generalHelp(version: string, width: number): Promise<string> {
  const page = base(width).usage(
    `ftpc ${version}: a pipeline file says what should be true of a fine-tuned model; ftpc checks, plans and runs it.\n\nftpc COMMAND [options]`,
  );
  for (const load of Object.values(commands)) {
    const command = await load();
    page.command(usageOf(command), command.doc);
  }
  return page
    .option('version', { description: 'Print the version.' })
    .option('help', { alias: 'h', description: 'Show this help, or that of a command.' })
    .example('ftpc init', 'write a small pipeline that runs')
    .example('ftpc plan pipelines/legal.ftp', 'what would run, what it needs, and why')
    .example('ftpc run pipelines/legal.ftp', 'run it; run it again and nothing is done twice')
    .epilogue(
      'Exit codes: 0 done · 1 error · 2 something changed · 3 a gate failed · 4 over budget · 130 interrupted',
    )
    .getHelp();
}

const base = (width: number) =>
  yargs([]).scriptName('ftpc').locale('en').help(false).version(false).wrap(Math.min(WIDTH, width));
