import { type Diagnostic, isError } from '../diagnostics/types.js';
import type { Host } from '../host/host.js';
import type { Origin, Value } from '../ir/program.js';
import type { SettingType } from '../schemas/schema.js';
import type { Span } from '../source/span.js';
import type { Expression } from '../syntax/ast.js';
import type { PortUse, Scope } from './scope.js';

/** Where the relative paths of a file start, and how they are read. */
export interface FolderAccess {
  readonly host: Host;
  /** Absolute folder that relative paths start from. */
  readonly folder: string;
}

/** What a check of some settings gathers; forks can be thrown away where another reading fits better. */
export class Context {
  readonly diagnostics: Diagnostic[] = [];
  readonly origins: Record<string, Origin> = {};
  readonly uses: PortUse[] = [];
  /** Parameters that are being computed, each with where it was asked for. */
  readonly open: { readonly name: string; readonly at: Span }[] = [];

  constructor(
    readonly scope: Scope,
    readonly access: FolderAccess,
  ) {}

  /** Warnings leave a value as it is. */
  get errors(): number {
    return this.diagnostics.filter(isError).length;
  }

  report(diagnostic: Diagnostic): undefined {
    this.diagnostics.push(diagnostic);
    return undefined;
  }

  origin(path: string | undefined, origin: Origin): void {
    if (path !== undefined) this.origins[path] = origin;
  }

  /** Nobody has set it. */
  forget(path: string | undefined): void {
    if (path !== undefined) delete this.origins[path];
  }

  fork(): Context {
    return new Context(this.scope, this.access);
  }

  adopt(fork: Context): void {
    this.diagnostics.push(...fork.diagnostics);
    this.uses.push(...fork.uses);
    Object.assign(this.origins, fork.origins);
  }
}

/**
 * An expression as a value of one kind of type; `path` is where the value is in the stage (`lora.rank`), `undefined`
 * inside lists.
 */
export type Evaluate<K extends SettingType['kind']> = (
  expression: Expression,
  type: Extract<SettingType, { kind: K }>,
  context: Context,
  path: string | undefined,
) => Value | undefined;
