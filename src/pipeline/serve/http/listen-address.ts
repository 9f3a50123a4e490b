/** Where the server listens, and who can reach it there. */

export interface ListenAddress {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
}

/** Names by which a program on this machine calls it. */
const OWN_NAMES = ['localhost', '127.0.0.1', '[::1]'];

/** An address of this machine alone. */
export const isOwnAddress = (address: string): boolean =>
  address === '::1' || /^(?:::ffff:)?127(?:\.\d{1,3}){3}$/.test(address);

/** Only programs on this machine reach it. */
export const isLoopback = ({ host }: ListenAddress): boolean => host === 'localhost' || isOwnAddress(host);

/** What a URL calls a host. */
const urlHost = (host: string): string => (host.includes(':') ? `[${host}]` : host);

/** Names by which it may be called where only this machine reaches it; `undefined`: any. */
export const ownNames = (address: ListenAddress): readonly string[] | undefined =>
  isLoopback(address) ? [...new Set([...OWN_NAMES, urlHost(address.host)])] : undefined;

export const addressUrl = ({ host, port }: ListenAddress): string => `http://${urlHost(host)}:${port}`;
