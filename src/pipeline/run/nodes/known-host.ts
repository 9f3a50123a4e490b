/** Whether this machine knows the host that node 0 is to be reached at: ranks would wait for it until their bound is over. */
import { lookup } from 'node:dns/promises';
import { placeOf } from '../../../compute/accelerate/ranks.js';
import { rendezvousUnknown } from '../../../language/diagnostics/catalogue/engines.js';
import type { Diagnostic } from '../../../language/diagnostics/types.js';
import type { RunEngine } from '../../../language/ir/engines.js';

/** What is wrong with the host, if anything. */
export async function unknownHost(engine: RunEngine): Promise<Diagnostic | undefined> {
  if (engine.name !== 'accelerate' || engine.rendezvous === undefined) return undefined;
  const { rendezvous } = engine;
  const { address } = placeOf({ rendezvous });
  try {
    await lookup(address);
    return undefined;
  } catch {
    return rendezvousUnknown(rendezvous, address);
  }
}
