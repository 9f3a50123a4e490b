import type { MetricSchema } from '../schemas/schema.js';
import type { Span } from '../source/span.js';
import type { Block } from '../syntax/ast.js';

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
