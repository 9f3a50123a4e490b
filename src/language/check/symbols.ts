/** What a name can refer to. */
import type { Diagnostic } from '../diagnostics/types.js';
import type { Requirement as CheckedRequirement, StageKind, Unit, Value, Values } from '../ir/program.js';
import type { FunctionSchema, SettingType, StageSchema } from '../schemas/schema.js';
import type { Span } from '../source/span.js';
import type { Block, Matrix, Param, Preset, Requirement, Secret, Word } from '../syntax/ast.js';
import type { MetricScope } from './metric-scope.js';

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
}

/** A requirement of a preset in a block that applies it. */
interface PresetRequirement {
  /** Absent where something is wrong with it. */
  readonly checked?: CheckedRequirement;
  readonly uses: readonly PortUse[];
  readonly problem?: Diagnostic;
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

export type Declaration =
  | ParamSymbol
  | MatrixSymbol
  | SecretSymbol
  | StageSymbol
  | BudgetSymbol
  | PresetSymbol
  | UnknownSymbol;
export type FtpSymbol = Declaration | FunctionSymbol;

/** A name of a value that is known before the run. */
export const isValue = (symbol: FtpSymbol | undefined): symbol is ParamSymbol | MatrixSymbol =>
  symbol?.kind === 'param' || symbol?.kind === 'matrix';
