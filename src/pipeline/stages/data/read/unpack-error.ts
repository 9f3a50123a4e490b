/** A packed file that is broken, or asks for more than is read: the message continues “cannot be unpacked: ”. */
export class UnpackError extends Error {}
