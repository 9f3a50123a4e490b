/** Ports of a stage; in a condition what it measures. */
import { CompletionItemKind } from 'vscode-languageserver/node.js';
import { portNoun } from '../../../language/check/describe.js';
import { portType } from '../../../language/check/ports.js';
import { alternative } from '../../../language/schemas/setting-paths.js';
import { expectedIn } from '../cursor/expected.js';
import { portText } from '../describe.js';
import { schemaOf } from '../names/kinds.js';
import { conditionIn, metricsBehind, named } from './conditions.js';
import type { Proposals, Request } from './request.js';
import { stagesOf } from './value-proposals.js';

export function afterDot(name: string, request: Request): Proposals {
  const condition = conditionIn(request);
  if (condition !== undefined) return named(metricsBehind(name, condition, request));
  const stage = stagesOf(request.view).find((one) => one.name.text === name);
  const schema = stage === undefined ? undefined : schemaOf(stage.node.kind.text);
  if (stage === undefined || schema === undefined) return [];
  const accepts = alternative(expectedIn(request.cursor.frames), 'port')?.accepts;
  const method = stage.node.using.find(({ text }) => schema.presets.includes(text))?.text;
  return Object.entries(schema.ports)
    .filter(([port]) => port !== '')
    .map(([port, definition]) => {
      const type = portType(definition, method);
      return {
        label: port,
        kind: CompletionItemKind.Field,
        detail: portNoun([type]),
        doc: portText(name, port, definition),
        // What does not fit is after what does.
        sort: accepts === undefined || accepts.includes(type) ? 'a' : 'z',
      };
    });
}
