/** Functions of the library by what they give, with the import that they need. */
import type { TextEdit } from 'vscode-languageserver';
import { CompletionItemKind } from 'vscode-languageserver/node.js';
import { functions } from '../../../language/schemas/functions/index.js';
import type { Family, FunctionSchema } from '../../../language/schemas/schema.js';
import { functionNamed } from '../../../language/schemas/setting-paths.js';
import { functionDoc, signature } from '../describe.js';
import { libraryModules } from '../library.js';
import { toPosition } from '../positions.js';
import { argumentSnippet } from './keys.js';
import type { Proposal, Proposals, Request } from './request.js';

export function functionProposals(families: readonly Family[], request: Request): Proposals {
  const { scope } = request.view.analysis.context;
  const known = new Set(scope.functions());
  const here = Object.entries(functions)
    .filter(([name, { family }]) => known.has(name) && families.includes(family))
    .map(([name, schema]) => proposal(name, schema, request));
  const elsewhere = libraryModules(request.session).flatMap(({ name: module, tree }) =>
    tree.natives.flatMap(({ name: { text } }): Proposals => {
      const schema = functionNamed(text);
      if (schema === undefined || known.has(text) || !families.includes(schema.family)) return [];
      const also = importEdit(text, module, request);
      return [{ ...proposal(text, schema, request), detail: `import from ${module}`, also, sort: 'd' }];
    }),
  );
  return [...here, ...elsewhere];
}

function proposal(name: string, schema: FunctionSchema, { cursor }: Request): Proposal {
  const hasCall = cursor.next?.image === '(';
  const snippet = argumentSnippet(schema.args, schema.positional);
  const needsCall = snippet !== '' || schema.family === 'model';
  return {
    label: name,
    kind: CompletionItemKind.Function,
    detail: signature(name, schema),
    doc: functionDoc(schema),
    insert: hasCall || !needsCall ? name : `${name}(${snippet})`,
    sort: 'b',
  };
}

/** Adds a name to the import of its module, or an import for it. */
export function importEdit(name: string, module: string, { view }: Request): TextEdit[] {
  const { source, module: file, analysis } = view;
  const statement = file.tree.imports.find(({ from, names }) => from.text === module && names.length > 0);
  const last = statement?.names.at(-1);
  const offset = last?.span.end ?? analysis.context.scope.importAt;
  const newText = last === undefined ? `import { ${name} } from "${module}"\n` : `, ${name}`;
  const at = toPosition(source, offset);
  return [{ range: { start: at, end: at }, newText }];
}
