import type { AdapterKind } from '../../../../src/compute/models/adapters/config.js';
import type { Adapter } from '../../../../src/compute/models/types.js';

/** An adapter that must be of a kind. */
export function ofKind<K extends AdapterKind, A extends Adapter>(kind: K, adapter: A): A & Adapter<K> {
  if (adapter.config.kind !== kind) throw new TypeError(`the adapter is of kind ${adapter.config.kind}`);
  return adapter as A & Adapter<K>;
}
