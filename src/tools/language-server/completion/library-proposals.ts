/** What modules export: functions by what they give, presets, and names in an import; with the import that they need. */
import type { TextEdit } from 'vscode-languageserver';
import { functionKey, functions, spelling } from '../../../language/schemas/functions/index.js';
import type { Family, FunctionSchema } from '../../../language/schemas/schema.js';
import { functionNamed } from '../../../language/schemas/setting-paths.js';
import { isString } from '../cursor/tokens.js';
import { ftp, functionDoc, functionText, headOf, paragraphs, signature } from '../describe.js';
import { schemaOf } from '../names/block-schemas.js';
import { exportsOf, namesIn } from '../names/targets.js';
import { libraryModules } from '../package-files.js';
import { toPosition } from '../positions.js';
import { argumentSnippet } from './keys.js';
import { type Proposal, type Proposals, propose, type Request } from './request.js';

export function functionProposals(families: readonly Family[], request: Request): Proposals {
  const { scope } = request.view.analysis.context;
  const isKnown = (name: string, { family }: FunctionSchema): boolean =>
    scope.callable(name, family)?.schema.family === family;
  const here = Object.entries(functions)
    .filter(([name, schema]) => families.includes(schema.family) && isKnown(spelling(name), schema))
    .map(([name, schema]) => proposal(spelling(name), schema, request));
  const elsewhere = libraryModules(request.session).flatMap(({ name: module, tree }) =>
    tree.natives.flatMap(({ name: { text }, family }): Proposals => {
      const schema = functions[functionKey(text, family.text) ?? ''];
      if (schema === undefined || !families.includes(schema.family) || isKnown(text, schema)) return [];
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
  return propose('Function', name, {
    detail: signature(name, schema),
    doc: functionDoc(schema),
    insert: hasCall || !needsCall ? name : `${name}(${snippet})`,
    sort: 'b',
  });
}

/** Adds a name to the import of its module, or an import for it. */
function importEdit(name: string, module: string, { view }: Request): TextEdit[] {
  const { source, module: file, analysis } = view;
  const statement = file.tree.imports.find(({ from, names }) => from.text === module && names.length > 0);
  const last = statement?.names.at(-1);
  const offset = last?.span.end ?? analysis.context.scope.importAt;
  const newText = last === undefined ? `import { ${name} } from "${module}"\n` : `, ${name}`;
  const at = toPosition(source, offset);
  return [{ range: { start: at, end: at }, newText }];
}

/** Methods and presets after `using`. */
export function presetProposals(kind: string, request: Request): Proposals {
  if (kind === 'machine') return machineProposals(request);
  const taken = new Set(request.frame.statement.map(({ image }) => image));
  const names = namesIn(request.view.module);
  const methods = (schemaOf(kind)?.presets ?? []).map((label) =>
    propose('EnumMember', label, { detail: `method of ${kind}`, sort: 'a' }),
  );
  const here = [...names].flatMap(([label, target]): Proposals => {
    if (target.kind !== 'declared' || target.declared.what !== 'preset') return [];
    const { node } = target.declared;
    if (node.target.text !== kind) return [];
    const doc = paragraphs(ftp(headOf(target.declared)), node.doc);
    return [propose('Interface', label, { detail: `preset for ${kind}`, doc, sort: 'b' })];
  });
  const elsewhere = libraryModules(request.session).flatMap(({ name: module, tree }) =>
    tree.presets
      .filter(({ name, target }) => target.text === kind && !names.has(name.text))
      .map(({ name, doc }) =>
        propose('Interface', name.text, {
          detail: `import from ${module}`,
          doc,
          also: importEdit(name.text, module, request),
          sort: 'd',
        }),
      ),
  );
  return [...methods, ...here, ...elsewhere].filter(({ label }) => !taken.has(label));
}

/** Machines after `using`, those of the library with their import. */
function machineProposals(request: Request): Proposals {
  const taken = new Set(request.frame.statement.map(({ image }) => image));
  const names = namesIn(request.view.module);
  const here = [...names].flatMap(
    ([label, target]): Proposals =>
      target.kind === 'declared' && target.declared.what === 'machine'
        ? [propose('Struct', label, { detail: 'machine', doc: target.declared.node.doc, sort: 'b' })]
        : [],
  );
  const elsewhere = libraryModules(request.session).flatMap(({ name: module, tree }) =>
    tree.machines
      .filter(({ name }) => !names.has(name.text))
      .map(({ name, doc }) =>
        propose('Struct', name.text, {
          detail: `import from ${module}`,
          doc,
          also: importEdit(name.text, module, request),
          sort: 'd',
        }),
      ),
  );
  return [...here, ...elsewhere].filter(({ label }) => !taken.has(label));
}

/** Names inside of `import { … } from "…"`. */
export function importedProposals(request: Request): Proposals {
  const { cursor, view, frame, session } = request;
  if (!('open' in frame)) return [];
  const { tokens } = cursor.tokens;
  const start = tokens.indexOf(frame.open);
  const close = tokens.findIndex((token, index) => index > start && token.image === '}');
  const taken = new Set(
    tokens
      .slice(start + 1, close < 0 ? start + 1 : close)
      .filter((token) => token !== cursor.partial)
      .map(({ image }) => image),
  );
  const from = close < 0 ? undefined : tokens[close + 2];
  const path = from !== undefined && isString(from) ? from.image.slice(1, -1) : undefined;
  const statement = view.module.imports.find(({ statement }) => statement.from.text === path);
  const found =
    statement?.module !== undefined
      ? exportsOf(statement.module).map((declared) =>
          exported(declared.name.text, declared.node.doc, path ?? ''),
        )
      : path === undefined
        ? libraryModules(session).flatMap(({ name, tree }) =>
            [...tree.natives, ...tree.presets, ...tree.machines].map((node) =>
              exported(node.name.text, node.doc, name),
            ),
          )
        : [];
  return found.filter(({ label }) => !taken.has(label));
}

function exported(label: string, doc: string | undefined, module: string): Proposal {
  const schema = functionNamed(label);
  return schema === undefined
    ? propose('Interface', label, { detail: module, doc })
    : propose('Function', label, { detail: module, doc: functionText(label, schema) });
}
