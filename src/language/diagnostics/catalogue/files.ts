/** FTP060x: files that cannot be read. FTP083x, FTP084x: model and adapter files that cannot be used. */
import type { HostErrorCode } from '../../host/host.js';
import { OPEN_FILES } from '../../host/system-limit.js';
import type { Span } from '../../source/span.js';
import { otherPath } from '../did-you-mean.js';
import { clipped, counted, error, percentText, warning, wholeFile, withArticle } from '../make.js';
import type { Diagnostic, Hint, Place } from '../types.js';

export const fileNotFound = (path: string, details: { readonly help?: string } = {}) =>
  error('FTP0601', wholeFile(path), `there is no file \`${path}\``, {
    help: 'check the path, and the folder that it is relative to',
    ...details,
  });

export const isFolder = (path: string) =>
  error('FTP0602', wholeFile(path), `\`${path}\` is a folder, not a file`, { help: 'name a file in it' });

const noFile = (path: string) =>
  error('FTP0602', wholeFile(path), `\`${path}\` is a pipe or a device, not a file`, { help: 'name a file' });

const noAccess = (path: string) =>
  error('FTP0603', wholeFile(path), `no permission to read \`${path}\``, {
    help: 'give the user that runs ftpc permission to read it',
  });

const fileTooLarge = (path: string) =>
  error('FTP0604', wholeFile(path), `\`${path}\` is too large to read at once`, {
    help: path.endsWith('.ftp')
      ? 'a pipeline has a megabyte at most: move parts of it into modules, or generate less of it'
      : 'split it into several files, and read them with a glob',
  });

/** A pipeline or a module whose bytes are no text. `details`: what a command did because of it. */
export const notText = (at: Place | Span, path: string, details: Hint = {}) =>
  error('FTP1062', at, `\`${path}\` is not valid UTF-8 text`, {
    label: 'not UTF-8',
    help: 'save it as UTF-8, or convert it: `iconv -f latin1 -t utf-8`, and `utf-16` for what PowerShell writes',
    ...details,
  });

const readFailed = (path: string, detail: string) =>
  error('FTP0605', wholeFile(path), `\`${path}\` could not be read`, {
    notes: [detail],
    help: 'the disk or the file system reported this error; try copying the file elsewhere',
  });

/** `path`: of what was opened when the limit was reached, which is nothing's fault. */
const tooManyOpen = (path: string) =>
  error(OPEN_FILES.code, wholeFile(path), OPEN_FILES.message, {
    notes: [`\`${path}\` could not be opened`],
    help: OPEN_FILES.help,
  });

/** Outside a stage, whose own diagnostic says what a plan could change. */
export const memoryRefused = (cwd: string, detail: string) =>
  error('FTP0898', wholeFile(cwd), 'the system gives ftpc no more memory', {
    notes: [detail],
    help: 'end other programs, or raise the limit: `ulimit -v` shows the one of this shell',
  });

/** A pattern of files that takes too long to follow. */
export const patternTooWide = (at: Place | Span, pattern: string, detail: string) =>
  error('FTP0614', at, `the pattern \`${clipped(pattern)}\` is too wide`, {
    label: detail,
    help: 'name the folder that the files are in, or name them one by one in a list',
  });

const READS: Readonly<Record<HostErrorCode, (path: string, detail: string, meant?: string) => Diagnostic>> = {
  not_found: (path, _, meant) =>
    fileNotFound(path, meant === undefined ? {} : { help: `did you mean \`${meant}\`?` }),
  is_folder: isFolder,
  no_file: noFile,
  no_access: noAccess,
  too_large: fileTooLarge,
  no_memory: readFailed,
  open_files: tooManyOpen,
  too_many: (pattern, detail) => patternTooWide(wholeFile(pattern), pattern, detail),
  io: readFailed,
};

/** A failed read of the Host as a diagnostic. `meant`: a file of nearly this name, which is there. */
export const hostError = (failure: {
  readonly code: HostErrorCode;
  readonly path: string;
  readonly detail: string;
  readonly meant?: string;
}) => READS[failure.code](failure.path, failure.detail, failure.meant);

/** Something in a data file that a stage cannot continue with. */
export const dataError = (place: Place, message: string, help: string) =>
  error('FTP0606', place, message, { help });

export const noRows = (stage: string, file: string) =>
  error('FTP0607', wholeFile(file), `\`${stage}\` has no rows left`, {
    help: 'the report of the stage names every row that was dropped, with its line and the reason',
  });

export const tooManyMistakes = (file: string, more: number) =>
  error('FTP0608', wholeFile(file), `\`${file}\` has at least ${more} more mistakes, which are not shown`, {
    help: 'fix the first ones and check again; if there is no end to them, the file may not be a pipeline',
  });

/** A file of another kind than the function that names it reads. */
export const otherFormat = (
  file: string,
  expected: string,
  found: { readonly name: string; readonly help: string } | undefined,
) =>
  error('FTP0609', wholeFile(file), {
    message:
      found === undefined
        ? `\`${file}\` is no file that \`${expected}\` reads`
        : `\`${file}\` is ${withArticle(found.name)} file, which \`${expected}\` cannot read`,
    help:
      found?.help ??
      `check the path, or use the function for this kind of file: \`jsonl\`, \`json\`, \`csv\` or \`text\``,
  });

/** A file that cannot be read to its end: `why` continues its name. */
export const brokenFile = (place: Place, why: string, help?: string) =>
  error('FTP0610', place, `\`${place.file}\` ${why}`, {
    help: help ?? 'copy or download it again and compare the size; it may have been cut off',
  });

/** `most`: times its size; `program`: what packs so. */
export const unpacksTooFar = (file: string, bytes: number, most: number, program: string) =>
  error('FTP0612', wholeFile(file), `\`${file}\` unpacks to more than ${most} times its ${bytes} bytes`, {
    notes: ['no file of rows is packed so well: it may be made to waste time and space'],
    help: `look at what is in it: \`${program} -dc FILE | head\`; decompressed, it is read whatever its size`,
  });

/** Columns that have no names of their own. */
export const badHeader = (place: Place, why: string, help?: string) =>
  error('FTP0611', place, `the columns of \`${place.file}\` cannot be distinguished: ${why}`, {
    help: help ?? 'give each column a unique name in the first line',
  });

export const noParquetReader = (file: string, detail: string) =>
  error('FTP0613', wholeFile(file), `\`${file}\` is read with DuckDB, which could not be loaded`, {
    notes: [detail],
    help: 'install ftpc again on this machine, or convert the file to JSON lines',
  });

/** `shares`: those of the list together, as written. */
export const noRestOfMix = (at: Span, shares: string) =>
  error('FTP0651', at, `the shares of the mix are ${shares} of the training split`, {
    label: 'leaves nothing for `source`',
    help: 'lower them: the rows of `source` fill what the shares leave',
  });

export const shareOrEpochs = (at: Span, has: 'both' | 'neither') =>
  error('FTP0650', at, `a source of a mix has a \`share\` or \`epochs\`; this one has ${has}`, {
    label: has === 'both' ? 'two answers to one question' : 'how much of it is not said',
    help: 'write `share: 30%` for a part of the training split, or `epochs: 2` for every row twice',
  });

/** `what`: what the rows are, by the column: `balanced`. */
export const tooManyValues = (at: Place, column: string, what: string, most: number) =>
  error(
    'FTP0652',
    at,
    `the column \`${column}\`, by which the rows are ${what}, has more than ${most} values`,
    {
      help: 'name a column with few values, such as a domain or a label',
    },
  );

export const cannotBalance = (at: Span, column: string, values: number, atMost: number) =>
  error(
    'FTP0653',
    at,
    `\`${column}\` has ${counted(values, 'value')} in the training rows, which cannot all have ${percentText(atMost)} or less`,
    {
      label: `${percentText(atMost)} each is ${percentText(Math.min(1, values * atMost))} of the rows`,
      help: `raise \`at_most\` to ${Math.ceil(100 / Math.max(1, values))}% or more, or add rows with other values`,
    },
  );

/** `missing`: what each of them lacks, as a sentence. */
export const thinStrata = (at: Span, column: string, missing: readonly string[], values: number) =>
  warning(
    'FTP0654',
    at,
    `${missing.length} of ${counted(values, 'value')} of \`${column}\` ${missing.length === 1 ? 'has' : 'have'} too few rows to be in every split`,
    {
      notes: missing.length > 5 ? [...missing.slice(0, 5), `and ${missing.length - 5} more`] : missing,
      help: 'add rows of them, or raise the shares of `valid` and `test`',
    },
  );

export const groupsAndStrata = (at: Span) =>
  error('FTP0655', at, '`by` and `stratify` cannot both decide where a row goes', {
    label: '`by` keeps rows together that `stratify` spreads',
    help: 'use `by` so that no value is in two splits, or `stratify` so that each value has its share in every split',
  });

/** `setting`: the one that has the metric measured. */
export const notMeasured = (at: Span, metric: string, setting: string, example: string) =>
  error('FTP0656', at, `\`${metric}\` is measured where the stage has \`${setting}\``, {
    label: `there is no \`${setting}\``,
    help: `write \`${example}\``,
  });

/** `what`: the base or rows, and where the licence is written. */
export const forbidsUse = (
  at: Span,
  what: { readonly of: string; readonly licence: string; readonly file?: string; readonly use: Span },
) =>
  error('FTP0657', at, `the licence of ${what.of}, ${what.licence}, does not allow commercial use`, {
    label: what.file === undefined ? 'declared here' : `\`${what.file}\` says so`,
    related: [{ at: what.use, message: 'what the models are for' }],
    help: 'use other rows or another base, or write `use = research` if nothing is sold that is made of it',
  });

/** `isTooLong`: the rows that `epochs` asks for are more than the shares of the others leave. */
export const mixDoesNotFit = (at: Span, misfits: readonly string[], isTooLong: boolean) =>
  warning('FTP0658', at, 'the training split is not the mix that is written', {
    notes: misfits,
    help: isTooLong
      ? 'lower `epochs`, or write `stopping_strategy = all_exhausted`, which repeats rows where they are too few'
      : 'give the source rows that are kept, or leave it out',
  });

const CODES = {
  model_not_found: 'FTP0831',
  model_unsupported: 'FTP0832',
  model_config: 'FTP0833',
  model_weights: 'FTP0834',
  model_tokenizer: 'FTP0835',
  model_template: 'FTP0836',
  adapter_invalid: 'FTP0837',
  adapter_mismatch: 'FTP0838',
  gguf_invalid: 'FTP0839',
  gguf_unsupported: 'FTP0840',
  quantised_invalid: 'FTP0841',
} as const;

/**
 * A `ModelError` as a diagnostic; its type is repeated here, since diagnostics cannot import models. Its texts are
 * sentences, messages are not.
 */
export const modelError = (failure: {
  readonly code: keyof typeof CODES;
  readonly path: string;
  readonly detail: string;
  readonly help: string;
  readonly position?: { readonly line: number; readonly column: number } | undefined;
}) =>
  error(
    CODES[failure.code],
    { ...wholeFile(failure.path), ...failure.position },
    `\`${failure.path}\`: ${phrase(failure.detail)}`,
    {
      help: phrase(failure.help),
    },
  );

function phrase(sentence: string): string {
  const bare = sentence.replace(/\.$/, '');
  return /^[A-Z][a-z ]/.test(bare) ? `${bare.charAt(0).toLowerCase()}${bare.slice(1)}` : bare;
}

export const ggufMissing = (at: Span, path: string, why: string, meant?: string) =>
  error('FTP0842', at, `the GGUF file \`${path}\` cannot be used`, {
    label: why,
    help: 'download it first, or choose another file; the path is relative to the pipeline file; `node scripts/models/fetch.mjs smollm2 --to FOLDER` in the repository of ftpc downloads a small one',
    ...otherPath(at, meant),
  });
