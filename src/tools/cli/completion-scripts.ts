import { schemas } from '../../language/schemas/stages/index.js';
import { type Command, type OptionSpec, summaryOf } from './command.js';

/** Scripts are written out whole, with every name in them: completing then starts no process. */
export const scripts: Readonly<Record<string, (commands: readonly Command[]) => string>> = {
  bash,
  zsh,
  fish,
};

const optionsOf = (command: Command): readonly string[] =>
  [...Object.keys(command.options), 'help'].map((name) => `--${name}`);

/** Words that stand for themselves, with the place of their positional; `beside`: pipelines are offered too. */
const choicesOf = ({ positionals }: Command) =>
  positionals.flatMap(({ choices = [], words }, at) =>
    choices.length === 0 ? [] : [{ at, words: choices.join(' '), beside: words !== undefined }],
  );

/** What an option takes: one of some words, a path, a parameter, something that no shell knows; or nothing. */
type Value = readonly string[] | 'path' | 'param' | 'any' | undefined;

function takenBy({ type, value = '', choices }: OptionSpec): Value {
  if (type === 'boolean') return undefined;
  if (value === 'NAME=VALUE') return 'param';
  return choices ?? (/FILE|FOLDER|PATH/.test(value) ? 'path' : 'any');
}

const takes = (command: Command, at: number, name: string): boolean => command.positionals[at]?.name === name;

/** A stage is a line that begins with its kind: to complete one starts no process of ours. */
const STAGES = `sed -nE 's/^(${Object.keys(schemas).join('|')})[[:space:]]+([A-Za-z_][A-Za-z0-9_]*).*/\\2/p'`;
/** So is a parameter, of the pipeline that is among the words; its sign comes with it. */
const PARAMS = `sed -nE 's/^(param|matrix)[[:space:]]+([A-Za-z_][A-Za-z0-9_]*).*/\\2=/p'`;
const RUNS = 'latest latest~1 $(ls .ftp/runs 2>/dev/null)';
/** Of a run that is named by the beginning of its id: the stages that it has begun. */
const RUN_STAGES = `sed -nE 's/.*"type":"stage.started","stage":"([^"]*)".*/\\1/p'`;

/** For bash and zsh. */
const FUNCTIONS = `_ftpc_runs() { echo ${RUNS}; }
_ftpc_run_stages() {
  local run="$1"
  case "$run" in latest*) run="$(ls .ftp/runs 2>/dev/null | tail -n 1)" ;; esac
  cat .ftp/runs/"$run"*/journal.jsonl 2>/dev/null | ${RUN_STAGES}
}
_ftpc_stages() { ${STAGES} "$1" 2>/dev/null; }
_ftpc_params() { for word in "$@"; do case "$word" in *.ftp) ${PARAMS} "$word" 2>/dev/null ;; esac; done; }`;

function bash(commands: readonly Command[]): string {
  const cases = commands.map((command) => {
    const words = `words="${optionsOf(command).join(' ')}"`;
    if (takes(command, 0, 'run') && takes(command, 1, 'stage'))
      return `    ${command.name}) ${words}; values="$(_ftpc_runs)"; [ "$COMP_CWORD" -gt 2 ] && values="$(_ftpc_run_stages "\${COMP_WORDS[2]}")" ;;`;
    if (takes(command, 0, 'run')) return `    ${command.name}) ${words}; values="$(_ftpc_runs)" ;;`;
    const choices = choicesOf(command).map(
      ({ at, words, beside }) =>
        `; [ "$COMP_CWORD" -eq ${at + 2} ] && values="${words}${beside ? ` $(compgen -f -X '!*.ftp' -- "$current")` : ''}"`,
    );
    if (choices.length > 0) return `    ${command.name}) ${words}${choices.join('')} ;;`;
    return takes(command, 1, 'stage')
      ? `    ${command.name}) ${words}; [ "$COMP_CWORD" -gt 2 ] && values="$(_ftpc_stages "\${COMP_WORDS[2]}")" ;;`
      : `    ${command.name}) ${words} ;;`;
  });
  return `# ftpc completion for bash
${FUNCTIONS}
_ftpc() {
  local current="\${COMP_WORDS[COMP_CWORD]}" option="\${COMP_WORDS[COMP_CWORD-1]}" words="" values=""
  COMPREPLY=()
  # Of --name=value, bash makes three words.
  if [ "$current" = "=" ]; then current=""; elif [ "$option" = "=" ]; then option="\${COMP_WORDS[COMP_CWORD-2]}"; fi
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${commands.map(({ name }) => name).join(' ')} --help --version" -- "$current"))
    return
  fi
  case "\${COMP_WORDS[1]} $option" in
${bashValues(commands).join('\n')}
  esac
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
  esac
  if [ "\${current#-}" != "$current" ]; then
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  elif [ -n "$values" ]; then
    COMPREPLY=($(compgen -W "$values" -- "$current"))
  else
    COMPREPLY=($(compgen -f -X '!*.ftp' -- "$current") $(compgen -d -- "$current"))
  fi
}
complete -o filenames -F _ftpc ftpc
`;
}

/** What is offered after options: a line for all that take the same. */
function bashValues(commands: readonly Command[]): readonly string[] {
  const offered = (value: Value): string | undefined => {
    if (value === undefined) return undefined;
    if (value === 'any') return 'return ;;';
    if (value === 'param')
      return `compopt -o nospace 2>/dev/null; COMPREPLY=($(compgen -W "$(_ftpc_params "\${COMP_WORDS[@]}")" -- "$current")); return ;;`;
    const list = value === 'path' ? '-f' : `-W "${value.join(' ')}"`;
    return `COMPREPLY=($(compgen ${list} -- "$current")); return ;;`;
  };
  const places = new Map<string, string[]>();
  for (const { name, options } of commands)
    for (const [option, spec] of Object.entries(options)) {
      const line = offered(takenBy(spec));
      if (line === undefined) continue;
      const names = [`--${option}`, ...(spec.short === undefined ? [] : [`-${spec.short}`])];
      places.set(line, [...(places.get(line) ?? []), ...names.map((one) => `'${name} ${one}'`)]);
    }
  return [...places].map(([line, names]) => `    ${names.join('|')}) ${line}`);
}

function zsh(commands: readonly Command[]): string {
  const names = commands.map((command) => `    '${command.name}:${quoted(summaryOf(command))}'`);
  const cases = commands.map((command) => {
    const options = Object.entries(command.options).flatMap(([name, spec]) => zshOption(name, spec));
    const file = takes(command, 0, 'file') ? ` '1:pipeline:_files -g "*.ftp"'` : '';
    const ofRun = takes(command, 0, 'run');
    const stage = takes(command, 1, 'stage')
      ? ` '2:stage:($(${ofRun ? '_ftpc_run_stages' : '_ftpc_stages'} "\${words[2]}"))'`
      : '';
    const run = ofRun ? ` '${takes(command, 1, 'stage') ? 1 : '*'}:run:($(_ftpc_runs))'` : '';
    const choices = choicesOf(command).map(
      ({ at, words, beside }) =>
        ` '${at + 1}:${command.positionals[at]?.name}:${beside ? `{compadd -- ${words}; _files -g "*.ftp"}` : `(${words})`}'`,
    );
    return `    ${command.name}) _arguments ${[...options, "'--help[Show help.]'"].join(' ')}${file}${stage}${run}${choices.join('')} ;;`;
  });
  return `#compdef ftpc
${FUNCTIONS}
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

const ZSH_ACTIONS = {
  path: '_files',
  any: ' ',
  param: '{compadd -S "" -- $(_ftpc_params $words)}',
} as const;

/** `=`: its value is the next word, or is after an equals sign. */
function zshOption(name: string, spec: OptionSpec): readonly string[] {
  const value = takenBy(spec);
  const action = typeof value === 'string' ? ZSH_ACTIONS[value] : `(${value?.join(' ')})`;
  const rest = `[${quoted(spec.doc)}]${value === undefined ? '' : `:${spec.value ?? name}:${action}`}`;
  const many = spec.many === true ? '*' : '';
  return [
    `'${many}--${name}${value === undefined ? '' : '='}${rest}'`,
    ...(spec.short === undefined ? [] : [`'${many}-${spec.short}${value === undefined ? '' : '+'}${rest}'`]),
  ];
}

/** Inside single quotes and square brackets. */
const quoted = (text: string): string =>
  text.replace(/'/g, "'\\''").replace(/[[\]]/g, '\\$&').replace(/:/g, '\\:');

const FISH_PARAMS = `function _ftpc_params
  for word in $argv
    string match -q '*.ftp' -- $word; and ${PARAMS} $word 2>/dev/null
  end
end`;

const FISH_RUN_STAGES = `(find .ftp/runs -path "*/"(commandline -opc)[3]"*/journal.jsonl" -exec cat '{}' + 2>/dev/null | ${RUN_STAGES})`;

function fish(commands: readonly Command[]): string {
  const string = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`;
  /** `words` before the one that is asked for: how many, as `test` has it. */
  const values = (command: Command, words: string, list: string): string =>
    `complete -c ftpc -n '__fish_seen_subcommand_from ${command.name}; and test (count (commandline -opc)) ${words}' -f -a ${string(list)}`;
  const lines = commands.flatMap((command) => [
    `complete -c ftpc -n __fish_use_subcommand -f -a ${command.name} -d ${string(summaryOf(command))}`,
    ...(takes(command, 0, 'run')
      ? [
          values(
            command,
            takes(command, 1, 'stage') ? '-eq 2' : '-ge 2',
            `(echo ${RUNS.replace('$(', '(')} | string split ' ')`,
          ),
        ]
      : []),
    ...choicesOf(command).map(({ at, words }) => values(command, `-eq ${at + 2}`, words)),
    ...(takes(command, 1, 'stage')
      ? [
          values(
            command,
            '-ge 3',
            takes(command, 0, 'run') ? FISH_RUN_STAGES : `(${STAGES} (commandline -opc)[3] 2>/dev/null)`,
          ),
        ]
      : []),
    ...Object.entries(command.options).map(
      ([name, spec]) =>
        `complete -c ftpc -n '__fish_seen_subcommand_from ${command.name}' -l ${name}${spec.short === undefined ? '' : ` -s ${spec.short}`}${fishValue(takenBy(spec))} -d ${string(spec.doc)}`,
    ),
  ]);
  return `# ftpc completion for fish\n${FISH_PARAMS}\n${lines.join('\n')}\n`;
}

/** `-r` brings files, `-x` only what is listed; a tab ends a word, so that it is not described as the option is. */
function fishValue(value: Value): string {
  if (value === undefined) return '';
  if (value === 'path') return ' -r';
  if (value === 'param') return ` -x -a '(_ftpc_params (commandline -opc))'`;
  return value === 'any' ? ' -x' : ` -x -a '${value.map((word) => `${word}\\t`).join(' ')}'`;
}
