/** Methods and presets after `using`. */
import { CompletionItemKind } from 'vscode-languageserver/node.js';
import { ftp, headOf, paragraphs } from '../describe.js';
import { libraryModules } from '../library.js';
import { namesIn } from '../names/declarations.js';
import { schemaOf } from '../names/kinds.js';
import { importEdit } from './functions.js';
import type { Proposals, Request } from './request.js';

export function presetProposals(kind: string, request: Request): Proposals {
  const taken = new Set(request.frame.statement.map(({ image }) => image));
  const names = namesIn(request.view.module);
  const methods = (schemaOf(kind)?.presets ?? []).map((label) => ({
    label,
    kind: CompletionItemKind.EnumMember,
    detail: `method of ${kind}`,
    sort: 'a',
  }));
  const here = [...names].flatMap(([label, target]): Proposals => {
    if (target.kind !== 'declared' || target.declared.what !== 'preset') return [];
    const { node } = target.declared;
    if (node.target.text !== kind) return [];
    const doc = paragraphs(ftp(headOf(target.declared)), node.doc);
    return [{ label, kind: CompletionItemKind.Interface, detail: `preset for ${kind}`, doc, sort: 'b' }];
  });
  const elsewhere = libraryModules(request.session).flatMap(({ name: module, tree }) =>
    tree.presets
      .filter(({ name, target }) => target.text === kind && !names.has(name.text))
      .map(({ name, doc }) => ({
        label: name.text,
        kind: CompletionItemKind.Interface,
        detail: `import from ${module}`,
        doc,
        also: importEdit(name.text, module, request),
        sort: 'd',
      })),
  );
  return [...methods, ...here, ...elsewhere].filter(({ label }) => !taken.has(label));
}
