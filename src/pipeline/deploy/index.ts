export { readHistory } from './history.js';
export { openAnswerer } from './open-answerer.js';
export { type PublishedRelease, type PublishRequest, publish } from './publish.js';
export { checkTarget, listReleases, type ReleaseAccess, verifyRelease } from './releases.js';
export { rollback } from './rollback.js';
