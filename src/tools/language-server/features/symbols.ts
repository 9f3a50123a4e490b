/** Outlines: of a document, and of every pipeline of the workspace. */
import type { DocumentSymbol, Range, SymbolInformation } from 'vscode-languageserver';
import { SymbolKind } from 'vscode-languageserver/node.js';
import type { Span } from '../../../language/source/span.js';
import type { SourceText } from '../../../language/source/text.js';
import { type Declaration, declaredIn } from '../names/targets.js';
import { toRange } from '../positions.js';
import type { View } from '../projects.js';
import { declarationPlace, locationOf, pipelineFiles } from '../references.js';
import { type Feature, onView, safely } from '../session.js';

const KINDS: Readonly<Record<Declaration['what'], SymbolKind>> = {
  param: SymbolKind.Constant,
  matrix: SymbolKind.Array,
  secret: SymbolKind.Key,
  preset: SymbolKind.Interface,
  machine: SymbolKind.Struct,
  stage: SymbolKind.Class,
  budget: SymbolKind.Struct,
  native: SymbolKind.Function,
};

export const documentSymbols: Feature = {
  capabilities: { documentSymbolProvider: true },
  register: (session) => session.connection.onDocumentSymbol(onView(session, null, (view) => outline(view))),
};

/** Most that an editor is sent of a workspace. */
const MOST = 500;

export const workspaceSymbols: Feature = {
  capabilities: { workspaceSymbolProvider: true },
  register: (session) =>
    session.connection.onWorkspaceSymbol(
      safely(session, null, ({ query }): SymbolInformation[] => {
        const seen = new Set<string>();
        const found: SymbolInformation[] = [];
        for (const path of pipelineFiles(session)) {
          const view = session.projects.view(path);
          if (view === undefined || seen.has(path)) continue;
          seen.add(path);
          for (const declared of declaredIn(view.module).values())
            if (matches(declared.name.text, query))
              found.push({
                name: declared.name.text,
                kind: KINDS[declared.what],
                containerName: nounOf(declared),
                location: locationOf(session, declarationPlace(declared)),
              });
        }
        return found.slice(0, MOST);
      }),
    ),
};

/** Every letter of the query in order, as editors look for symbols. */
function matches(name: string, query: string): boolean {
  let at = 0;
  const lower = name.toLowerCase();
  for (const letter of query.toLowerCase()) {
    const next = lower.indexOf(letter, at);
    if (next < 0) return false;
    at = next + 1;
  }
  return true;
}

const nounOf = (declared: Declaration): string =>
  declared.what === 'stage' || declared.what === 'budget' ? declared.node.kind.text : declared.what;

function outline({ module, source }: View): DocumentSymbol[] {
  const declared = [...declaredIn(module).values()].map((one): DocumentSymbol => {
    const hasBody = 'properties' in one.node;
    return {
      name: one.name.text,
      detail: detailOf(one),
      kind: KINDS[one.what],
      range: around(source, one.node.span, one.name.span),
      selectionRange: toRange(source, one.name.span),
      children: hasBody ? settings(one.node.properties, source) : [],
    };
  });
  const tests = module.tree.tests.map(
    (test): DocumentSymbol => ({
      name: test.name.text === '' ? 'test' : test.name.text,
      detail: 'test',
      kind: SymbolKind.Method,
      range: around(source, test.span, test.name.span),
      selectionRange: toRange(source, test.name.span),
    }),
  );
  return [...declared, ...tests].sort(
    (a, b) => a.range.start.line - b.range.start.line || a.range.start.character - b.range.start.character,
  );
}

function settings(
  properties: readonly {
    readonly key: { readonly text: string; readonly span: Span };
    readonly value: { readonly span: Span };
  }[],
  source: SourceText,
): DocumentSymbol[] {
  return properties.map(({ key, value }) => ({
    name: key.text,
    kind: SymbolKind.Property,
    range: around(source, { ...key.span, end: value.span.end }, key.span),
    selectionRange: toRange(source, key.span),
  }));
}

function detailOf(declared: Declaration): string {
  const { node, what } = declared;
  if ('type' in node) return `${what}: ${node.type.text}`;
  if ('kind' in node && 'using' in node)
    return node.using.length === 0
      ? node.kind.text
      : `${node.kind.text} using ${node.using.map(({ text }) => text).join(', ')}`;
  return 'target' in node ? `preset for ${node.target.text}` : what;
}

/** The protocol requires the name to be inside the whole. */
const around = (source: SourceText, whole: Span, name: Span): Range =>
  toRange(source, { start: Math.min(whole.start, name.start), end: Math.max(whole.end, name.end) });
