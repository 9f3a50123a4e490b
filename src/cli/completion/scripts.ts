import type { Command } from '../command.js';

/** Scripts are written out whole, with every name in them: completing then starts no process. */
export const scripts: Readonly<Record<string, (commands: readonly Command[]) => string>> = {
  bash,
  zsh,
  fish,
};

const optionsOf = (command: Command): readonly string[] =>
  [...Object.keys(command.options), 'help'].map((name) => `--${name}`);

const takesFile = (command: Command): boolean => command.positionals[0]?.name === 'file';

function bash(commands: readonly Command[]): string {
  const cases = commands.map((command) => `    ${command.name}) words="${optionsOf(command).join(' ')}" ;;`);
  return `# ftpc completion for bash
_ftpc() {
  local current="\${COMP_WORDS[COMP_CWORD]}" words=""
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${commands.map(({ name }) => name).join(' ')} --help --version" -- "$current"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
  esac
  if [ "\${current#-}" != "$current" ]; then
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  else
    COMPREPLY=($(compgen -f -X '!*.ftp' -- "$current") $(compgen -d -- "$current"))
  fi
}
complete -o filenames -F _ftpc ftpc
`;
}

function zsh(commands: readonly Command[]): string {
  const names = commands.map(({ name, doc }) => `    '${name}:${quoted(doc)}'`);
  const cases = commands.map((command) => {
    const options = Object.entries(command.options).map(([name, { doc }]) => `'--${name}[${quoted(doc)}]'`);
    const file = takesFile(command) ? ` '1:pipeline:_files -g "*.ftp"'` : '';
    return `    ${command.name}) _arguments ${[...options, "'--help[Show help.]'"].join(' ')}${file} ;;`;
  });
  return `#compdef ftpc
_ftpc() {
  local -a commands
  commands=(
${names.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe 'command' commands
    return
  fi
  local command="\${words[2]}"
  shift words
  (( CURRENT-- ))
  case "$command" in
${cases.join('\n')}
  esac
}
compdef _ftpc ftpc
`;
}

/** Inside single quotes and square brackets. */
const quoted = (text: string): string =>
  text.replace(/'/g, "'\\''").replace(/[[\]]/g, '\\$&').replace(/:/g, '\\:');

function fish(commands: readonly Command[]): string {
  const string = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`;
  const lines = commands.flatMap((command) => [
    `complete -c ftpc -n __fish_use_subcommand -f -a ${command.name} -d ${string(command.doc)}`,
    ...Object.entries(command.options).map(
      ([name, { doc, short, type }]) =>
        `complete -c ftpc -n '__fish_seen_subcommand_from ${command.name}' -l ${name}${short === undefined ? '' : ` -s ${short}`}${type === 'boolean' ? '' : ' -r'} -d ${string(doc)}`,
    ),
  ]);
  return `# ftpc completion for fish\n${lines.join('\n')}\n`;
}
