/** Help pages, laid out by yargs from the commands' own specs. */
import yargs from 'yargs';
import { wrapped } from '../../language/diagnostics/render/excerpt.js';
import { COMMON } from './arguments.js';
import { type Command, type OptionSpec, positionalText, summaryOf } from './command.js';

const WIDTH = 100;

/** The group in which yargs shows names without dashes. */
const ARGUMENTS = 'Arguments:';

export function helpOf(command: Command, width: number): Promise<string> {
  const page = base(width)
    .updateStrings({ 'Positionals:': ARGUMENTS })
    .usage(`ftpc ${usageOf(command)} [options]\n\n${command.doc}`);
  for (const { name, doc } of command.positionals)
    page.option(name.toUpperCase(), { description: doc, group: ARGUMENTS });
  for (const [name, spec] of Object.entries({ ...command.options, ...COMMON }))
    page.option(withValue(name, spec), {
      description: spec.doc,
      ...(spec.short === undefined ? {} : { alias: spec.short }),
      ...(spec.choices === undefined || inline(spec.choices) ? {} : { choices: spec.choices }),
    });
  for (const [line, doc] of command.examples) page.example(line, doc);
  return page.getHelp();
}

const usageOf = ({ name, positionals }: Command): string =>
  [name, ...positionals.map(positionalText)].join(' ');

/** `memory SIZE`, `format text|json`: yargs prints the name of an option as it is given. */
function withValue(name: string, { type, value, choices }: OptionSpec): string {
  if (type === 'boolean') return name;
  return `${name} ${value ?? (choices !== undefined && inline(choices) ? choices.join('|') : 'NAME')}`;
}

/** Few enough choices to show them in place of the value. */
const inline = (choices: readonly string[]): boolean => choices.join('|').length <= 24;

/** Commands under the heading of what they are for. */
export type HelpGroups = Readonly<Record<string, readonly Command[]>>;

export async function generalHelp(groups: HelpGroups, version: string, width: number): Promise<string> {
  const head = `ftpc ${version}: a pipeline file says what should be true of a fine-tuned model; ftpc checks, plans and runs it.`;
  const columns = Math.min(WIDTH, width);
  const options = await base(width)
    .option('version', { description: 'Print the version.' })
    .option('help', { alias: 'h', description: 'Show this help, or that of a command.' })
    .example('ftpc init', 'write a small pipeline that runs')
    .example('ftpc plan pipelines/legal.ftp', 'what would run, what it needs, and why')
    .example('ftpc run pipelines/legal.ftp', 'run it; run it again and nothing is done twice')
    .epilogue(
      'Exit codes: 0 done · 1 error · 2 something changed · 3 a gate failed · 4 over budget · 130 interrupted',
    )
    .getHelp();
  return [
    ...wrapped(head, columns),
    '',
    'ftpc COMMAND [options]',
    ...commandLines(groups, columns),
    '',
    options.trimStart(),
  ].join('\n');
}

/** Usage of each command and what it does, in two columns; a usage that is wider than half a line has a line of its own. */
function commandLines(groups: HelpGroups, columns: number): readonly string[] {
  const usage = (command: Command): string => `  ftpc ${usageOf(command)}  `;
  const widths = Object.values(groups).flatMap((group) => group.map((command) => usage(command).length));
  const left = Math.max(...widths.filter((wide) => wide <= columns / 2), INDENT);
  const lines = (command: Command): readonly string[] => {
    const [first = '', ...rest] = wrapped(summaryOf(command), columns - left);
    const name = usage(command);
    const begin = name.length <= left ? [name.padEnd(left) + first] : [name.trimEnd(), indented(first, left)];
    return [...begin, ...rest.map((line) => indented(line, left))];
  };
  return Object.entries(groups).flatMap(([title, group]) => ['', `${title}:`, ...group.flatMap(lines)]);
}

/** Columns before what a command does, at least. */
const INDENT = 8;
const indented = (line: string, columns: number): string => `${' '.repeat(columns)}${line}`;

const base = (width: number) =>
  yargs().scriptName('ftpc').locale('en').help(false).version(false).wrap(Math.min(WIDTH, width));
