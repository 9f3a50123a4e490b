import { TFJS_NAMES } from '../../../src/tensor/runtimes/tfjs/installed.js';
import { conformance } from './conformance.js';
import { errorTable } from './error-table.js';
import { openHere, whereInstalled } from './here.js';

for (const name of TFJS_NAMES)
  whereInstalled(name, () => {
    conformance(name, () => openHere(name), errorTable(name).note);
  });
