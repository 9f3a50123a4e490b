/** The adapter that a train stage continues from. */
import type { OpenedAdapter } from '../../../../compute/packaging/adapter-folder.js';
import { openAdapter } from '../../../../compute/packaging/read-adapter.js';
import type { TrainSettings } from '../../../../language/schemas/stages/train.js';
import { type NamedAdapter, resolveAdapter } from '../../resolve-adapters.js';
import type { StageContext } from '../../stage.js';

export type Place = Pick<StageContext, 'folder' | 'host'>;

export type Start = NamedAdapter & { readonly opened: OpenedAdapter };

/** Nothing if a stage has no `start`. Throws a `ModelError` if the adapter cannot be read. */
export function startOf({ start }: Pick<TrainSettings, 'start'>, place: Place): Start | undefined {
  const named = start && resolveAdapter(start, place);
  return named && { ...named, opened: openAdapter(place.host, named.folder) };
}
