/** Declarations, and the words inside of their heads. */
import { typeNoun } from '../../../language/check/nouns.js';
import { PARAM_TYPES } from '../../../language/check/params.js';
import { isTestFile } from '../../../language/diagnostics/catalogue/syntax.js';
import type { StageSchema } from '../../../language/schemas/schema.js';
import { schemas } from '../../../language/schemas/stages/index.js';
import { isString } from '../cursor/tokens.js';
import { kindText } from '../describe.js';
import { valueSnippet } from './keys.js';
import { presetProposals } from './library-proposals.js';
import { libraryNames } from './literals.js';
import { type Proposals, propose, type Request } from './request.js';
import { valueProposals } from './value-proposals.js';

const keyword = (label: string, insert: string, detail: string, sort = 'c'): Proposals => [
  propose('Keyword', label, { insert, detail, sort }),
];

/** A tab stop of a snippet with its initial text. */
const stop = (index: number, text: string): string => `\${${index}:${text}}`;

/** A block with a line for every setting that it must have. */
function blockProposal({ kind, doc, settings }: StageSchema): Proposals[number] {
  const needed = Object.entries(settings).filter(([, { required }]) => required);
  const lines = needed.map(([key, setting], index) => {
    const value = valueSnippet(setting).replace(/\$1|\$\{1:/, (stop) => stop.replace('1', `${index + 2}`));
    return `  ${key} = ${value}\n`;
  });
  return propose('Class', kind, {
    detail: doc.split(/[.:]/)[0],
    doc: kindText(schemas[kind]),
    insert: `${kind} \${1:name} {\n${lines.join('')}}`,
    sort: 'a',
  });
}

const TESTS: Proposals = keyword(
  'test',
  `test "${stop(1, 'what must hold')}" {\n  expect $2\n}`,
  'an expectation of a plan or a run',
  'a',
);

const DECLARATIONS: Proposals = [
  ...Object.values(schemas).map(blockProposal),
  propose('Class', 'budget', {
    detail: 'Limits that a plan must keep',
    insert: `budget ${stop(1, 'machine')} {\n  require ${stop(2, 'peak_memory <= 8GiB')}\n}`,
    sort: 'a',
  }),
  propose('Class', 'machine', {
    detail: 'A machine that plans can be made for',
    insert: `machine ${stop(1, 'name')} using ${stop(2, 'rtx_3090')} {\n  $3\n}`,
    sort: 'a',
  }),
  ...keyword(
    'param',
    `param ${stop(1, 'name')}: ${stop(2, 'Bool')} = ${stop(3, 'false')}`,
    'a value that the command line can replace',
  ),
  ...keyword(
    'matrix',
    `matrix ${stop(1, 'name')}: ${stop(2, 'Number')} = [$3]`,
    'a parameter with several values',
  ),
  ...keyword('secret', `secret ${stop(1, 'name')} = env("$2")`, 'read from the environment, never kept'),
  ...keyword(
    'preset',
    `preset ${stop(1, 'name')} for ${stop(2, 'train')} {\n  $3\n}`,
    'settings that replace the defaults',
  ),
];

const IMPORT: Proposals = keyword('import', 'import { $1 } from "$2"', 'names of another module', 'b');

/** Where a declaration may begin. */
export function declarations({ view: { module } }: Request): Proposals {
  const edition: Proposals =
    module.tree.edition === undefined ? keyword('edition', 'edition 2026', 'of the language', 'a') : [];
  return isTestFile(module.source.file) ? [...edition, ...TESTS] : [...edition, ...IMPORT, ...DECLARATIONS];
}

/** Inside of the head of a declaration: `statement` are its words before the cursor. */
export function inHead(request: Request): Proposals {
  const { statement } = request.frame;
  const [first, second, third, fourth] = statement;
  const count = statement.length;
  switch (first?.tokenType.name) {
    case 'Edition':
      return count === 1 ? keyword('2026', '2026', 'the only edition so far') : [];
    case 'Import': {
      const last = statement.at(-1)?.image;
      if (last === '}') return keyword('from', 'from "$1"', 'the module');
      return last === 'from'
        ? libraryNames(request).map((one) => ({ ...one, insert: JSON.stringify(one.label) }))
        : [];
    }
    case 'Param':
    case 'Matrix':
      if (third?.image === ':' && count === 3) return types();
      return statement.some(({ image }) => image === '=') ? valueProposals(request) : [];
    case 'Secret':
      return third?.image === '=' && count === 3
        ? keyword('env', 'env("$1")', 'a variable of the environment')
        : [];
    case 'Preset':
      if (count === 2) return keyword('for', 'for', 'the kind of block');
      if (count === 3)
        return [...Object.keys(schemas), 'budget'].flatMap((kind) => keyword(kind, kind, 'block kind'));
      return count === 4
        ? keyword('using', 'using', 'methods and presets')
        : usingAt(fourth?.image ?? '', request);
    default:
      if (first === undefined || second === undefined || isString(second)) return [];
      return count === 2 ? keyword('using', 'using', 'methods and presets') : usingAt(first.image, request);
  }
}

function usingAt(kind: string, request: Request): Proposals {
  const last = request.frame.statement.at(-1)?.image;
  return last === 'using' || last === ',' ? presetProposals(kind, request) : [];
}

const types = (): Proposals =>
  Object.entries(PARAM_TYPES).map(([label, type]) =>
    propose('TypeParameter', label, { detail: typeNoun(type) }),
  );
