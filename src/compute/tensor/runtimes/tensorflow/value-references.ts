/**
 * References to a graph's values, which may be there as float32, as bfloat16, or as both: what is read as one and there
 * as the other is converted, once. Rounding is `toBf16`'s; a value that is there as bfloat16 is not rounded by it again.
 */
import { number } from '../../attributes.js';
import { argument } from '../../ops/definition.js';
import { GraphError } from '../../shape.js';
import type { Graph, Node, ValueId } from '../../types.js';
import { type LoweringContext, multiplied, scaledBy } from './lowerings.js';
import { cast, type NodeContext } from './nodes.js';

type Form = 'f32' | 'bf16';

/** How a value comes about in one form, or in each: nodes are added when it is first read. */
type ReferenceBuilders = Readonly<Partial<Record<Form, () => string>>>;

export class ValueReferences {
  private readonly made = new Map<ValueId, ReferenceBuilders>();
  private readonly known: Readonly<Record<Form, Map<ValueId, string>>> = { f32: new Map(), bf16: new Map() };

  constructor(readonly node: NodeContext['node']) {}

  set(value: ValueId, made: ReferenceBuilders): void {
    this.made.set(value, made);
  }

  get(value: ValueId, form: Form = 'f32'): string {
    const known = this.known[form].get(value);
    if (known !== undefined) return known;
    const made = this.made.get(value);
    if (made === undefined) throw new GraphError(`value ${value} is read before it is computed`);
    const other = form === 'f32' ? 'bf16' : 'f32';
    const reference = made[form]?.() ?? cast(this, this.get(value, other), other, form);
    this.known[form].set(value, reference);
    return reference;
  }

  /** Whether to make bfloat16 of it changes nothing. */
  isRounded(value: ValueId): boolean {
    return this.made.get(value)?.bf16 !== undefined;
  }
}

/** Values that are read as they are, and not only to be rounded. */
export function readExactly({ nodes, outputs }: Graph): ReadonlySet<ValueId> {
  const read = nodes.flatMap(({ op, inputs }) => (op === 'toBf16' || op === 'fence' ? [] : inputs));
  return new Set([...read, ...outputs.map(({ value }) => value)]);
}

/**
 * A rounding, or a product between roundings, on bfloat16; sums within a product are float32 there, too. One that is
 * scaled is rounded before it is and after. Gives whether the node was one of these.
 */
export function inBf16(
  { op, inputs, outputs }: Node,
  context: Omit<LoweringContext, 'inputs'>,
  values: ValueReferences,
  exact: ReadonlySet<ValueId>,
): boolean {
  const [output] = outputs;
  if (output === undefined) return false;
  const input = argument(inputs, 0);
  if (op === 'toBf16') {
    values.set(output, { bf16: () => values.get(input, 'bf16') });
    return true;
  }
  if (op !== 'matmul' || exact.has(output) || !inputs.every((value) => values.isRounded(value))) return false;
  const factors = inputs.map((value) => values.get(value, 'bf16'));
  const product = multiplied({ ...context, inputs: factors }, 'bf16');
  if (number(context.attributes, 'alpha') === 1) {
    values.set(output, { bf16: () => product });
    return true;
  }
  const scaled = scaledBy(context, cast(context, product, 'bf16', 'f32'));
  values.set(output, { f32: () => scaled });
  return true;
}
