/** FTP16xx: files of other tools that cannot be imported. */
import { nearest } from '../../language/diagnostics/did-you-mean.js';
import { error, named, warning, wholeFile } from '../../language/diagnostics/make.js';
import type { Span } from '../../language/source/span.js';

export const unreadable = (at: Span, message: string, help: string) =>
  error('FTP1601', at, message, { help });

export const notSettings = (
  file: string,
  message: string,
  help = 'name a file of settings: a YAML file of Axolotl or LLaMA-Factory, or the arguments of TRL as JSON or YAML',
) => error('FTP1602', wholeFile(file), message, { help });

/** `tools`: those that it may be for; none: it has keys of no tool. */
export const unknownTool = (file: string, tools: readonly string[]) =>
  error('FTP1603', wholeFile(file), {
    message:
      tools.length === 0
        ? `\`${file}\` has the settings of no tool that can be imported`
        : `\`${file}\` may be for ${named(tools)}`,
    help: 'say which tool it is for: `--from axolotl`, `llama-factory`, `trl` or `accelerate`',
  });

/** `what`: the key in backticks, or what it is. */
export const wrongValue = (at: Span, what: string, expected: string, found: string) =>
  error('FTP1604', at, `${what} must be ${expected}, not ${found}`, {
    help: 'correct the value, or remove the key',
  });

export const cannotExpress = (at: Span, key: string, why: string) =>
  error('FTP1605', at, `\`${key}\` cannot be imported: ${why}`, {
    help: 'ftpc fine-tunes with LoRA, QLoRA or all weights on rows of text; nothing was written',
  });

/** `key` without what it is in, and the keys that are known there. */
export const unknownKey = (at: Span, name: string, key: string, known: readonly string[]) => {
  const meant = nearest(key, known);
  return warning('FTP1606', at, `\`${name}\` is no key that \`ftpc import\` knows`, {
    help:
      meant === undefined
        ? 'it is listed in the pipeline as not translated'
        : `did you mean \`${meant}\`? As it is, it is not translated`,
  });
};

/** `count`: those that are not reported each. */
export const moreUnknownKeys = (at: Span, count: number) =>
  warning('FTP1606', at, `${count} more keys, from here on, are none that \`ftpc import\` knows`, {
    help: 'they are listed in the pipeline as not translated; `--from` names another tool',
  });

export const missingKey = (at: Span, what: string, keys: readonly string[]) =>
  error('FTP1607', { ...at, end: Math.min(at.end, at.start + 1) }, `the file does not say ${what}`, {
    help: `set ${named(keys)}`,
  });

export const outputExists = (file: string) =>
  error('FTP1608', wholeFile(file), `\`${file}\` is already there; nothing was written`, {
    help: 'choose another name with `-o`, or overwrite it with `--force`',
  });
