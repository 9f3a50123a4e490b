export { harmless } from './clean.js';
export { githubAnnotation } from './github.js';
export { type CheckJson, checkJson, type DiagnosticJson, diagnosticJson } from './json.js';
export { type Location, locate, locateSpan } from './locate.js';
export { countText, type Palette, plain, prettyDiagnostic } from './pretty.js';
