import { conformance } from './conformance.js';
import { openHere, whereInstalled } from './here.js';

whereInstalled('tensorflow', () => {
  conformance('tensorflow', () => openHere('tensorflow'));
});
