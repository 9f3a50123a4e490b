/** Which code publishes to which target. */
import type { Host } from '../../language/host/host.js';
import type { ElsewhereRequest, PublishedElsewhere } from '../deploy/elsewhere.js';

type Publisher = (host: Host, request: ElsewhereRequest) => Promise<PublishedElsewhere>;

/** By the function that names the target; each is loaded where it is used. */
const PUBLISHERS: Readonly<Record<string, () => Promise<Publisher>>> = {
  hub_release: async () => (await import('../hub/publish/publish-release.js')).publishToHub,
  ollama: async () => (await import('../ollama/publish-ollama.js')).publishToOllama,
};

export async function publishElsewhere(host: Host, request: ElsewhereRequest): Promise<PublishedElsewhere> {
  const load = PUBLISHERS[request.target.call];
  if (load === undefined) throw new Error(`nothing publishes to ${request.target.call}`);
  return (await load())(host, request);
}
