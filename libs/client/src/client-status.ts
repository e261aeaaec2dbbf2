import type { SessionId } from '@homeport/protocol';
import type { ConnectionState, Reason } from './connection-state.js';
import { HomeportError } from './homeport-error.js';
import type { ClientStatus } from './status.js';

/** What an application is told of a state of the connection. The same object as `before` if there is nothing new. */
export function clientStatus(state: ConnectionState, session: SessionId, before?: ClientStatus): ClientStatus {
  const status = described(state, session, before);
  const same =
    before !== undefined &&
    status.connection === before.connection &&
    status.session === before.session &&
    status.user === before.user &&
    status.node === before.node &&
    status.error?.message === before.error?.message;
  return same ? before : status;
}

function described(state: ConnectionState, session: SessionId, before: ClientStatus | undefined): ClientStatus {
  const base = { session, node: undefined, user: before?.user, error: undefined };
  switch (state.at) {
    case 'idle':
      return { ...base, connection: 'connecting' };
    case 'fetching':
    case 'dialing':
      // A try is not a success: who was offline stays so until there is a hello.
      if (before?.connection === 'offline' || before?.connection === 'unauthenticated') return { ...before, session };
      return { ...base, connection: 'connecting' };
    case 'live':
      return { ...base, connection: 'live', node: state.hello.node, user: state.hello.user };
    case 'waiting': {
      const { code } = state.why;
      const missing = code === 'token' || code === 'unauthenticated';
      return { ...base, connection: missing ? 'unauthenticated' : 'offline', error: errorOf(state.why) };
    }
    case 'stopped':
      return { ...base, connection: 'refused', error: errorOf(state.why) };
    case 'closed':
      return { ...base, connection: 'closed' };
  }
}

function errorOf({ code, message }: Reason): HomeportError {
  return new HomeportError(code === 'unreachable' ? 'unavailable' : code, message);
}
