import { functions } from '../schemas/functions/index.js';
import type { Family } from '../schemas/schema.js';
import type { FtpSymbol, FunctionSymbol } from './symbols.js';

export interface Insertion {
  /** Offset in the file. */
  readonly at: number;
  readonly text: string;
}

/** The names of one file: declared and imported ones, then those of the prelude. */
export class Scope {
  /** Declared or imported; a function that is imported is one of them. */
  readonly own = new Map<string, FtpSymbol>();
  readonly used = new Set<string>();
  /** Names that were declared twice, which has been reported: what they refer to is not certain. */
  readonly ambiguous = new Set<string>();

  constructor(
    private readonly prelude: ReadonlyMap<string, FunctionSymbol>,
    /** Which module of the library exports a function; asked only for an error's sake. */
    readonly moduleOf: (name: string) => string | undefined,
    /** Where an import can be inserted. */
    readonly importAt: number,
    /** After the last name that the file imports from a module. */
    private readonly lastImport: (module: string) => number | undefined,
  ) {}

  /** The edit that imports a name. */
  importing(name: string, module: string): Insertion {
    const at = this.lastImport(module);
    return at === undefined
      ? { at: this.importAt, text: `import { ${name} } from "${module}"\n` }
      : { at, text: `, ${name}` };
  }

  /** What a bare word refers to: what the file declares hides the prelude. */
  lookup(name: string): FtpSymbol | undefined {
    this.used.add(name);
    return this.own.get(name) ?? this.prelude.get(name);
  }

  /** What a called word refers to: stages and parameters cannot be called, so they hide nothing. */
  callable(name: string): FunctionSymbol | undefined {
    this.used.add(name);
    const own = this.own.get(name);
    return own?.kind === 'function' ? own : this.prelude.get(name);
  }

  /** Whether a mistake in a declaration, which has been reported, hides what a name refers to. */
  isUncertain(name: string): boolean {
    return this.ambiguous.has(name) || this.own.get(name)?.kind === 'unknown';
  }

  /** Whether a called name, such as `adapter.best`, is what a stage outputs. */
  isPort(callee: string): boolean {
    const [stage = '', port] = callee.split('.');
    return port !== undefined && this.lookup(stage)?.kind === 'stage';
  }

  /** Functions that the file knows; of a family of which it has imported none, those of the library. */
  functions(family?: Family): readonly string[] {
    const known = [...this.prelude.values(), ...this.own.values()].filter(
      (symbol): symbol is FunctionSymbol =>
        symbol.kind === 'function' && (family === undefined || symbol.schema.family === family),
    );
    if (known.length > 0 || family === undefined) return known.map(({ name }) => name);
    return Object.entries(functions).flatMap(([name, schema]) => (schema.family === family ? [name] : []));
  }

  declared(...kinds: readonly FtpSymbol['kind'][]): readonly string[] {
    return [...this.own].filter(([, symbol]) => kinds.includes(symbol.kind)).map(([name]) => name);
  }
}
