/** Resident bytes of a compiled graph beside its tensors. */
export const SESSION_BYTES = 0;
