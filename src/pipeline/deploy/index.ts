export { checkTarget } from './current.js';
export { readHistory } from './history.js';
export { openAnswerer } from './open-answerer.js';
export { type PublishedRelease, type PublishRequest, publish } from './publish.js';
export { listReleases, type ReleaseAccess } from './releases.js';
export { rollback } from './rollback.js';
export { verifyRelease } from './verify.js';
