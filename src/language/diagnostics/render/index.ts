export { harmless } from './clean.js';
export { githubAnnotation } from './github.js';
export { checkJson, diagnosticJson } from './json.js';
export { locate, locateSpan } from './locate.js';
export { countText, type Palette, plain, prettyDiagnostic } from './pretty.js';
