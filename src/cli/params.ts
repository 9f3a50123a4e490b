import type { Arguments } from './arguments.js';
import type { OptionSpec } from './command.js';
import { UsageError } from './usage-error.js';

/** `-p name=value`, of every command that reads a pipeline. */
export const PARAM_OPTION: Readonly<Record<string, OptionSpec>> = {
  param: {
    type: 'string',
    short: 'p',
    many: true,
    value: 'NAME=VALUE',
    doc: 'Sets a parameter of the pipeline; may be given more than once.',
  },
};

export function paramsOf(args: Arguments): Readonly<Record<string, string>> {
  const params = args.texts('param').map((text) => {
    const at = text.indexOf('=');
    if (at < 1) throw new UsageError(`\`-p\` needs \`name=value\`, not \`${text}\``);
    return [text.slice(0, at), text.slice(at + 1)] as const;
  });
  return Object.fromEntries(params);
}
