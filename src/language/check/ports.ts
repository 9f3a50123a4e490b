/** References to what other stages output. */

import * as names from '../diagnostics/catalogue/names.js';
import * as params from '../diagnostics/catalogue/params.js';
import * as wiring from '../diagnostics/catalogue/wiring.js';
import { named } from '../diagnostics/make.js';
import type { Port, PortType, StageSchema } from '../schemas/schema.js';
import { lookUp } from '../source/look-up.js';
import type { Expression } from '../syntax/ast.js';
import type { Context, Evaluate } from './context.js';
import { portNoun, wrongType } from './nouns.js';
import type { StageSymbol } from './scope.js';
import { withoutWinner } from './winners.js';

export const portType = (port: Port, method: string | undefined): PortType =>
  (method === undefined ? undefined : port.typeUsing?.[method]) ?? port.type;

/** Ports of a stage that output what is wanted. */
const fitting = (
  schema: StageSchema,
  method: string | undefined,
  accepts: readonly PortType[],
): readonly string[] =>
  Object.entries(schema.ports)
    .filter(([, port]) => accepts.includes(portType(port, method)))
    .map(([name]) => name);

/** `"dialogs.train"`, `adapter.best()`, `perplexity < 3` */
function noReference(
  expression: Exclude<Expression, { kind: 'reference' }>,
  type: Parameters<typeof evaluatePort>[1],
  context: Context,
): undefined {
  if (expression.kind === 'call' && context.scope.isPort(expression.callee.text))
    return context.report(names.calledPort(expression.callee.span, expression.callee.text));
  if (
    expression.kind === 'string' &&
    context.scope.lookup(expression.value.split('.')[0] ?? '')?.kind === 'stage'
  )
    return context.report(wiring.stageInQuotes(expression.span, expression.value, portNoun(type.accepts)));
  return wrongType(
    expression,
    type,
    context,
    expression.kind === 'binary' && type.accepts.includes('Gate')
      ? 'write the condition as a `require` in the eval stage, and use its gate here: `….passed`'
      : undefined,
  );
}

export const evaluatePort: Evaluate<'port'> = (expression, type, context) => {
  const mismatch = (help?: string) => wrongType(expression, type, context, help);
  if (expression.kind !== 'reference') return noReference(expression, type, context);
  const { path, winner } = withoutWinner(expression.path, context);
  const [first, second, third] = path;
  if (first === undefined) return undefined;
  const symbol = context.scope.lookup(first.text);
  if (symbol === undefined)
    return context.report(names.unknownName(first.span, first.text, stagesThatFit(type.accepts, context)));
  if (symbol.kind === 'secret')
    return context.report(params.secretUsed(first.span, first.text, symbol.declaration.name.span));
  if (symbol.kind === 'unknown') return undefined;
  if (symbol.kind !== 'stage') return context.scope.ambiguous.has(first.text) ? undefined : mismatch();
  const { schema, method } = symbol;
  if (schema === undefined) return undefined;
  const written = expression.path.map(({ text }) => text).join('.');
  const word = third ?? second;
  const portName = second?.text ?? '';
  const port = third === undefined ? lookUp(schema.ports, portName) : undefined;
  if (port === undefined) {
    const named = Object.keys(schema.ports).filter((name) => name !== '');
    const whole = schema.ports[''];
    if (word !== undefined && named.length === 0 && whole !== undefined)
      return context.report(
        wiring.noNamedPort(expression.span, first.text, {
          fits: type.accepts.includes(whole.type),
          output: portNoun([whole.type]),
          wanted: portNoun(type.accepts),
          needsFormat: whole.type === 'Data' && type.accepts.includes('Dialogs'),
        }),
      );
    if (word !== undefined) return context.report(names.unknownPort(word.span, first.text, word.text, named));
    const candidates = fitting(schema, method, type.accepts);
    return context.report(
      candidates.length > 0
        ? wiring.portNeeded(expression.span, first.text, candidates)
        : wiring.wrongPort(
            expression.span,
            written,
            handedOn(symbol),
            portNoun(type.accepts),
            helpFor(type.accepts, undefined, first.text, context),
          ),
    );
  }
  const found = portType(port, method);
  if (!type.accepts.includes(found))
    return context.report(
      wiring.wrongPort(
        expression.span,
        written,
        portNoun([found]),
        portNoun(type.accepts),
        helpFor(type.accepts, found, first.text, context),
      ),
    );
  context.uses.push({ stage: first.text, port: portName, span: expression.span, ...winner });
  return { stage: first.text, port: portName };
};

/** How to come from what is written to what is wanted: by a stage in between, or another one that is there. */
function helpFor(
  accepts: readonly PortType[],
  found: PortType | undefined,
  stage: string,
  context: Context,
): string | undefined {
  if (found === 'Data' && accepts.includes('Dialogs')) return wiring.needsFormat(stage);
  const names = stagesThatFit(accepts, context).filter((name) => name !== stage);
  return names.length === 0 ? undefined : `name a stage that fits: ${named(names)}`;
}

const stagesThatFit = (accepts: readonly PortType[], context: Context): readonly string[] =>
  context.scope.declared('stage').filter((name) => {
    const symbol = context.scope.own.get(name);
    return (
      symbol?.kind === 'stage' &&
      (symbol.schema === undefined || fitting(symbol.schema, symbol.method, accepts).length > 0)
    );
  });

function handedOn({ schema, method }: StageSymbol): string {
  const types = [...new Set(Object.values(schema?.ports ?? {}).map((port) => portType(port, method)))];
  return types.length === 0 ? 'nothing' : portNoun(types);
}
