/** FTP1920 to FTP1929: declarations of machines, and the machines that plans are made for. */
import type { Span } from '../../source/span.js';
import { suggestion } from '../did-you-mean.js';
import { error } from '../make.js';
import { fromLibrary, type LibraryName } from './names.js';

/** `machine workstation using rtx_3090 { … }` where there is no such machine. */
export const unknownBaseMachine = (at: Span, name: string, known: readonly string[], library?: LibraryName) =>
  error('FTP1920', at, `there is no machine \`${name}\` here`, {
    label: 'unknown machine',
    ...(library === undefined ? ofFile(at, name, known) : fromLibrary(at, library)),
  });

const ofFile = (at: Span, name: string, known: readonly string[]) =>
  known.length === 0
    ? {
        help: 'a machine is based on one of this file, or on one that it imports, such as those of `std/machines`',
      }
    : suggestion(name, at, known);

export const machineCycle = (at: Span, name: string) =>
  error('FTP1921', at, `the machine \`${name}\` is based on itself`, {
    label: 'leads back to this machine',
    help: 'remove one of the machines after `using`',
  });

export const requireInMachine = (at: Span) =>
  error('FTP1922', at, 'a machine requires nothing', {
    label: 'not a setting',
    help: 'what a plan has to keep belongs in a `budget`',
  });
