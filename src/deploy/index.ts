export { checkTarget, currentRelease } from './current.js';
export { type HistoryEntry, readHistory } from './history.js';
export { type OpenAnswererOptions, openAnswerer } from './open-answerer.js';
export { type ManifestDraft, type Published, type PublishRequest, publish } from './publish.js';
export { listReleases, type Release, releaseName } from './releases.js';
export { type Rollback, rollback } from './rollback.js';
export { smoke } from './smoke.js';
export { type Verification, verifyRelease } from './verify.js';
export type { ReleaseWorld } from './world.js';
