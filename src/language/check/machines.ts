/** `machine workstation using rtx_3090 { devices = 2 }`: a machine, with the settings of those that it goes on from. */
import { machineCycle, requireInMachine, unknownBaseMachine } from '../diagnostics/catalogue/machines.js';
import {
  appliedTwice,
  type LibraryName,
  notImported,
  unknownSetting,
} from '../diagnostics/catalogue/names.js';
import { missingSetting } from '../diagnostics/catalogue/values.js';
import { nearest } from '../diagnostics/did-you-mean.js';
import type { Machine, MachineSettings } from '../ir/machine.js';
import type { Values } from '../ir/program.js';
import { machineSettings } from '../schemas/stages/machine.js';
import type { Machine as Declaration, Word } from '../syntax/ast.js';
import type { Context } from './context.js';
import { evaluateEntries } from './fields.js';
import type { MachineSymbol } from './scope.js';
import { settingHint } from './setting-hints.js';

export function machineSymbol(declaration: Declaration, context: Context): MachineSymbol {
  let state: 'new' | 'busy' | { readonly settings: Values | undefined } = 'new';
  const settings = (): Values | undefined => {
    if (state === 'busy') {
      context.report(machineCycle(declaration.name.span, declaration.name.text));
      state = { settings: undefined };
    }
    if (state === 'new') {
      state = 'busy';
      const found = settingsOf(declaration, context);
      if (state === 'busy') state = { settings: found };
    }
    return typeof state === 'object' ? state.settings : undefined;
  };
  return { kind: 'machine', declaration, settings };
}

/** `undefined` where something is wrong, which has been reported. */
function settingsOf(
  { name, using, properties, requirements }: Declaration,
  context: Context,
): Values | undefined {
  for (const { span } of requirements) context.report(requireInMachine(span));
  const inherited = inheritedBy(using, name.text, context);
  if (inherited === undefined) return undefined;
  const fork = context.fork();
  const sets = properties.map(({ key }) => key.text);
  const found = evaluateEntries(properties, machineSettings, fork, {
    path: '',
    preset: inherited,
    missing: (key, doc) => missingSetting(name.span, `\`${name.text}\``, key, doc),
    unknown: (key, known, value) =>
      unknownSetting(
        key.span,
        key.text,
        'a `machine`',
        settingHint(key, value, { known, block: { kind: 'machine', sets } }),
      ),
  });
  context.diagnostics.push(...fork.diagnostics);
  return found;
}

/** What other machines pass on: later ones win. How a machine is called and what it costs is its own. */
function inheritedBy(using: readonly Word[], own: string, context: Context): Values | undefined {
  const seen = new Map<string, Word>();
  let values: Values | undefined = {};
  for (const word of using) {
    const first = seen.get(word.text);
    seen.set(word.text, first ?? word);
    if (first !== undefined) context.report(appliedTwice(word.span, word.text, first.span));
    const base = baseOf(word, own, context);
    const { aliases: _, price: _price, priced: _priced, ...passed } = base ?? {};
    values = base === undefined || values === undefined ? undefined : { ...values, ...passed };
  }
  return values;
}

function baseOf(word: Word, own: string, context: Context): Values | undefined {
  const { scope } = context;
  const symbol = scope.lookup(word.text);
  if (symbol?.kind === 'machine') return symbol.settings();
  if (symbol?.kind === 'unknown') return undefined;
  const module = symbol === undefined ? scope.moduleOf(word.text) : undefined;
  if (module !== undefined) {
    const importing = (names: string) => scope.importing(names, module);
    return context.report(notImported({ names: [word], module, importing }));
  }
  const known = scope.declared('machine').filter((name) => name !== own);
  return context.report(
    unknownBaseMachine(word.span, word.text, known, unimported(word.text, known, context)),
  );
}

/** A machine of the library of nearly this name, unless one of the file is nearer. */
function unimported(name: string, known: readonly string[], { scope }: Context): LibraryName | undefined {
  const meant = nearest(name, [...known, ...scope.machinesOfLibrary()]);
  const module = meant === undefined || known.includes(meant) ? undefined : scope.moduleOf(meant);
  return meant === undefined || module === undefined
    ? undefined
    : { name: meant, module, put: scope.importing(meant, module) };
}

/** The machines that a file declares or imports, without those that have an error. */
export const machinesIn = ({ scope }: Context): readonly Machine[] =>
  [...scope.own].flatMap(([name, symbol]) => {
    if (symbol.kind !== 'machine') return [];
    const settings = symbol.settings();
    return settings === undefined || !isChecked(settings)
      ? []
      : [{ ...settings, name, doc: symbol.declaration.doc }];
  });

/** What the schema has checked has all that it requires. */
const isChecked = (settings: Values): settings is Values & MachineSettings =>
  typeof settings['memory'] === 'number';
