/** FTP02xx: names and imports. FTP0519: columns that a template needs and a source does not have. */
import type { Span } from '../../source/span.js';
import { instead, nearest, suggestion } from '../did-you-mean.js';
import { foreignFunction, foreignValue } from '../foreign.js';
import { error, insert, named, replace, rewrite, warning, withArticle, withinQuotes } from '../make.js';
import type { Diagnostic, Hint } from '../types.js';

/** `then`: what follows it after a dot, as in `var.rate`. */
export const unknownName = (at: Span, name: string, known: readonly string[], then?: Word) => {
  const meant = foreignValue(name);
  if (then !== undefined && SCOPES.has(name) && known.includes(then.text))
    return error('FTP0201', at, `nothing here is called \`${name}\``, {
      label: 'unknown name',
      ...instead(then.text, { ...at, end: then.span.end }),
    });
  return error('FTP0201', at, `nothing here is called \`${name}\``, {
    label: 'unknown name',
    ...(meant === undefined ? suggestion(name, at, known) : instead(meant, at)),
  });
};

/** Before the names of parameters in other languages. */
const SCOPES = new Set(['var', 'vars', 'local', 'param', 'params', 'args', 'config', 'cfg']);

interface Word {
  readonly text: string;
  readonly span: Span;
}

/** `machine` has a block, too, which no stage follows from: it is suggested, and not among the kinds that are listed. */
export const unknownKind = (at: Span, kind: string, known: readonly string[]) =>
  error('FTP0202', at, `there is no block kind \`${kind}\``, {
    label: 'unknown kind',
    ...suggestion(kind, at, nearest(kind, ['machine']) === undefined ? known : ['machine']),
  });

export const duplicateName = (at: Span, name: string, first: Span) =>
  error('FTP0203', at, `\`${name}\` is declared twice`, {
    label: 'second declaration',
    related: [{ at: first, message: 'first declaration' }],
    help: 'stages, parameters, secrets, budgets and imports of a file share one set of names; rename one of them',
  });

/** `known`: the columns of the first row. */
export const unknownColumn = (at: Span, column: string, files: string, known: readonly string[]) =>
  error('FTP0230', at, `no row of \`${files}\` has a column \`${column}\``, {
    label: 'no such column',
    ...suggestion(column, withinQuotes(at), known),
  });

export const duplicateKey = (at: Span, key: string, first: Span) =>
  error('FTP0204', at, `\`${key}\` is set twice`, {
    label: 'set again',
    related: [{ at: first, message: 'set here first' }],
    help: 'keep one of them',
  });

export const unknownModule = (at: Span, module: string, known: readonly string[]) => {
  const inside = withinQuotes(at);
  return error('FTP0205', at, `there is no module \`${module}\``, {
    label: 'unknown module',
    ...suggestion(module, inside, known),
    ...(/^(std\/|\.\.?\/)/.test(module) ? {} : pathFor(module, inside)),
  });
};

/** How to write a path that is not in the library and does not start with `./` or `../`. */
function pathFor(module: string, at: Span): Hint & Pick<Diagnostic, 'notes'> {
  const relative = module.replaceAll('\\', '/').replace(/^(?!\.\.?\/)/, './');
  if (/^[a-z]+:\/\//.test(module))
    return {
      help: 'files cannot be imported from the network: put the file next to the pipeline, and write `"./name.ftp"`',
    };
  if (/^(\/|[A-Za-z]:)/.test(module))
    return {
      help: 'paths are relative to the importing file: write `"./name.ftp"` or `"../name.ftp"`',
    };
  return module.endsWith('.ftp')
    ? instead(relative, at)
    : { notes: ['library modules are written `"std/…"`, your own files `"./…"`'] };
}

/** `meant`: an existing file with a similar name. */
export const importNotFound = (at: Span, path: string, why: string, meant: string | undefined) =>
  error('FTP0206', at, `the imported file \`${path}\` cannot be read`, {
    label: why,
    help: 'the path is relative to the importing file',
    ...(meant === undefined ? {} : instead(meant, withinQuotes(at))),
  });

/** `kind`: the kind of a declaration with this name that cannot be imported. */
export const unknownExport = (
  at: Span,
  name: string,
  module: string,
  known: readonly string[],
  kind?: string,
) =>
  error('FTP0207', at, `\`${module}\` does not export \`${name}\``, {
    label: kind === undefined || kind === 'function' ? 'not exported' : `a ${kind} of that file`,
    ...(kind === undefined || kind === 'function'
      ? suggestion(name, at, known)
      : {
          help: `only parameters, presets and machines can be imported; a ${kind} belongs in the pipeline itself`,
        }),
  });

/** `import { lora } from "std/train"` */
export const importedMethod = (at: Span, name: string) =>
  error('FTP0228', at, `\`${name}\` needs no import`, {
    label: 'a method of training',
    help: `remove it from the import, and write \`train name using ${name} { … }\``,
  });

/** `starter` and other functions that need no import. */
export const knownAnyway = (at: Span, name: string) =>
  error('FTP0228', at, `\`${name}\` needs no import`, {
    label: 'no module exports it',
    help: 'remove it from the import',
  });

/** `adapter.best()` */
export const calledPort = (at: Span, written: string) =>
  error('FTP0229', at, `\`${written}\` is not a function`, {
    label: 'an output of a stage',
    help: `write \`${written}\` without parentheses`,
  });

export const importCycle = (at: Span, path: readonly string[]) =>
  path.length === 2
    ? error('FTP0208', at, 'the file imports itself', {
        label: 'this file',
        help: 'remove the import: a file can use its own declarations',
      })
    : error('FTP0208', at, 'the files import each other in a cycle', {
        label: 'leads back to this file',
        notes: [path.map((file) => `\`${file}\``).join(' → ')],
        help: 'move what both files need into a third file',
      });

/** `removal`: the name with its comma, or the whole line of the import. */
export const unusedImport = (at: Span, name: string, removal: Span, whole: boolean) =>
  warning('FTP0209', at, `\`${name}\` is imported and not used`, {
    label: 'not used',
    fixes: [replace(whole ? 'remove the import' : `remove \`${name}\``, removal, '')],
  });

/** Names of one module that a file uses without importing them. */
export interface NotImported extends Diagnostic {
  readonly missing: {
    readonly names: readonly [Word, ...Word[]];
    readonly module: string;
    /** The edit that imports names, which are separated by commas. */
    readonly importing: (names: string) => Insertion;
  };
}

export function notImported(missing: NotImported['missing']): NotImported {
  const { names, module, importing } = missing;
  const [{ span }, ...others] = names;
  const texts = names.map(({ text }) => text);
  const [listed, quoted] = [texts.join(', '), named(texts, 'and')];
  const put = importing(listed);
  const found = error('FTP0210', span, `${quoted} ${names.length > 1 ? 'are' : 'is'} not imported`, {
    label: `exported by \`${module}\``,
    help: `write \`import { ${listed} } from "${module}"\` at the top`,
    ...(others.length === 0
      ? {}
      : { related: others.map(({ span }) => ({ at: span, message: 'this, too' })) }),
    fixes: [insert(`import ${quoted}`, span.file, put.at, put.text)],
  });
  return { ...found, missing };
}

/** `meant`: a function of the library that the file does not import, with the edit that does. */
export const unknownFunction = (at: Span, name: string, known: readonly string[], meant?: LibraryName) => {
  const foreign = foreignFunction(name);
  return error('FTP0211', at, `there is no function \`${name}\``, {
    label: 'unknown function',
    ...(foreign !== undefined
      ? { help: `write \`${foreign}\`` }
      : meant === undefined
        ? suggestion(name, at, known)
        : fromLibrary(at, meant)),
  });
};

interface Insertion {
  readonly at: number;
  readonly text: string;
}

/** What a module of the library exports and the file does not import. */
export interface LibraryName {
  readonly name: string;
  readonly module: string;
  readonly put: Insertion;
}

/** `accuracy` of `std/eval`, for `acuracy`: written and imported. */
export function fromLibrary(at: Span, { name, module, put }: LibraryName): Hint {
  const written = rewrite(at, name);
  const { edits } = insert('', at.file, put.at, put.text);
  return {
    help: `did you mean \`${name}\` of \`${module}\`?`,
    fixes: [{ ...written, title: `write \`${name}\`, and import it`, edits: [...edits, ...written.edits] }],
  };
}

export const unknownPreset = (at: Span, name: string, kind: string, known: readonly string[]) =>
  error('FTP0212', at, `there is no preset \`${name}\` for \`${kind}\``, {
    label: 'unknown preset',
    ...(known.length === 0
      ? { help: `no preset for \`${kind}\` is declared or imported here` }
      : suggestion(name, at, known)),
  });

export const unknownSetting = (at: Span, key: string, where: string, hint: Hint) =>
  error('FTP0213', at, `${where} has no setting \`${key}\``, { label: 'unknown setting', ...hint });

/** What `using lora(rank: 16)` means: QLoRA's settings are LoRA's. `undefined` of what has no settings of its own. */
export const methodSettings = (method: string, written: string): string | undefined =>
  /^q?lora$/.test(method) && written !== '' ? `lora = { ${written} }` : undefined;

/** Where the settings of a method go. */
export const inBlock = (settings: string | undefined): string =>
  settings === undefined ? '' : `, and its settings in the block: \`${settings}\``;

/**
 * `using = qlora` among the settings; `whole` is the setting with its line. `settings`: what `using = qlora(…)` has between its
 * parentheses, which belongs in the block.
 */
export const usingInBlock = (
  at: Span,
  value: string,
  whole: Span,
  headingEnd: Span,
  settings?: { readonly text: string; readonly at: Span },
) => {
  const own = settings && methodSettings(value, settings.text);
  return error('FTP0227', at, '`using` belongs in the heading of a block', {
    label: 'not a setting',
    help: `write it before the opening brace: \`… using ${value} {\`${inBlock(own)}`,
    fixes: [
      {
        title: 'move it into the heading',
        applicability: settings === undefined ? 'safe' : 'maybe_incorrect',
        edits: [
          { span: { ...headingEnd, start: headingEnd.end }, text: ` using ${value}` },
          own === undefined ? { span: whole, text: '' } : { span: settings?.at ?? whole, text: own },
        ],
      },
    ],
  });
};

export const unknownArgument = (at: Span, name: string, callee: string, hint: Hint) =>
  error('FTP0214', at, `\`${callee}\` has no argument \`${name}\``, { label: 'unknown argument', ...hint });

export const unknownPort = (at: Span, stage: string, port: string, known: readonly string[]) =>
  error('FTP0215', at, `\`${stage}\` has no output named \`${port}\``, {
    label: 'unknown port',
    ...(known.length === 0 ? { help: 'this stage has no outputs' } : suggestion(port, at, known)),
  });

export const unknownMetric = (at: Span, name: string, where: string, known: readonly string[]) =>
  error('FTP0216', at, `${where} measures no \`${name}\``, {
    label: 'unknown metric',
    ...suggestion(name, at, known),
  });

export const noPorts = (at: Span, name: string, kind: string) =>
  error('FTP0217', at, `\`${name}\` is a ${kind} and has no ports`, {
    label: 'not a stage',
    help: `write \`${name}\` alone; only stages have ports`,
    fixes: [replace('remove it', { ...at, start: at.start - 1 }, '', 'maybe_incorrect')],
  });

export const presetOfOtherKind = (at: Span, name: string, target: string, kind: string) =>
  error('FTP0218', at, `the preset \`${name}\` is for \`${target}\`, this is ${withArticle(`\`${kind}\``)}`, {
    label: `for ${named([target])}`,
    help: `choose a preset that is declared \`for ${kind}\``,
  });

export const secondMethod = (at: Span, method: string, first: string, firstAt: Span) =>
  error('FTP0222', at, `\`${first}\` and \`${method}\` are both methods`, {
    label: 'a second method',
    related: [{ at: firstAt, message: 'the first one' }],
    help: 'a stage has one method; keep one of them',
  });

export const appliedTwice = (at: Span, name: string, first: Span) =>
  error('FTP0223', at, `\`${name}\` appears twice after \`using\``, {
    label: 'again',
    related: [{ at: first, message: 'here first' }],
    help: 'keep one of them: of several presets, the later ones win',
  });

export const presetCycle = (at: Span, name: string) =>
  error('FTP0224', at, `the preset \`${name}\` applies itself`, {
    label: 'leads back to this preset',
    help: 'remove one of the presets after `using`',
  });

export const unusedDeclaration = (at: Span, kind: string, name: string, whole: Span) =>
  warning('FTP0225', at, `the ${kind} \`${name}\` is not used`, {
    label: 'not used',
    fixes: [replace(`remove \`${name}\``, whole, '', 'maybe_incorrect')],
  });

export const stageWithoutEffect = (at: Span, name: string, whole: Span) =>
  warning('FTP0226', at, `nothing reads \`${name}\``, {
    label: 'has no effect',
    help: 'refer to it from another stage, or remove it; a `require` in it would also be reason to keep it',
    fixes: [replace(`remove \`${name}\``, whole, '', 'maybe_incorrect')],
  });

/** Columns that a message lists at most. */
const LISTED_COLUMNS = 8;

/** `detail`: a clause without a subject. */
export const brokenPattern = (at: Span, setting: string, detail: string) =>
  error('FTP0623', at, {
    message: `\`${setting}\` ${detail}`,
    label: 'in this template',
    help: 'columns are written as `{question}`; `{{` and `}}` are the braces themselves',
  });

export const otherColumns = (
  at: Span,
  found: {
    readonly template: string;
    readonly needed: readonly string[];
    /** The same columns by their usual names. */
    readonly usual: readonly string[];
    readonly source: string;
    readonly columns: readonly string[];
    /** Span of the source. */
    readonly at: Span;
    /** A template that fits the columns of the source. */
    readonly fitting: string | undefined;
    /** Whether the source can map its columns. */
    readonly canBeNamed: boolean;
  },
) =>
  error('FTP0519', at, {
    message: `\`${found.template}\` reads ${named(found.needed, 'and')}, but the rows of \`${found.source}\` have ${named(found.columns.slice(0, LISTED_COLUMNS), 'and')}`,
    label: 'finds none of its columns',
    related: [{ at: found.at, message: 'these rows' }],
    help:
      found.fitting !== undefined
        ? `write \`template = ${found.fitting}()\`, or choose another \`source\``
        : found.canBeNamed
          ? `name the columns in the \`source\`: \`columns: { ${found.usual.map((column) => `${column}: "…"`).join(', ')} }\``
          : 'choose a `source` whose rows have these columns',
  });
