import type { Feature } from '../session.js';
import { codeActions } from './code-actions.js';
import { completion } from './completion.js';
import { definition } from './definition.js';
import { folding } from './folding.js';
import { formatting } from './formatting.js';
import { hover } from './hover.js';
import { inlayHints } from './inlay-hints.js';
import { links } from './links.js';
import { highlight, references } from './references.js';
import { rename } from './rename.js';
import { selection } from './selection.js';
import { semanticTokens } from './semantic-tokens.js';
import { signatureHelp } from './signature.js';
import { documentSymbols, workspaceSymbols } from './symbols.js';

/** Every feature that answers requests; adding one is a file and a line. */
export const features: readonly Feature[] = [
  completion,
  hover,
  signatureHelp,
  definition,
  references,
  highlight,
  rename,
  formatting,
  codeActions,
  documentSymbols,
  workspaceSymbols,
  folding,
  selection,
  semanticTokens,
  links,
  inlayHints,
];
