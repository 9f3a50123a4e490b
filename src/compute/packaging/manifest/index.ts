export { combinedDigest, digestFile, digestFiles, filesBelow, textDigest } from './digest.js';
export { MANIFEST, readManifest } from './read.js';
export type * from './types.js';
