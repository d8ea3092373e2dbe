/* tslint:disable */
/* eslint-disable */

/**
 * Seals a client that was typed in; `undefined` when the key cannot be used or the browser gives no random numbers.
 */
export function sealCredentials(ticketId: string, publicKey: string, clientId: string, clientSecret: string, projectId: string): string | undefined;

/**
 * Seals a client_secrets.json; `undefined` as for credentials.
 */
export function sealFile(ticketId: string, publicKey: string, name: string, content: Uint8Array | number[]): string | undefined;
