/** Arguments of the call around the cursor. */
import type { SignatureHelp } from 'vscode-languageserver';
import { MarkupKind } from 'vscode-languageserver/node.js';
import { functionNamed } from '../../../language/schemas/setting-paths.js';
import { cursorAt } from '../cursor/frames.js';
import { isSets } from '../cursor/tokens.js';
import { parameters, settingText } from '../describe.js';
import { toOffset } from '../positions.js';
import type { View } from '../projects.js';
import { type Feature, onView } from '../session.js';

export const signatureHelp: Feature = {
  capabilities: { signatureHelpProvider: { triggerCharacters: ['(', ',', ':'], retriggerCharacters: [','] } },
  register: (session) =>
    session.connection.onSignatureHelp(
      onView(session, null, (view, params) => helpAt(view, toOffset(view.source, params.position))),
    ),
};

function helpAt({ source }: View, offset: number): SignatureHelp | null {
  const { frames, inComment } = cursorAt(source, offset);
  const frame = frames.findLast(({ kind }) => kind === 'call');
  if (frame?.kind !== 'call' || inComment !== undefined) return null;
  const name = frame.callee.image;
  const schema = functionNamed(name);
  if (schema === undefined) return null;
  const [word, sets] = frame.statement;
  const args = Object.keys(schema.args);
  const active = isSets(sets) ? word?.image : schema.positional[frame.index];
  const texts = parameters(schema.args);
  return {
    signatures: [
      {
        label: `${name}(${texts.join(', ')})`,
        documentation: { kind: MarkupKind.Markdown, value: schema.doc },
        parameters: args.map((arg, index) => ({
          label: texts[index] ?? arg,
          documentation: { kind: MarkupKind.Markdown, value: settingText(schema.args[arg] ?? NONE) },
        })),
      },
    ],
    activeSignature: 0,
    // Beyond the last one: none is marked.
    activeParameter: active === undefined ? args.length : Math.max(0, args.indexOf(active)),
  };
}

const NONE = { type: { kind: 'none' }, doc: '', required: false } as const;
