/** The socket as the SDK needs it. The real one is `socket-io-dialer.ts`; tests bring their own. */
import type { Handshake } from '@homeport/protocol';

export interface SocketEvents {
  /** A message of the server, by its event's name. */
  message(event: string, payload: unknown): void;
  /** The server refused the handshake; `reason` is what it said, `{code, message}` if it is one of ours. */
  refused(reason: unknown): void;
  /** It could not be reached, or the connection broke or was closed. */
  lost(): void;
}

export interface DialedSocket {
  /** No answer is expected. Nothing happens when the socket is not connected: nothing is ever queued here. */
  send(event: string, message: object): void;
  /** `answer` is called at most once. Nothing happens when the socket is not connected. */
  request(event: string, message: object, answer: (reply: unknown) => void): void;
  close(): void;
}

export interface Dialer {
  /** What `url` asks for behind its `?` is part of the dial. Events may come from the next turn of the event loop on, and late ones even after `close`. */
  dial(url: string, handshake: Handshake, events: SocketEvents): DialedSocket;
}
