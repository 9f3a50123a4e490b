/** The reason of an aborted stage: save what can be saved, then throw it. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  constructor() {
    super('the run was interrupted');
  }
}
