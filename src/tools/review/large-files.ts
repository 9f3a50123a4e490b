/** Files that Git LFS keeps and that were not fetched: their rows are unknown, and that they differ is not. */
import { relative } from 'node:path';
import type { PlanOutline, StageOutline } from './types.js';

/** What is in the keys of stages that read such a file: their real digest, by absolute path, and what follows. */
export function withDigests(
  reviewed: PlanOutline,
  folder: string,
  digests: ReadonlyMap<string, string>,
): PlanOutline {
  if (digests.size === 0) return reviewed;
  const known = new Map([...digests].map(([path, sha256]) => [`file:${relative(folder, path)}`, sha256]));
  const stages: StageOutline[] = [];
  for (const stage of reviewed.stages) {
    const found = corrected(stage, known);
    stages.push(found);
    // stages are after those that they read
    if (found.identity !== undefined && found !== stage) known.set(`stage:${stage.name}`, found.identity.key);
  }
  return { ...reviewed, stages };
}

function corrected(stage: StageOutline, known: ReadonlyMap<string, string>): StageOutline {
  const { identity } = stage;
  const parts = Object.entries(identity?.parts ?? {});
  if (identity === undefined || !parts.some(([name]) => known.has(name))) return stage;
  return {
    ...stage,
    identity: {
      key: `${identity.key} with files that are not here`,
      parts: Object.fromEntries(parts.map(([name, value]) => [name, known.get(name) ?? value])),
    },
  };
}
