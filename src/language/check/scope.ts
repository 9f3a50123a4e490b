/** What a name can refer to, and the names of a file. */

import type { Diagnostic } from '../diagnostics/types.js';
import type { Requirement as CheckedRequirement, StageKind, Unit, Value, Values } from '../ir/program.js';
import { functions, spelling } from '../schemas/functions/index.js';
import type { Family, FunctionSchema, MetricSchema, SettingType, StageSchema } from '../schemas/schema.js';
import type { Span } from '../source/span.js';
import type { Block, Machine, Matrix, Param, Preset, Requirement, Secret, Word } from '../syntax/ast.js';

/** A value that is known when the program is compiled; numbers are in base units. */
export interface Constant {
  readonly value: Value;
  /** Of a number with a unit. */
  readonly unit?: Unit;
  /** A literal as it is in the file. */
  readonly written?: string;
  /** Where a name's value is. */
  readonly at?: Span;
}

export interface ParamSymbol {
  readonly kind: 'param';
  readonly declaration: Param;
  readonly type: SettingType | undefined;
  /**
   * Evaluated when first asked for; `undefined` if it has no valid value, which has been reported. `at`: where it is
   * asked for.
   */
  readonly constant: (at?: Span) => Constant | undefined;
}

/** A parameter with several values: the one that it has in the combination that is checked. */
export interface MatrixSymbol {
  readonly kind: 'matrix';
  readonly declaration: Matrix;
  readonly type: SettingType | undefined;
  /** The values of the matrices are still being read. */
  readonly isOpen: boolean;
  /** `undefined` if it has none, which has been reported. */
  readonly constant: () => Constant | undefined;
}

/** `matrix best: Search = search(…)`: what it finds is named by what follows a dot. */
interface SearchSymbol {
  readonly kind: 'search';
  readonly declaration: Matrix;
}

interface SecretSymbol {
  readonly kind: 'secret';
  readonly declaration: Secret;
}

export interface StageSymbol {
  readonly kind: 'stage';
  readonly block: Block;
  /** `undefined` if the kind is unknown, which has been reported. */
  readonly schema: StageSchema | undefined;
  /** The method of its `using`. */
  readonly method: string | undefined;
}

interface BudgetSymbol {
  readonly kind: 'budget';
  readonly block: Block;
}

/** Where a stage's port is referred to. */
export interface PortUse {
  readonly stage: string;
  readonly port: string;
  readonly span: Span;
  /** The name of a search before it: of its winner. */
  readonly winner?: Span;
}

/** A requirement of a preset in a block that applies it. */
interface PresetRequirement {
  /** Absent where something is wrong with it. */
  readonly checked?: CheckedRequirement;
  readonly uses: readonly PortUse[];
  readonly problem?: Diagnostic;
}

export interface MachineSymbol {
  readonly kind: 'machine';
  readonly declaration: Machine;
  /** Checked when first asked for; `undefined` if something is wrong, which has been reported. */
  readonly settings: () => Values | undefined;
}

export type PresetTarget = StageKind | 'budget';

export interface PresetSymbol {
  readonly kind: 'preset';
  readonly declaration: Preset;
  readonly target: PresetTarget;
  /** What an import calls the module it is in. */
  readonly module: string;
  /** Checks one of its requirements, among the names of its own file, as one of a block that applies it. */
  readonly require: (requirement: Requirement, measured: MetricScope) => PresetRequirement;
  /** The presets that it applies itself, and its own settings last. */
  readonly layers: () => readonly Layer[];
  /** The method of its `using`. */
  readonly method: () => string | undefined;
}

/** One preset of those that a block applies. */
export interface Layer {
  readonly preset: PresetSymbol;
  readonly settings: Values;
  readonly requirements: readonly Requirement[];
  /** The word in the block that brought it. */
  readonly word: Word;
}

export interface FunctionSymbol {
  readonly kind: 'function';
  readonly name: string;
  readonly schema: FunctionSchema;
}

/** Something imported that does not exist, which has been reported. */
interface UnknownSymbol {
  readonly kind: 'unknown';
}

type Declaration =
  | ParamSymbol
  | MatrixSymbol
  | SearchSymbol
  | SecretSymbol
  | StageSymbol
  | BudgetSymbol
  | PresetSymbol
  | MachineSymbol
  | UnknownSymbol;
export type FtpSymbol = Declaration | FunctionSymbol;

/** A name of a value that is known before the run. */
export const isValue = (symbol: FtpSymbol | undefined): symbol is ParamSymbol | MatrixSymbol =>
  symbol?.kind === 'param' || symbol?.kind === 'matrix';

/** What a `require` may refer to. */
export interface MetricScope {
  /** `the eval stage \`quality\`` */
  readonly where: string;
  readonly metrics: Readonly<Record<string, MetricSchema>>;
  /** What measures it. */
  readonly block?: Block;
  /** Names that are measured, where the stage chooses them. */
  readonly listed?: { readonly names: ReadonlySet<string>; readonly end: Span | undefined };
  /** The stage's own name, which it need not write. */
  readonly own?: string;
  /** Whether it may refer to other stages: of what they measure, and in a budget of memory and time too. */
  readonly ofStages?: 'measured' | 'all';
  /** `undefined`: the kind knows no baseline. */
  readonly baseline?: { readonly isSet: boolean; readonly insertAt: number };
}

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
    /** Machines of the library, for the same. */
    readonly machinesOfLibrary: () => readonly string[],
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
  callable(name: string, family?: Family): FunctionSymbol | undefined {
    this.used.add(name);
    const own = this.own.get(name);
    const known = this.prelude.get(name);
    const found = own?.kind === 'function' ? own : known;
    // two families have one that is written so
    if (known?.schema.spelling === undefined || family === undefined) return found;
    return known.schema.family === family ? known : found === known ? undefined : found;
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
    if (known.length > 0 || family === undefined) return known.map(({ name }) => spelling(name));
    return Object.entries(functions).flatMap(([name, schema]) =>
      schema.family === family ? [spelling(name)] : [],
    );
  }

  declared(...kinds: readonly FtpSymbol['kind'][]): readonly string[] {
    return [...this.own].filter(([, symbol]) => kinds.includes(symbol.kind)).map(([name]) => name);
  }
}
