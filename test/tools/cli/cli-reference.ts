import { COMMON } from '../../../src/tools/cli/arguments.js';
import { type Command, type OptionSpec, positionalText } from '../../../src/tools/cli/command.js';

/** `docs/cli.md`: every command with its options and examples, from the commands' own specs. */
export function cliReference(commands: readonly Command[]): string {
  return `# Command line

Generated from the definitions of the commands (\`src/tools/cli/commands/\`) by a test.

| command | |
|---|---|
${commands.map(({ name, doc }) => `| [\`ftpc ${name}\`](#ftpc-${name}) | ${doc} |`).join('\n')}

Every command takes \`--help\`. With \`--json\`, standard output contains only the data, and messages for people go to
standard error. Colours follow \`NO_COLOR\`, \`FORCE_COLOR\` and whether the output is a terminal. Tables fit the
terminal; without one, the width that \`COLUMNS\` says, or 80. With \`FTPC_DEBUG=1\`, an internal error prints its stack
trace instead of writing it to a file.

| exit code | |
|---|---|
| 0 | done, or no change |
| 1 | an error |
| 2 | something changed (\`plan --exit-code\`, \`snapshot --mode validate\`, \`lock --check\`) |
| 3 | a gate failed |
| 4 | a budget is exceeded |
| 130 | interrupted; the process ends by the signal, so that a loop in a shell ends with it |

${commands.map(section).join('\n')}`;
}

function section(command: Command): string {
  const words = command.positionals.map(positionalText);
  const options = Object.entries({ ...command.options, ...COMMON });
  return `## ftpc ${command.name}

${command.doc}

\`\`\`
ftpc ${[command.name, ...words].join(' ')} [options]
\`\`\`

| | |
|---|---|
${[
  ...command.positionals.map(({ name, doc }) => `| \`${name.toUpperCase()}\` | ${cell(doc)} |`),
  ...options.map(([name, spec]) => `| \`${optionText(name, spec)}\` | ${cell(spec.doc)} |`),
].join('\n')}

\`\`\`
${command.examples.map(([line, doc]) => `${line}\n    ${doc}`).join('\n')}
\`\`\`
`;
}

const optionText = (name: string, { short, value, choices }: OptionSpec): string =>
  `${short === undefined ? '' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}${choices === undefined ? '' : ` ${choices.join('\\|')}`}`;

const cell = (text: string): string => text.replaceAll('|', '\\|');
