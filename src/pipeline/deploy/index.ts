export { checkTarget } from './current.js';
export { readHistory } from './history.js';
export { openAnswerer } from './open-answerer.js';
export { type Published, type PublishRequest, publish } from './publish.js';
export { listReleases } from './releases.js';
export { rollback } from './rollback.js';
export { verifyRelease } from './verify.js';
export type { ReleaseWorld } from './world.js';
